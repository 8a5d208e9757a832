"""What pydantic found, said so that a physicist knows what to write instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.nodes import Choice
from tsunagu.spec.scalars import BOOL, FLOAT, INT

__all__ = ["is_about_key", "mistakes_of"]

TAGS = {"<one>", "<many>", "<list>", "<mapping>", "[key]"}
TAGS |= {"<weights>", "<files>", "<scale>", "<function>", "<norm>"}
"""Steps that pydantic puts into a path for itself."""
MISSING = "is missing"
ABOUT_KEYS = (
    "there is no such setting",
    "there is no '",
    "unknown argument",
    "a node has",
    "a choice has",
    "the name of a task",
)

KINDS = {
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "a text",
    "list_type": "a list",
    "dict_type": "a mapping",
    "mapping_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "finite_number": "a finite number",
}
LIMITS = {
    "greater_than_equal": ("ge", "at least"),
    "greater_than": ("gt", "more than"),
    "less_than_equal": ("le", "at most"),
    "less_than": ("lt", "less than"),
}


def is_about_key(mistake: Mistake) -> bool:
    """Whether the key is what is wrong, and not the value that stands behind it."""
    return mistake.message.startswith(ABOUT_KEYS)


def mistakes_of(error: ValidationError, model: type[BaseModel] | None = None) -> list[Mistake]:
    """All mistakes of a validation, with paths in the data and humane messages.

    Args:
        error: as pydantic raised it.
        model: the model that was validated; its settings are what an unknown one is compared with.

    >>> from tsunagu.spec.models import Train
    >>> try:
    ...     Train.model_validate({"epochs": "five", "pateince": 3})
    ... except ValidationError as error:
    ...     print(*mistakes_of(error, Train), sep="\\n")
    epochs: expected a whole number, found 'five'
    pateince: there is no such setting (did you mean 'patience'?)
    """
    return [mistake for detail in error.errors() for mistake in _mistakes(dict(detail), model)]


def _mistakes(detail: dict[str, Any], model: type[BaseModel] | None) -> Iterator[Mistake]:
    path: Path = tuple(step for step in detail["loc"] if step not in TAGS)
    context = detail.get("ctx", {})
    if "mistakes" in context:
        yield from (Mistake((*path, *inner.path), inner.message) for inner in context["mistakes"])
    else:
        yield Mistake(path, _message(detail, path, context, model))


def _message(
    detail: dict[str, Any], path: Path, context: Mapping[str, Any], model: type[BaseModel] | None
) -> str:
    kind, found = detail["type"], _shorten(detail["input"])
    if kind == "extra_forbidden":
        valid = [] if model is None else _settings(model, path[:-1])
        return f"there is no such setting{did_you_mean(str(path[-1]), valid)}"
    if kind == "missing":
        return MISSING
    if kind in LIMITS:
        name, words = LIMITS[kind]
        return f"must be {words} {context[name]:g}, found {found}"
    if kind in ("too_short", "string_too_short"):
        return f"must not be empty, found {found}"
    if kind in KINDS and _is_choice(detail["input"]):
        return f"a choice cannot stand here, only inside tasks and train; expected {KINDS[kind]}"
    if kind in KINDS:
        return f"expected {KINDS[kind]}, found {found}{_remedy(KINDS[kind], detail['input'])}"
    return str(detail["msg"])


def _is_choice(found: Any) -> bool:
    return isinstance(found, Choice) or (isinstance(found, Mapping) and "choice" in found)


def _remedy(expected: str, found: Any) -> str:
    """How to write what is right but for its form: a number in quotes, or 1e3 for a whole number."""
    words = {"a whole number": INT, "a number": FLOAT, "true or false": BOOL}.get(expected)
    if words is not None and isinstance(found, str) and words.match(found):
        return ": a text; write it without quotes"
    if expected == "a whole number" and isinstance(found, float) and found.is_integer():
        return f"; write {int(found)}"
    return ""


def _shorten(value: Any) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _settings(model: type[BaseModel], path: Path) -> list[str]:
    """The settings that are valid at a path: the model is followed through its annotations."""
    inside: list[type[BaseModel]] = [model]
    for step in path:
        fields = [m.model_fields[str(step)].annotation for m in inside if str(step) in m.model_fields]
        # A step that is no field is the name in a mapping or the index in a list: the model stays.
        inside = [m for annotation in fields for m in _models(annotation)] if fields else inside
    return [name for m in inside for name in m.model_fields]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
