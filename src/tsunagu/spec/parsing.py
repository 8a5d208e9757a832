"""What a mapping ``{condition: ...}`` or ``{schedule: ...}`` says, before its arguments are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, final

from tsunagu.errors import Mistake, Path, did_you_mean
from tsunagu.spec.parameters import Condition, Schedule

__all__ = ["Reading", "read_condition", "read_schedule"]

PLACES = ("part", "column", "where")
DRAWN = (
    "a condition has a name and one distribution, as {condition: one_minus_beta, log_uniform: [1.0e-6, 1.0]}",
)


@final
@dataclass(frozen=True, kw_only=True)
class Reading:
    """A condition or schedule but for its arguments.

    Args:
        make: it, given the arguments.
        args: as they are written.
        step: under which these stand.
        mistakes: paths are relative.
    """

    make: Callable[[Any], Condition | Schedule]
    args: Any
    step: Path
    mistakes: list[Mistake] = field(default_factory=list)


def read_condition(data: Mapping[str, Any]) -> Reading:
    """What ``{condition: name, log_uniform: [low, high]}`` says, or the same with ``key`` and ``args``.

    >>> read_condition({"condition": "beta", "log_uniform": [1e-6, 1.0]}).args
    [1e-06, 1.0]
    >>> print(*read_condition({"condition": "beta"}).mistakes)
    a condition has a name and one distribution, as {condition: one_minus_beta, log_uniform: [1.0e-6, 1.0]}; found no distribution
    """
    rest = {str(name): part for name, part in data.items() if name not in ("condition", *PLACES)}
    if "key" in rest:
        key, args, step = rest.pop("key"), rest.pop("args", None), ("args",)
    else:
        key = next(iter(rest), "")
        args, step = rest.pop(key, None), (key,)
    named = {name: data.get(name) for name in PLACES}
    mistakes = _check_names(
        {"condition": data["condition"]} | {n: p for n, p in named.items() if p is not None}
    )
    if not isinstance(key, str) or not key:
        mistakes.append(Mistake((), f"{DRAWN[0]}; found no distribution"))
    mistakes += [
        Mistake(
            (name,),
            f"{DRAWN[0]}, and may have {', '.join(PLACES)}; found '{name}' beside '{key}'{did_you_mean(name, PLACES, 0)}",
        )
        for name in rest
    ]
    return Reading(
        make=lambda found: Condition(str(data["condition"]), str(key), found, **named),
        args=args,
        step=step,
        mistakes=mistakes + _check_args(args, step),
    )


def read_schedule(data: Mapping[str, Any]) -> Reading:
    """What ``{schedule: linear, args: [start, end]}`` says.

    >>> read_schedule({"schedule": "linear", "args": [0.0, 1.0]}).make([0.0, 1.0])
    Schedule(key='linear', args=[0.0, 1.0])
    """
    args = data.get("args")
    rule = "a schedule has schedule and args, as {schedule: linear, args: [0.0, 1.0]}"
    mistakes = _check_names({"schedule": data["schedule"]})
    mistakes += [Mistake((str(n),), f"{rule}; found '{n}'") for n in data if n not in ("schedule", "args")]
    return Reading(
        make=lambda found: Schedule(str(data["schedule"]), found),
        args=args,
        step=("args",),
        mistakes=mistakes + _check_args(args, ("args",)),
    )


def _check_names(named: Mapping[str, Any]) -> list[Mistake]:
    return [
        Mistake((name,), f"expected a name, found {part!r}")
        for name, part in named.items()
        if not isinstance(part, str) or not part
    ]


def _check_args(args: Any, step: Path) -> list[Mistake]:
    if isinstance(args, None | Mapping | list | tuple):
        return []
    return [Mistake(step, f"expected a list or a mapping of arguments, found {args!r}")]
