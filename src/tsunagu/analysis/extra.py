"""The optional packages of an analysis, imported where they are needed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from tsunagu.errors import DataError

__all__ = ["quiet_schemas", "require"]


def require(name: str) -> ModuleType:
    """An optional package, or what to install.

    Raises:
        DataError: it is not installed.

    >>> require("not_there")
    Traceback (most recent call last):
    tsunagu.errors.DataError: not_there is not installed; fits and histograms need it: pip install 'tsunagu[analysis]'
    """
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        msg = f"{name} is not installed; fits and histograms need it: pip install 'tsunagu[analysis]'"
        raise DataError(msg) from error


@contextmanager
def quiet_schemas() -> Iterator[None]:
    """Without the warning that pyhf 0.7 makes jsonschema give whenever a schema is used."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*RefResolver", category=DeprecationWarning)
        yield
