"""What ``tsunagu check`` and ``tsunagu plan`` print of a file that holds models and no study."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table as Grid

from tsunagu.errors import Mistake, SpecError
from tsunagu.spec import Sections
from tsunagu.tasks import Layer, check_model, input_shape, layout

__all__ = ["describe_sections", "judge_sections", "parse_shape"]


def describe_sections(sections: Sections, shape: tuple[int, ...] | None) -> Iterator[Grid | str]:
    """A sentence, and for each section a table of its layers.

    Args:
        sections: of the file.
        shape: of an event, for the first section; the others begin with what their first layer says, or with what
            the one before makes.

    Raises:
        SpecError: layers that cannot be built or do not fit each other, or a shape that nobody tells.
    """
    made = list(_layouts(sections, shape))
    first = next(iter(sections.values))
    yield f"{_what(sections)}; in a study, model: [{{ref: {sections.path.name}#{first}}}] is one of them"
    yield from (_table(name, begin, layers) for name, begin, layers in made)


def judge_sections(sections: Sections, shape: tuple[int, ...] | None) -> str:
    """What there is to say of a file of models without mistakes.

    Raises:
        SpecError: as for :func:`describe_sections`.
    """
    sizes = {name: sum(each.parameters for each in layers) for name, _, layers in _layouts(sections, shape)}
    counts = ", ".join(f"{name} with {size:,} parameters" for name, size in sizes.items())
    return f"{_what(sections)}: no mistakes; {counts}"


def _what(sections: Sections) -> str:
    return f"{sections.path} holds models and is no study"


def _layouts(
    sections: Sections, shape: tuple[int, ...] | None
) -> Iterator[tuple[str, tuple[int, ...], list[Layer]]]:
    """Each section with the shape that it reads and its layers."""
    if found := [m for name, value in sections.values.items() for m in check_model(value, (name,))]:
        raise SpecError(found)
    before: tuple[int, ...] | None = None
    for number, (name, value) in enumerate(sections.values.items()):
        begin = (shape if number == 0 else None) or input_shape(value) or before
        if begin is None:
            raise SpecError(
                [Mistake((name,), "the shape of an event is not known; say it, as --shape 3,16,16")]
            )
        layers = layout(value, begin, (name,))
        before = layers[-1].shape if layers else begin
        yield name, begin, layers


def parse_shape(text: str | None) -> tuple[int, ...] | None:
    """The shape that the command line gives.

    >>> parse_shape("3,16,16")
    (3, 16, 16)
    """
    if text is None:
        return None
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and int(part) for part in parts):
        found = f"a shape is positive numbers with commas between them, such as 3,16,16; found '{text}'"
        raise SpecError([Mistake(("--shape",), found)])
    return tuple(map(int, parts))


def _table(name: str, shape: tuple[int, ...], layers: list[Layer]) -> Grid:
    grid = Grid("layer", "gives [E, ...]", title=f"{name}: reads {_spelled(shape)}")
    grid.add_column("parameters", justify="right")
    for layer in layers:
        grid.add_row(layer.key, _spelled(layer.shape), f"{layer.parameters:,}")
    grid.add_section()
    grid.add_row("all", "", f"{sum(layer.parameters for layer in layers):,}")
    return grid


def _spelled(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(['E', *map(str, shape)])}]"
