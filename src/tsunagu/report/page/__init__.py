"""The page of a study, ``report.html``: tables and figures to read anywhere, and sliders to choose with.

It is one file without network, whose scripts work on embedded numbers: those of the static figures, and weighted score
histograms of every trial at every value of its conditions (:mod:`~tsunagu.report.page.scans`).
"""

from tsunagu.report.page.build import page
from tsunagu.report.page.scan import Scan

__all__ = ["Scan", "page"]


def __dir__() -> list[str]:
    return __all__
