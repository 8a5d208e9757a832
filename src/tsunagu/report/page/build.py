"""One page of a study: a file that needs nothing beside it, and lets nothing in or out."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tsunagu import __version__
from tsunagu.report.album import Album
from tsunagu.report.outcome import Outcome
from tsunagu.report.page.charts import chart, looks
from tsunagu.report.page.encode import content_hash, embedded_json
from tsunagu.report.page.scans import score_scans
from tsunagu.report.page.strips import WIDTH, comparison_lines, result_lines
from tsunagu.report.page.vendor import plotly, stylesheet_names
from tsunagu.report.style import BACKGROUND, PALETTE, SIGNAL, Drawing, picture
from tsunagu.report.table import CAPTION
from tsunagu.report.words import caution, gains, notes

__all__ = ["page"]

SCRIPTS = ("data", "maths", "scans", "figures", "point", "panels", "readings", "explore", "start")
COLORS = {
    "palette": PALETTE,
    "signal": SIGNAL,
    "background": BACKGROUND,
    "right": PALETTE[2],
    "wrong": PALETTE[1],
}
SINK = "/* plotly.js adds its rules here */"


def page(
    outcome: Outcome,
    drawn: Mapping[str, Drawing],
    left_out: Sequence[str] = (),
    beside: str = "figures",
    albums: Sequence[Album] = (),
) -> tuple[str, tuple[str, ...]]:
    """The page as HTML.

    Args:
        outcome: of the study.
        drawn: the figures of the report, by file name.
        left_out: what could not be drawn, and why.
        beside: the folder of the figures, as the page links it.
        albums: figures of other commands.

    Returns:
        The text, and what the page itself leaves out.
    """
    scans, absent = score_scans(outcome)
    left_out = [*left_out, *absent]
    charts = {name: found for name, drawing in drawn.items() if (found := chart(drawing))}
    data = embedded_json({"charts": charts, "looks": looks(outcome), "scans": scans, "colors": COLORS})
    scripts = [plotly(), "\n".join(_asset(f"{name}.js") for name in SCRIPTS)] if charts or scans else []
    styles = [_asset("page.css"), SINK]
    text = _template().render(
        **_tables(outcome),
        **_figures(drawn, charts),
        outcome=outcome,
        scans=scans,
        data=data,
        scripts=scripts,
        styles=styles,
        policy=_policy(scripts, styles),
        ids=stylesheet_names(),
        notes=notes(outcome),
        left_out=list(dict.fromkeys(left_out)),
        beside=beside,
        albums=albums,
        version=__version__,
    )
    return text, absent


def _tables(outcome: Outcome) -> dict[str, Any]:
    header, results = result_lines(outcome)
    best, differences = comparison_lines(outcome)
    leading = gains(outcome)[0]
    return {
        "caption": CAPTION,
        "header": header,
        "results": results,
        "best": best,
        "differences": differences,
        "caution": f"The {caution(leading)}." if leading and differences else "",
        "column": outcome.metric_column("test").replace("_", " ", 1),
        "colors": {name: look["color"] for name, look in looks(outcome).items()},
        "width": WIDTH,
        "trainings": sum(method.tried or len(method.trials) for method in outcome.methods),
    }


def _figures(drawn: Mapping[str, Drawing], charts: Mapping[str, Any]) -> dict[str, Any]:
    kinds = {
        kind: [name for name, found in charts.items() if found["kind"] == kind]
        for kind in ("violin", "choices", "roc", "learning")
    }
    pictures = {name: _data(picture(drawn[name])) for name in charts}
    return {"kinds": kinds, "charts": charts, "pictures": pictures, "names": list(drawn)}


def _data(webp: bytes) -> str:
    return f"data:image/webp;base64,{base64.b64encode(webp).decode()}"


def _policy(scripts: Sequence[str], styles: Sequence[str]) -> str:
    rules = {
        "default-src": ["'none'"],
        "script-src": [content_hash(text) for text in scripts] or ["'none'"],
        "style-src": [content_hash(text) for text in styles],
        "img-src": ["data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
    }
    return "; ".join(" ".join([name, *sources]) for name, sources in rules.items())


@cache
def _asset(name: str) -> str:
    return (files("tsunagu.report.page") / "assets" / name).read_text(encoding="utf-8")


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("tsunagu.report.page"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")
