"""Figures and tables of a finished study, read from its folder alone.

The outputs of the pipeline decide what is drawn. An output with a loss of class labels is a score:

* ``roc_<output>``: background rejection against signal efficiency, a line a method, a band over seeds;
* ``calibration_<output>``: the share of the class against its predicted probability, and how far it is off, before and after
  an isotonic calibration on validation events;
* ``scores_<output>_<method>``: signal and background, test against validation events.

An output with a loss ``four_momentum...`` holds calibrated momenta:

* ``response_<output>``: median of predicted over true pt, and its relative width, before and after;
* ``mass_<output>_<method>``: the mass of all objects together, before and after, for both classes.

Every metric has

* ``violin_<metric>``: a violin a method on the test events, every seed a point, the mean with its interval, the baselines.

Every number of a loss that at least three methods differ in, and in nothing else, has

* ``scan_<name>``: accuracy of each class and of all events, and the study's metric, against that number; other methods beside.

Every choice that the study leaves open has

* ``choices_<task>``: how often each option was taken, a bar a method. Such a method is, in all figures, its chosen
  trials: for each seed (and fold) the architecture that is best on the validation events.

Every method has ``learning_<method>``, and ``overview`` shows the first three side by side. Each figure is written as
PNG, as PDF, and (but for the overview, which repeats others) as CSV with its numbers. ``methods.md`` has all methods in two
tables: their numbers, and their differences to the first, seed by seed. ``left_out.txt`` tells what could not be drawn.
``report.html`` shows tables and figures on one page, and has sliders to choose a working point with.
"""

from tsunagu.report.comparison import draw_comparison, write_comparison
from tsunagu.report.figures import is_current, page_path, report
from tsunagu.report.measurement import write_measurement
from tsunagu.report.pulls import draw_pulls
from tsunagu.report.style import save
from tsunagu.report.table import results_table
from tsunagu.report.words import explain

__all__ = [
    "draw_comparison",
    "draw_pulls",
    "explain",
    "is_current",
    "page_path",
    "report",
    "results_table",
    "save",
    "write_comparison",
    "write_measurement",
]


def __dir__() -> list[str]:
    return __all__
