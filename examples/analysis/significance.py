"""The expected significance of every method and seed of the analysis, with the fit to its pseudo-data.

python examples/analysis/significance.py out/analysis

Writes ``significance.csv`` and ``pulls.png`` into the folder of the run, and prints a table.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from tsunagu.analysis import fit
from tsunagu.report import draw_pulls, save
from tsunagu.spec import load_study
from tsunagu.studies import measure_study

Row = dict[str, str | float]


def measure(out: Path, folder: Path = HERE) -> list[Row]:
    """One row for each method and seed of a finished run."""
    study = load_study(folder / "analysis.yaml").study
    rows = []
    for method, seed in _trained(out / "results.csv"):
        measured = measure_study(study, out, folder, method, seed)
        found = fit(measured.workspace, measured.observed, impacts=[])
        strength = found["mu"]
        rows.append(
            {
                "method": method,
                "seed": seed,
                "pyhf": measured.expected.significance,
                "without systematics": measured.expected.without_systematics,
                "closed form": measured.quadrature.all_errors,
                "error of mu": measured.expected.error,
                "observed mu": strength.value,
                "observed error": strength.error,
            }
        )
        if (method, seed) == ("chain, searched", 1):
            save(draw_pulls(measured, found), out / "pulls")
    return rows


def _trained(results: Path) -> Iterator[tuple[str, int]]:
    with results.open(encoding="utf-8", newline="") as file:
        found = [(line["method"], int(line["seed"])) for line in csv.DictReader(file) if line["digest"]]
    yield from dict.fromkeys(found)


def table(rows: list[Row]) -> Iterator[str]:
    """Mean and standard deviation over seeds, in Markdown."""
    names = [name for name in rows[0] if name not in ("method", "seed")]
    yield f"| method | seeds | {' | '.join(names)} |"
    yield f"| --- | --- |{' --- |' * len(names)}"
    for method in dict.fromkeys(row["method"] for row in rows):
        own = [row for row in rows if row["method"] == method]
        numbers = [_mean([float(row[name]) for row in own]) for name in names]
        yield f"| {method} | {len(own)} | {' | '.join(numbers)} |"


def _mean(values: list[float]) -> str:
    return f"{fmean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def main(out: Path) -> None:
    """Measure, write and print."""
    rows = measure(out)
    with (out / "significance.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
