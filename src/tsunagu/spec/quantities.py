"""Numbers with a unit: a unit is always written, and never guessed."""

from __future__ import annotations

import math
import re

from tsunagu.errors import DataError, did_you_mean

__all__ = ["UNITS", "parse_cross_section", "parse_luminosity", "parse_unit"]

UNITS = {
    "eV": 1e-9, "keV": 1e-6, "MeV": 1e-3, "GeV": 1.0, "TeV": 1e3,
    "rad": 1.0, "mrad": 1e-3, "deg": math.pi / 180.0,
    "um": 1e-3, "mm": 1.0, "cm": 10.0, "m": 1e3,
}  # fmt: skip
"""The units of columns, in ours: GeV, radians and millimetres."""

BARNS = {"b": 1e12, "mb": 1e9, "ub": 1e6, "nb": 1e3, "pb": 1.0, "fb": 1e-3, "ab": 1e-6}
"""Units of cross-sections in picobarn."""

_NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
_CROSS_SECTION = re.compile(rf"\s*{_NUMBER}\s*(\w+)\s*")
_LUMINOSITY = re.compile(rf"\s*{_NUMBER}\s*(?:1?\s*/\s*(\w+)|(\w+?)\s*\^?-1)\s*")


def parse_unit(text: str) -> str:
    """The name of a unit, as it was written.

    Raises:
        DataError: there is no such unit here.

    >>> parse_unit("MeV")
    'MeV'
    >>> parse_unit("mev")
    Traceback (most recent call last):
    tsunagu.errors.DataError: unknown unit 'mev' (did you mean 'MeV'?)
    """
    if text not in UNITS:
        message = f"unknown unit '{text}'{did_you_mean(text, UNITS, most=12)}"
        raise DataError(message)
    return text


def parse_cross_section(text: str) -> float:
    """A cross-section in picobarn.

    Raises:
        DataError: no positive number with a unit.

    >>> parse_cross_section("0.1 pb"), parse_cross_section("5 fb")
    (0.1, 0.005)
    """
    found = _CROSS_SECTION.fullmatch(text)
    return _with_unit(found and (found[1], found[2]), text, "a cross-section", "0.1 pb")


def parse_luminosity(text: str) -> float:
    """An integrated luminosity in inverse picobarn.

    Raises:
        DataError: no positive number with a unit.

    >>> parse_luminosity("140 /fb"), parse_luminosity("36.1 fb-1"), parse_luminosity("5/pb")
    (140000.0, 36100.0, 5.0)
    """
    found = _LUMINOSITY.fullmatch(text)
    value = _with_unit(
        found and (found[1], found[2] or found[3]), text, "a luminosity", "140 /fb", inverse=True
    )
    return round(value, 9)


def _with_unit(
    found: tuple[str, str] | None, text: str, what: str, example: str, *, inverse: bool = False
) -> float:
    if found is None or found[1] not in BARNS or not 0.0 < float(found[0]) < math.inf:
        message = (
            f"expected {what} with its unit such as '{example}' (units: {', '.join(BARNS)}), found '{text}'"
        )
        raise DataError(message)
    number, unit = float(found[0]), BARNS[found[1]]
    return number / unit if inverse else number * unit
