"""A study is trials as a product of variations and seeds, and the tables that are read off them."""

from tsunagu.studies.baselines import Baseline
from tsunagu.studies.checks import check_headers, check_spec, check_study
from tsunagu.studies.comparing import Comparison, compare_study
from tsunagu.studies.cost import Estimate, estimate
from tsunagu.studies.measuring import Measurement, measure_study
from tsunagu.studies.opening import Tables, needed_columns, open_study_table
from tsunagu.studies.outcome import Outcome, Watcher
from tsunagu.studies.plan import Planned, count_stages, plan, seeds
from tsunagu.studies.rows import Row
from tsunagu.studies.run import run_study
from tsunagu.studies.tables import write_results, write_summary

__all__ = [
    "Baseline",
    "Comparison",
    "Estimate",
    "Measurement",
    "Outcome",
    "Planned",
    "Row",
    "Tables",
    "Watcher",
    "check_headers",
    "check_spec",
    "check_study",
    "compare_study",
    "count_stages",
    "estimate",
    "measure_study",
    "needed_columns",
    "open_study_table",
    "plan",
    "run_study",
    "seeds",
    "write_results",
    "write_summary",
]


def __dir__() -> list[str]:
    return __all__
