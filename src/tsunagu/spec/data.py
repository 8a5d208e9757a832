"""What a study file says about events: where they are, what they weigh, and how they are split."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ByteSize,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    ValidationInfo,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from tsunagu.errors import DataError, Mistake, Path
from tsunagu.spec.fields import Keep, KeepIn, Name, Number, PositiveFloat, PositiveInt, Texts
from tsunagu.spec.messages import MISSING
from tsunagu.spec.model import Model
from tsunagu.spec.quantities import parse_cross_section, parse_luminosity, parse_unit

__all__ = ["Data", "Folds", "NegativeWeights", "Process", "parse_generated"]

_SUM = re.compile(r"sum\(\s*(?:(?P<tree>[^():]+):)?(?P<column>[^():]+?)\s*\)")


def parse_generated(text: str) -> tuple[str | None, str] | None:
    """The tree, where it is another one, and the column of ``sum(...)``; None for ``entries``.

    Raises:
        DataError: neither.

    >>> parse_generated("sum(genWeight)"), parse_generated("sum(Runs:genEventSumw)"), parse_generated("entries")
    ((None, 'genWeight'), ('Runs', 'genEventSumw'), None)
    """
    if text == "entries":
        return None
    if (found := _SUM.fullmatch(text.strip())) is None:
        message = (
            f"expected a positive number, 'entries', 'sum(column)' or 'sum(Tree:column)', found '{text}'"
        )
        raise DataError(message)
    return found["tree"], found["column"]


def _valid(parse: Callable[[str], Any]) -> AfterValidator:
    return AfterValidator(partial(_checked, parse))


def _checked(parse: Callable[[str], Any], text: str) -> str:
    try:
        parse(text)
    except DataError as error:
        raise PydanticCustomError("value", "{found}", {"found": str(error)}) from error
    return text


def _generated(value: Any) -> Any:
    if value is None:
        return None
    if isinstance(value, str):
        return _checked(parse_generated, value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
        found = "expected a positive number, 'entries', 'sum(column)' or 'sum(Tree:column)', found {found}"
        raise PydanticCustomError("value", found, {"found": repr(value)})
    return float(value)


def _one_or_more(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else [value]


def _needed(files: Any, info: ValidationInfo) -> Any:
    # A process that is wrong is not in here, and says so itself.
    if files is None and info.data.get("processes") == {}:
        raise PydanticCustomError("value", MISSING)
    return files


CrossSection = Annotated[StrictStr, _valid(parse_cross_section)]
Luminosity = Annotated[StrictStr, _valid(parse_luminosity)]
Unit = Annotated[StrictStr, _valid(parse_unit)]
Generated = Annotated[
    Any,
    BeforeValidator(_generated),
    WithJsonSchema(
        {"anyOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "string"}, {"type": "null"}]}
    ),
]
CodeValues = Annotated[list[Number], Field(min_length=1), BeforeValidator(_one_or_more)]
NegativeWeights = Literal["keep", "absolute", "drop", "absolute_preserving"]
"""What a training does with negative weights."""


class Folds(Model):
    """Folds by a hash of the event number: one for the test, one for validation, the rest for training.

    Args:
        k: how many there are; 3 or more.
        test: the fold that is read once, at the end of a trial.
        validation: the fold that early stopping and every choice look at.

    >>> Folds(k=10).validation
    1
    """

    k: Annotated[StrictInt, Field(ge=3)] = 5
    test: Annotated[StrictInt, Field(ge=0)] = 0
    validation: Annotated[StrictInt, Field(ge=0)] = 1

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if max(self.test, self.validation) >= self.k:
            found = {"found": f"test {self.test} and validation {self.validation}", "k": self.k}
            raise PydanticCustomError(
                "value", "folds are numbered 0 to k - 1 with k = {k}, found {found}", found
            )
        if self.test == self.validation:
            found = {"found": self.test}
            raise PydanticCustomError(
                "value", "test and validation must be different folds, found {found} twice", found
            )
        return self


class Process(Model):
    """The files of one physics process, and how many of its events are expected.

    The physics weight of an event is its weight in the file, times ``cross_section * luminosity / generated``.

    Args:
        files: one name, a glob, or a list, as of :class:`Data`.
        label: the class of all its events: the column ``label``.
        tree: the tree of ROOT files or the group of HDF5 files; that of :class:`Data` without.
        cross_section: with its unit, such as ``0.1 pb``; efficiencies of filters and branching fractions are in it.
        luminosity: with its unit, such as ``140 /fb``; that of :class:`Data` without.
        norm: how many events are expected of all that were generated, in place of a cross-section and a luminosity.
        generated: what the weights of all generated events sum to, also of those that no file has any more: a number;
            ``sum(genWeight)``, over all events of the files before any selection; ``sum(Runs:genEventSumw)``, of another
            tree; or ``entries``, the number of events in the files.
        observed: whether these are data: no network is trained on them and no template is made of them; simulation is compared
            with them.

    >>> Process(files="higgs/*.root", label=1, cross_section="0.1 pb", generated="sum(genWeight)").label
    1
    """

    UNSAID: ClassVar[tuple[str, ...]] = ("observed",)

    files: Texts
    label: StrictInt | None = None
    tree: Name | None = None
    cross_section: CrossSection | None = None
    luminosity: Luminosity | None = None
    norm: PositiveFloat | None = None
    generated: Generated = None
    observed: StrictBool = False

    @property
    def is_scaled(self) -> bool:
        """Whether the weights of its events are scaled."""
        return self.cross_section is not None or self.norm is not None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        mistakes: list[Mistake] = []
        if self.cross_section is not None and self.norm is not None:
            mistakes.append(Mistake(("norm",), "stands in place of a cross_section; found both"))
        if self.is_scaled and self.generated is None:
            found = "is missing: what the weights of all generated events sum to, such as sum(genWeight)"
            mistakes.append(Mistake(("generated",), found))
        mistakes += [
            Mistake((name,), "data have none; leave it out, or `observed: true`")
            for name in ("label", "cross_section", "norm")
            if self.observed and getattr(self, name) is not None
        ]
        if self.generated is not None and not self.is_scaled:
            mistakes.append(Mistake(("generated",), "is of no use without a cross_section or a norm"))
        if mistakes:
            raise PydanticCustomError("value", "a process", {"mistakes": mistakes})
        return self


class Data(Model):
    """Where the events are and what their columns are called.

    Args:
        processes: the physics processes by name, each with its files, see :class:`Process`; the column
            ``process_number`` counts them from 0.
        files: in place of processes: one name, a glob, or a list; relative to the study file; ``ready:htautau`` is the
            shipped sample, and ``mc/*.root:Events`` names a tree.
        tree: the tree of ROOT files or the group of HDF5 files, where there are several.
        luminosity: of all processes, with its unit, such as ``140 /fb``.
        n_objects: for a kind of object whose number differs between events, how many are kept, such as ``{Jet: 4}`` for all
            columns ``Jet_...``; ``Jet_mask`` and ``Jet_count`` tell which are there, the rest is 0.
        units: for a column of the files, or a pattern, the unit it has there, such as ``{"*_pt": MeV}``; it is
            converted to GeV, radians or millimetres.
        missing_codes: for a column of the files, or a pattern, the values that mean that there is none, such as
            ``{tau_score: -999}``; they read as NaN.
        select: which events are read, such as ``jet_pt > 20 and abs(jet_eta) < 2.5``.
        columns: new columns: another name for one, a formula such as ``jet_pt + met``, or several stacked on the last axis.
        weight: the column or formula of the physics weight, for metrics and plots; 1 without.
        train_weight: the column of the training weight, for losses; the absolute physics weight without.
        negative_weights: what the training does with negative training weights: ``keep`` (as they are, the default of a
            ``train_weight``), ``absolute`` (their size, the default without), ``drop`` (0), or ``absolute_preserving`` (their
            size, and the sum of each class as with the signs). Metrics and plots always use the physics weight with its sign.
        classes: the column of classes for ``absolute_preserving``; ``label`` with processes.
        event_number: the column that decides the fold.
        missing: for a column of the files, what stands in it in place of NaN, such as ``{jet2_pt: 0.0}`` for the
            padding of a jet that an event does not have; NaN in any other column is an error.
        folds: how events are split.
        keep: for a column of classes, which fraction of each class is kept, such as ``{jet_is_tau: {1: 0.1}}``; by a hash of the
            event number. Classes that are not named are kept whole.
        keep_in: where events are dropped by ``keep``: ``all``, or ``train``, which leaves validation and test whole.
        memory: how much memory the events may take, such as ``2GB``; larger tables are written as mapped files, once.
            All of it without.
        cache: the folder for these files, relative to the study file; beside the first file without.
    """

    processes: dict[Name, Process] = {}
    files: Annotated[Texts | None, BeforeValidator(_needed), Field(validate_default=True)] = None
    tree: Name | None = None
    luminosity: Luminosity | None = None
    n_objects: dict[Name, PositiveInt] = {}
    units: dict[Name, Unit] = {}
    missing_codes: dict[Name, CodeValues] = {}
    select: Name | None = None
    columns: dict[str, Texts] = {}
    missing: dict[str, Number] = {}
    weight: Name | None = None
    train_weight: Name | None = None
    negative_weights: NegativeWeights | None = None
    classes: Name | None = None
    event_number: Name = "event_number"
    folds: Folds = Folds()
    keep: Keep = {}
    keep_in: KeepIn = "all"
    memory: ByteSize | None = None
    cache: Name | None = None

    @property
    def simulated(self) -> dict[str, Process]:
        """The processes that are trained on and expected: all but data."""
        return {name: process for name, process in self.processes.items() if not process.observed}

    @property
    def observed(self) -> dict[str, Process]:
        """The processes that are data."""
        return {name: process for name, process in self.processes.items() if process.observed}

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if mistakes := [Mistake(path, found) for path, found in _unfit(self)]:
            raise PydanticCustomError("value", "events", {"mistakes": mistakes})
        return self


def _unfit(data: Data) -> list[tuple[Path, str]]:
    found: list[tuple[Path, str]] = []
    if data.files is not None and data.processes:
        found.append((("files",), "stands in place of processes; found both"))
    if data.processes and not data.simulated:
        found.append((("processes",), "all of them are observed; there is nothing to train on"))
    labelled = [name for name, process in data.processes.items() if process.label is not None]
    for name, process in data.simulated.items():
        if labelled and process.label is None:
            found.append((("processes", name, "label"), f"is missing; process '{labelled[0]}' has one"))
        if process.cross_section is not None and (process.luminosity or data.luminosity) is None:
            found.append((("processes", name, "cross_section"), "needs a luminosity, here or in data"))
    if data.negative_weights == "absolute_preserving" and data.classes is None and not labelled:
        found.append(
            (("classes",), "is missing: absolute_preserving keeps the sum of each class of this column")
        )
    return found
