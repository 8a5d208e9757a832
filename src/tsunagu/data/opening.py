"""From files to a table, or to one error that names everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from tsunagu.data.cache import Cache, cache_folder
from tsunagu.data.converting import convert, total_bytes
from tsunagu.data.events import check_events, events_of, table_of
from tsunagu.data.files import FileLike
from tsunagu.data.folds import FoldChoice
from tsunagu.data.jagged import Objects
from tsunagu.data.loading import Loaded, Wanted, load
from tsunagu.data.processes import LABEL, SCALE, Opening, open_files, scaled
from tsunagu.data.recipes import Declared, Plan, check_names, plan_columns
from tsunagu.data.selecting import kept_notes, selected
from tsunagu.data.source import Source
from tsunagu.data.table import Table
from tsunagu.data.thinning import Fractions, thin
from tsunagu.data.treating import Codes, Units
from tsunagu.data.weights import Policy
from tsunagu.errors import DataError
from tsunagu.spec.data import NegativeWeights, Process

__all__ = ["open_table"]


def open_table(
    files: FileLike | Sequence[FileLike] | None = None,
    *,
    processes: Mapping[str, Process] | None = None,
    tree: str | None = None,
    luminosity: str | None = None,
    n_objects: Objects | None = None,
    units: Units | None = None,
    missing_codes: Codes | None = None,
    select: str | None = None,
    columns: Declared | None = None,
    missing: Mapping[str, float] | None = None,
    weight: str | None = None,
    train_weight: str | None = None,
    negative_weights: NegativeWeights | None = None,
    classes: str | None = None,
    event_number: str = "event_number",
    folds: FoldChoice,
    keep: Fractions | None = None,
    keep_in: str = "all",
    needed: Sequence[str] | None = None,
    memory: int | None = None,
    cache: str | Path | None = None,
    change: Callable[[Source], Source] | None = None,
) -> Table:
    """Read events, check all that can be checked before a training, and keep them in memory or in mapped files.

    Args:
        files: paths, globs, or :class:`~tsunagu.data.Source` objects; several are put one after the other.
        processes: in place of files, the physics processes by name, each with its files, see
            :class:`~tsunagu.spec.Process`; with the columns ``process_number`` and, where they have labels, ``label``.
        tree: of ROOT files, or group of HDF5 files; None for the only one. A name behind the file, as in
            ``mc/*.root:Events``, goes before it.
        luminosity: of all processes, with its unit, such as ``140 /fb``.
        n_objects: for a kind of object whose number differs between events, how many are kept, such as ``{"Jet": 4}``
            for all columns ``Jet_...``. They are in the order of the file and padded with 0; ``Jet_mask`` ``[E, 4]``
            and ``Jet_count`` ``[E]`` tell which are there.
        units: for a column of the files, or a pattern such as ``*_pt``, the unit it has there, such as ``MeV``; it is
            converted to GeV, radians or millimetres.
        missing_codes: for a column of the files, or a pattern, the values that mean that there is none; they read as
            NaN, so ``missing`` has to say what stands in their place.
        select: which events are read, such as ``jet_pt > 20 and abs(jet_eta) < 2.5``; in place of a missing value
            stands that of ``missing``.
        columns: derived columns: a rename (``{"image": "jet_image"}``), a formula
            (``{"ht": "jet_pt + met"}``, see :func:`~tsunagu.data.formulas.evaluate`), or a stack on a new last axis
            (``{"jet_p4": ["jet_pt", "jet_eta"]}``). May replace a column of the file, and be made of derived
            ones.
        missing: for a column of the files, what stands in it in place of NaN; only for padding, because a
            network cannot tell it from a measured value. NaN in other columns, and infinities, are problems.
        weight: column or formula of the physical event weight, with its sign; None for 1.
        train_weight: column of the weight for training losses; None for the size of ``weight``. A training on
            signed weights can run away to minus infinity, and dropping events with negative weights
            unannounced biases the sample. Either is scaled so that its mean size over all events is 1: else
            the unit of the weight would scale the learning rate.
        negative_weights: what becomes of negative training weights, see :func:`~tsunagu.data.weights.policy`; None for
            ``keep`` with a ``train_weight`` and ``absolute`` without.
        classes: the column of classes that ``absolute_preserving`` needs; ``label`` by default.
        event_number: column of unique whole numbers; with it the fold, see :func:`~tsunagu.data.fold_of`.
        folds: number of folds, and which are for test and validation.
        keep: for a column of classes, the fraction of each class that is kept, as ``{"is_tau": {"1": 0.1}}``; by a
            hash of the event number, see :func:`~tsunagu.data.thinning.thin`. A class that is not named is kept whole.
        keep_in: ``all`` drops events everywhere, ``train`` from the training events alone.
        needed: the columns to read; None for all. All of them must be finite.
        memory: bytes that the events may take; None for as many as they need. Columns larger than half of it
            (reading takes the other half) are written as ``.npy`` files once and mapped: the system keeps in
            memory what fits, and takes it back when it is needed elsewhere.
        cache: folder for these files; None for ``<first file>.columns`` beside the first file.
        change: makes of each file one whose columns are shifted, see :class:`~tsunagu.data.ShiftedSource`: after units and
            missing values, before the selection and all that is made of columns.

    Returns:
        The table; floats are float32, whole numbers int64. Its fingerprint does not depend on ``memory``.

    Raises:
        DataError: everything that is wrong, one line for each file and column: missing or unreadable files
            and columns, unlike shapes, unequal lengths, NaN and infinities, event numbers that are not
            unique, sums of weights that are not positive, splits without events; a ``memory`` that is not
            even enough for the numbers of the rows, a ``cache`` that cannot be written.

    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from tsunagu.data import ArraySource
    >>> events = {"event_number": np.arange(50), "w": np.full(50, 0.5), "pt": np.ones(50), "eta": np.ones(50)}
    >>> folds = SimpleNamespace(k=3, test=0, validation=1)
    >>> source, p4 = ArraySource(events), {"p4": ["pt", "eta"]}
    >>> table = open_table(source, columns=p4, weight="w", folds=folds, needed=["p4"])
    >>> table.columns["p4"].shape, table.weight.sum().item(), table.train_weight.mean().item()
    (torch.Size([50, 2]), 25.0, 1.0)
    """
    how = Opening(
        tree=tree,
        n_objects=n_objects or {},
        units=units or {},
        missing_codes=missing_codes or {},
        luminosity=luminosity,
    )
    opened = scaled(open_files(files, processes or {}, how), processes or {}, luminosity)
    if change is not None:
        opened = replace(opened, sources=tuple(map(change, opened.sources)))
    columns, missing = {**(columns or {})}, missing or {}
    if select is not None:
        opened = selected(opened, select, columns, missing)
    sources = opened.sources
    if SCALE in sources[0].names():
        weight = _scaled_weight(weight, columns)
    policy = Policy(
        kind=negative_weights or ("keep" if train_weight else "absolute"), classes=classes or LABEL
    )
    roles = {"weight": weight, "training weight": train_weight, "event number": event_number}
    if policy.needs_classes:
        roles["class"] = policy.classes
    keep = keep or {}
    named = [*(name for name in roles.values() if name is not None), *keep]
    plan = plan_columns(sources, columns, needed, named)
    made: dict[str, Wanted] = {
        n: (plan.recipes[n], False)
        for n in plan.recipes
        if (needed is None and n not in (SCALED, UNSCALED)) or n in (needed or ())
    }
    wanted = [*made.values(), *((plan.recipes[n], True) for n in named if n in plan.recipes)]
    loaded = _load(sources, plan, wanted, missing, memory, None if cache is None else Path(cache))
    loaded = replace(loaded, notes=(*loaded.notes, *kept_notes(sources, loaded.rows)))
    if keep:
        loaded = thin(loaded, plan, keep, event_number, folds if keep_in == "train" else None)
    events, problems = events_of(loaded, plan, roles, policy)
    problems = [*plan.problems, *check_names(sources, missing), *loaded.problems, *problems]
    if events is not None:
        problems += check_events(events, folds, len(processes or {}))
    if problems or events is None:
        raise DataError("\n".join(dict.fromkeys(problems)))
    return table_of(made, events, folds, processes=opened.processes if processes else ())


UNSCALED, SCALED = "weight in the file", "scaled weight"
"""The physics weights of processes with a cross-section, for messages."""


def _scaled_weight(weight: str | None, columns: dict[str, str | list[str]]) -> str:
    """The name of the weight that is scaled to the luminosity; it joins the columns."""
    if weight is None:
        columns[SCALED] = SCALE
    else:
        columns |= {UNSCALED: weight, SCALED: f"`{UNSCALED}` * {SCALE}"}
    return SCALED


def _load(
    sources: Sequence[Source],
    plan: Plan,
    wanted: Sequence[Wanted],
    missing: Mapping[str, float],
    memory: int | None,
    cache: Path | None,
) -> Loaded:
    folder = None if memory is None else cache_folder(sources, cache)
    if memory is None or folder is None or 2 * total_bytes(sources, wanted) <= memory:
        return load(sources, plan, wanted, missing)
    return convert(sources, plan, wanted, missing, Cache(folder), memory)
