"""The kinds of field that study files are made of.

A number, a truth value or a name of the pipeline may be left to a :class:`~tsunagu.spec.Choice`; every option of it is
checked as if it stood there alone. What stands in the spec as "one or several" is told apart by its shape, never by
trying one after the other, so that a mistake in it is reported once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Discriminator,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StrictBool,
    StrictInt,
    StrictStr,
    Tag,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from tsunagu.errors import Mistake, Path
from tsunagu.spec.messages import mistakes_of
from tsunagu.spec.nodes import Choice, Value, to_data
from tsunagu.spec.parameters import Condition, Schedule
from tsunagu.spec.values import parse_value, validate_args, validate_node, validate_schedule, validate_value

__all__ = [
    "DEVICES",
    "VERSION",
    "AnyArgs",
    "AnyConditions",
    "AnyNode",
    "AnySchedule",
    "AnyValue",
    "Bool",
    "Device",
    "Inputs",
    "Keep",
    "KeepIn",
    "Name",
    "Number",
    "OrChoice",
    "OrParameter",
    "PositiveFloat",
    "PositiveInt",
    "Seeds",
    "Text",
    "Texts",
    "Variations",
    "Version",
    "Weight",
    "one_or_many",
]

VERSION = 1
"""Of the format of study files; raised when an old file would mean something else."""
CHOICE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["choice"],
    "additionalProperties": False,
    "properties": {
        "choice": {"anyOf": [{"type": "object", "minProperties": 1}, {"type": "array", "minItems": 1}]},
        "name": {"type": ["string", "null"]},
    },
}
NODE_SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["key"],
    "additionalProperties": False,
    "properties": {"key": {"type": "string"}, "args": {"type": ["object", "array", "null"]}},
}


PARAMETER_SCHEMA: dict[str, Any] = {
    "type": "object",
    "anyOf": [{"required": ["condition"]}, {"required": ["schedule"]}],
}


class OrParameter:
    """Lets a condition or a schedule stand in place of a number."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_or_parameter, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema["schema"]), PARAMETER_SCHEMA]}


def _or_parameter(data: Any, validate: Any) -> Any:
    written = isinstance(data, Mapping) and ("condition" in data or "schedule" in data)
    return validate_value(data) if written or isinstance(data, Condition | Schedule) else validate(data)


def _conditions(data: Any) -> list[Condition]:
    found = validate_value(data)
    wrong = (
        [part for part in found if not isinstance(part, Condition)] if isinstance(found, list) else [found]
    )
    if wrong:
        context = {"found": repr(wrong[0])}
        message = "expected a list of conditions {{condition: mass, uniform: [100, 200], column: true_mass}}, found {found}"
        raise PydanticCustomError("value", message, context)
    return list(found)


