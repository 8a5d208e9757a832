"""The plotting library that a page carries: plotly.js, its cartesian bundle, as its makers publish it.

It is the file ``plotly-cartesian.min.js`` of the npm package ``plotly.js-cartesian-dist-min``, unchanged, under the MIT
licence in ``vendor/plotly-LICENSE.txt``. To take another version, replace both files and the two constants.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

__all__ = ["SHA256", "VERSION", "plotly", "stylesheet_names"]

VERSION = "4.1.1"
SHA256 = "79542150855a52c567260e3137095dbe2b744e6d702a5cabe67da246942fba7a"


@cache
def plotly() -> str:
    """The bundle's text, without what could end a script."""
    return (files("tsunagu.report.page") / "vendor" / "plotly-cartesian.min.js").read_text(encoding="utf-8")


@cache
def stylesheet_names() -> tuple[str, ...]:
    """The ids of stylesheets that the bundle would add for maps, which no page draws, unless an element has that id.

    The content security policy would refuse them with an error in the console.
    """
    return tuple(dict.fromkeys(re.findall(r'getElementById\("([0-9a-f]{64})"\)', plotly())))
