"""The JSON schema of study files, for editors that complete and check while one types."""

from __future__ import annotations

import inspect
import re
from typing import Any

from tsunagu.spec.analysis import Analysis, Bins, LabelledProcess
from tsunagu.spec.data import Process
from tsunagu.spec.models import Data, Folds, LossTerm, Study, Task, Train
from tsunagu.spec.searches import Search
from tsunagu.spec.systematics import OtherFiles, OtherWeights, Scale, Shifted, Yields

__all__ = ["schema"]

REFERENCE: dict[str, Any] = {
    "type": "object",
    "description": "A section of another file: {ref: file.yaml#section}.",
    "required": ["ref"],
    "additionalProperties": False,
    "properties": {"ref": {"type": "string"}},
}
INNER: tuple[type, ...] = (Data, Folds, LossTerm, Search, Task, Train, Analysis, Bins, Process)
INNER += (LabelledProcess, OtherFiles, OtherWeights, Scale, Shifted, Yields)
# The words of pydantic's schemas that describe a value and do not restrict it.
ANNOTATIONS = ("title", "description", "default")
ARGUMENT = re.compile(r"^    (\w+): (.*(?:\n {8,}.*)*)", re.MULTILINE)


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a study file.

    Every setting is described, and may also be a reference to another file.

    >>> schema()["title"]
    'Study'
    >>> schema()["properties"]["metric"]["description"]
    'the first metric.'
    """
    made = Study.model_json_schema()
    inner = {model.__name__: model for model in INNER}
    for name, part in made["$defs"].items():
        _complete(part, inner[name])
    _complete(made, Study)
    made["$defs"]["Reference"] = REFERENCE
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def _complete(made: dict[str, Any], model: type) -> None:
    words = inspect.cleandoc(model.__doc__ or "")
    meanings = {name: " ".join(text.split()) for name, text in ARGUMENT.findall(words)}
    made["description"] = words.partition("\n")[0]
    for name, part in made["properties"].items():
        meaning = {"description": meanings[name]} if name in meanings else {}
        made["properties"][name] = _or_reference(part) | meaning


def _or_reference(part: dict[str, Any]) -> dict[str, Any]:
    """The schema of a value, or of a reference, and so for what stands in its lists and mappings."""
    outside = {name: part[name] for name in ANNOTATIONS if name in part}
    inside = {name: kind for name, kind in part.items() if name not in ANNOTATIONS}
    for name in ("items", "additionalProperties"):
        if isinstance(inside.get(name), dict):
            inside[name] = _or_reference(inside[name])
    for name in ("anyOf", "oneOf"):
        if name in inside:
            inside[name] = [_inner(kind) for kind in inside[name]]
    return {**outside, "anyOf": [inside, {"$ref": "#/$defs/Reference"}]} if inside else outside


def _inner(kind: dict[str, Any]) -> dict[str, Any]:
    for name in ("items", "additionalProperties"):
        if isinstance(kind.get(name), dict):
            kind = {**kind, name: _or_reference(kind[name])}
    return kind
