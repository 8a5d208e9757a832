"""All figures of a study, decided by what its pipeline predicts."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path

from tsunagu import __version__
from tsunagu.files import write_bytes
from tsunagu.report.album import ALBUMS, read_albums
from tsunagu.report.chosen import draw_choices, short_label
from tsunagu.report.cost import draw_cost
from tsunagu.report.learning import draw_learning
from tsunagu.report.mass import draw_mass
from tsunagu.report.methods import methods_page
from tsunagu.report.momenta import draw_response
from tsunagu.report.outcome import MOST, Outcome, Output
from tsunagu.report.overview import draw_overview
from tsunagu.report.page import page
from tsunagu.report.pareto import draw_pareto
from tsunagu.report.reading import read_outcome
from tsunagu.report.reliability import draw_reliability
from tsunagu.report.roc import draw_roc
from tsunagu.report.scan import draw_scan
from tsunagu.report.scores import classes, draw_scores
from tsunagu.report.searching import draw_search
from tsunagu.report.slugs import slugs_of
from tsunagu.report.stored import Undrawable
from tsunagu.report.style import Drawing, save
from tsunagu.report.supernet import draw_supernet
from tsunagu.report.violin import draw_violins

__all__ = ["is_current", "page_path", "report"]

TABLES = ("results.csv", "summary.json", "study.yaml", "supernet.csv", "baselines.npz", *ALBUMS)
MADE_FROM, PAGE, FIGURES, METHODS = ".made_from", "report.html", "figures", "methods.md"
_LOG = logging.getLogger(__name__)
Plan = Iterator[tuple[str, Callable[[], Drawing]]]


def report(out: Path | str, to: Path | str | None = None) -> list[Path]:
    """Draw every figure that the outputs of a finished study allow, as PNG, PDF and CSV, ``methods.md``, and the page that shows them.

    The same folder gives the same bytes. What cannot be drawn is told in ``left_out.txt`` and in the log; everything
    else is drawn all the same.

    Args:
        out: a study's folder, with ``results.csv``, ``summary.json`` and ``trials/``.
        to: where the figures go; ``out/figures`` by default, with the page as ``out/report.html``. Else the page is in this folder too.

    Returns:
        The files that were written.

    Raises:
        ResumeError: a file of the study is missing or damaged, or a figure cannot be written; the message names it.
        DataError: a file does not hold what it should.
    """
    out = Path(out)
    outcome, folder = read_outcome(out), Path(to or out / FIGURES)
    drawn, left_out = _drawn(outcome)
    written = [path for name, drawing in drawn.items() for path in save(drawing, folder / name)]
    albums = read_albums(out, page_path(out, to).parent)
    text, absent = page(outcome, drawn, left_out, beside="." if to else FIGURES, albums=albums)
    write_bytes(page_path(out, to), text.encode())
    write_bytes(folder / METHODS, methods_page(outcome).encode())
    written += [page_path(out, to), folder / METHODS, *_tell([*left_out, *absent], folder / "left_out.txt")]
    write_bytes(folder / MADE_FROM, _made_from(out).encode())
    return written


def page_path(out: Path | str, to: Path | str | None = None) -> Path:
    """Where the page of a study is, for the same arguments as :func:`report`."""
    return Path(to or out) / PAGE


def _drawn(outcome: Outcome) -> tuple[dict[str, Drawing], list[str]]:
    drawn: dict[str, Drawing] = {}
    left_out = _not_shown(outcome)
    for name, draw in _planned(outcome):
        try:
            drawing = draw()
        except Undrawable as reason:
            left_out.append(f"{name}: {reason}")
            continue
        drawn[name] = drawing
        left_out += [f"{name}: {reason}" for reason in drawing.left_out]
    return drawn, left_out


def is_current(out: Path | str, to: Path | str | None = None) -> bool:
    """Whether figures and page were made by this version from the tables that the study has now.

    Trials never change under their name, so the tables, which name them, are all that needs to be compared.
    """
    note = Path(to or Path(out) / FIGURES) / MADE_FROM
    return (
        page_path(out, to).exists()
        and note.exists()
        and note.read_text(encoding="utf-8") == _made_from(Path(out))
    )


def _made_from(out: Path) -> str:
    digest = sha256(__version__.encode())
    for name in TABLES:
        path = out / name
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()


def _planned(outcome: Outcome) -> Plan:
    slugs = slugs_of([method.name for method in outcome.shown])
    yield "overview", partial(draw_overview, outcome)
    for column in outcome.test_columns:
        yield f"violin_{column.removeprefix('test_')}", partial(draw_violins, outcome, column)
    scans = slugs_of([scan.parameter for scan in outcome.scans])
    for slug, scan in zip(scans, outcome.scans, strict=True):
        yield f"scan_{slug}", partial(draw_scan, outcome, scan)
    labels = slugs_of([short_label(label) for label in outcome.options])
    for slug, label in zip(labels, outcome.options, strict=True):
        yield f"choices_{slug}", partial(draw_choices, outcome, label)
    if outcome.trades:
        yield "pareto", partial(draw_pareto, outcome)
    yield from _searches(outcome)
    for output in outcome.outputs:
        if output.classifies:
            yield from _classification(outcome, output, slugs)
        elif output.calibrates:
            yield from _calibration(outcome, output, slugs)
    for slug, method in zip(slugs, outcome.shown, strict=True):
        yield f"learning_{slug}", partial(draw_learning, outcome, method)


def _searches(outcome: Outcome) -> Plan:
    if any(method.tried > len(method.trials) or method.searches for method in outcome.listed):
        yield "cost", partial(draw_cost, outcome)
    slugs = slugs_of([method.name for method in outcome.listed])
    for slug, method in zip(slugs, outcome.listed, strict=True):
        if method.searches:
            yield f"search_{slug}", partial(draw_search, outcome, method)
            yield f"supernet_{slug}", partial(draw_supernet, outcome, method)


def _classification(outcome: Outcome, output: Output, slugs: Sequence[str]) -> Plan:
    signals = classes(outcome, output)
    for signal in signals:
        name = output.name if len(signals) == 1 else f"{output.name}_class{signal}"
        yield f"roc_{name}", partial(draw_roc, outcome, output, signal)
        yield f"calibration_{name}", partial(draw_reliability, outcome, output, signal)
        for slug, method in zip(slugs, outcome.shown, strict=True):
            yield f"scores_{name}_{slug}", partial(draw_scores, outcome, output, method, signal)


def _calibration(outcome: Outcome, output: Output, slugs: Sequence[str]) -> Plan:
    yield f"response_{output.name}", partial(draw_response, outcome, output)
    try:
        trained, _ = outcome.supervised(output)
    except Undrawable:  # told for the response
        return
    for slug, method in zip(slugs, outcome.shown, strict=True):
        if method in trained:
            yield f"mass_{output.name}_{slug}", partial(draw_mass, outcome, output, method)


def _not_shown(outcome: Outcome) -> list[str]:
    drawn = {method.name for method in outcome.shown}
    hidden = [method.name for method in outcome.methods if method.name not in drawn]
    if not hidden:
        return list(outcome.unchosen)
    return [
        *outcome.unchosen,
        f"only the best {MOST} methods on the validation events are drawn over each other, not {', '.join(hidden)}",
    ]


def _tell(left_out: Sequence[str], path: Path) -> list[Path]:
    lines = list(dict.fromkeys(left_out))
    for text in lines:
        _LOG.info("left out: %s", text)
    if not lines:
        path.unlink(missing_ok=True)  # of an earlier report
        return []
    write_bytes(path, "".join(f"{text}\n" for text in lines).encode())
    return [path]