class OrChoice:
    """Lets a choice stand in place of a scalar."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_wrap_validator_function(_or_choice, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"anyOf": [handler(schema["schema"]), CHOICE_SCHEMA]}


def _or_choice(data: Any, validate: Any) -> Any:
    if not (isinstance(data, Choice) or (isinstance(data, Mapping) and "choice" in data)):
        return validate(data)
    found, mistakes = parse_value(data)
    if isinstance(found, Choice) and not mistakes:
        found = _checked(found, validate, (), mistakes)
    if mistakes:
        raise PydanticCustomError("value", "not a choice", {"mistakes": mistakes})
    return found


def _checked(value: Value, validate: Any, path: Path, mistakes: list[Mistake]) -> Value:
    if isinstance(value, Choice):
        inside = {
            label: _checked(part, validate, (*path, "choice", label), mistakes)
            for label, part in value.options.items()
        }
        return Choice(inside, value.name)
    try:
        return validate(value)
    except ValidationError as error:
        mistakes += [Mistake((*path, *m.path), m.message) for m in mistakes_of(error)]
        return value


def one_or_many(data: Any) -> str:
    """The tag of a field that holds one thing or a list of them."""
    return "<many>" if isinstance(data, list | tuple) else "<one>"


def _list_or_mapping(data: Any) -> str:
    return "<mapping>" if isinstance(data, Mapping) else "<list>"


def _plain_variations(vary: Any) -> Any:
    """The varied values as plain data: they are parsed where they are set, but must be values of a spec at all."""
    axes = vary.items() if isinstance(vary, Mapping) else []
    options = [
        (p, label, part)
        for p, labels in axes
        if isinstance(labels, Mapping)
        for label, part in labels.items()
    ]
    mistakes = [mistake for p, label, part in options for mistake in _no_values(to_data(part), (p, label))]
    if mistakes:
        raise PydanticCustomError("value", "values of a spec", {"mistakes": mistakes})
    return _as_written(vary)


def _as_written(value: Any) -> Any:
    """Plain data; of a loss or a task made in Python what one would write in YAML: all but the defaults."""
    if isinstance(value, BaseModel):
        fields = {name: getattr(value, name) for name in type(value).model_fields}
        defaults = {name: field.default for name, field in type(value).model_fields.items()}
        return {name: _as_written(part) for name, part in fields.items() if part != defaults[name]}
    if isinstance(value, Mapping):
        return {str(name): _as_written(part) for name, part in value.items()}
    return [_as_written(part) for part in value] if isinstance(value, list | tuple) else to_data(value)


def _no_values(data: Any, path: Path) -> list[Mistake]:
    """What can stand nowhere in a spec; what a mapping means depends on where it will be set."""
    if isinstance(data, Mapping | list | tuple):
        parts = data.items() if isinstance(data, Mapping) else enumerate(data)
        return [mistake for step, part in parts for mistake in _no_values(part, (*path, step))]
    return parse_value(data, path)[1]


def _known(version: int) -> int:
    if version != VERSION:
        found = {"known": VERSION, "found": version}
        raise PydanticCustomError(
            "value", "this tsunagu reads version {known} of the format, found {found}", found
        )
    return version


def _device(device: str) -> str:
    if re.fullmatch(DEVICES, device) is None:
        found = {"found": repr(device)}
        raise PydanticCustomError("value", "expected auto, cpu, cuda or cuda:<number>, found {found}", found)
    return device


def _distinct(seeds: int | list[int]) -> int | list[int]:
    if isinstance(seeds, list) and len(set(seeds)) < len(seeds):
        raise PydanticCustomError("value", "a seed stands twice, found {found}", {"found": repr(seeds)})
    return seeds


def _by_class(keep: Any) -> Any:
    """Classes as they are spelled in YAML, where a key is a text."""
    if not isinstance(keep, Mapping):
        return keep
    return {
        name: {str(label): part for label, part in classes.items()}
        if isinstance(classes, Mapping)
        else classes
        for name, classes in keep.items()
    }


def _class_number(label: str) -> str:
    if re.fullmatch(r"-?\d+", label) is None:
        found = {"found": repr(label)}
        raise PydanticCustomError("value", "a class is a whole number, found {found}", found)
    return label


DEVICES = r"auto|cpu|cuda(:\d+)?"
"""How a device is named, a regular expression."""
Name = Annotated[StrictStr, Field(min_length=1)]
Bool = Annotated[StrictBool, OrChoice()]
Text = Annotated[Name, OrChoice()]
PositiveInt = Annotated[StrictInt, Field(ge=1)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
PositiveFloat = Annotated[float, Field(strict=True, gt=0, allow_inf_nan=False)]
Weight = Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)]

AnyValue = Annotated[Any, BeforeValidator(validate_value), WithJsonSchema({})]
AnyArgs = Annotated[Any, BeforeValidator(validate_args), WithJsonSchema({"type": ["object", "null"]})]
AnyConditions = Annotated[
    list[Any], BeforeValidator(_conditions), WithJsonSchema({"type": "array", "items": PARAMETER_SCHEMA})
]
AnyNode = Annotated[
    Any,
    BeforeValidator(validate_node),
    WithJsonSchema({"anyOf": [{"type": "string"}, NODE_SCHEMA, CHOICE_SCHEMA]}),
]
AnySchedule = Annotated[
    Any,
    BeforeValidator(validate_schedule),
    WithJsonSchema({"anyOf": [{"type": "null"}, {"type": "string"}, NODE_SCHEMA, CHOICE_SCHEMA]}),
]
Texts = Annotated[
    Annotated[Name, Tag("<one>")] | Annotated[list[Name], Field(min_length=1), Tag("<many>")],
    Discriminator(one_or_many),
]
Inputs = Annotated[
    Annotated[list[Name], Field(min_length=1), Tag("<list>")]
    | Annotated[dict[str, Name], Field(min_length=1), Tag("<mapping>")],
    Discriminator(_list_or_mapping),
]
Seeds = Annotated[
    Annotated[PositiveInt, Tag("<one>")] | Annotated[list[PositiveInt], Field(min_length=1), Tag("<many>")],
    Discriminator(one_or_many),
    AfterValidator(_distinct),
]
Variations = Annotated[
    dict[str, Annotated[dict[str, Annotated[Any, WithJsonSchema({})]], Field(min_length=1)]],
    BeforeValidator(_plain_variations),
]
Fraction = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Keep = Annotated[
    dict[Name, Annotated[dict[Annotated[str, AfterValidator(_class_number)], Fraction], Field(min_length=1)]],
    BeforeValidator(_by_class),
]
KeepIn = Literal["all", "train"]
Device = Annotated[
    StrictStr, AfterValidator(_device), WithJsonSchema({"type": "string", "pattern": f"^({DEVICES})$"})
]
Version = Annotated[StrictInt, AfterValidator(_known)]
