"""How training events are shown, as a pipeline declares it: which ones in an epoch, and changed in which way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tsunagu.data import SAMPLERS, Sampling, Table, sampling
from tsunagu.data.augment import Augmentation, Mixup, Systematic, find_augmentation
from tsunagu.data.listing import listed
from tsunagu.errors import DataError, Mistake, Path, SpecError, did_you_mean
from tsunagu.losses import find_loss
from tsunagu.spec import LossTerm, Pipeline, architectures, options, resolve
from tsunagu.tasks.build import check_arguments
from tsunagu.tasks.conditions import middle

__all__ = ["augmentations_of", "check_showing", "check_shown", "sampling_of"]

SAMPLING: Path = ("train", "sampling")
AUGMENT: Path = ("train", "augment")


def check_showing(pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    """The mistakes in ``train.sampling`` and ``train.augment`` that can be seen without an event.

    Args:
        pipeline: choices are allowed; all their options are checked.
        columns: the names that the table offers; None leaves unknown ones unreported.
    """
    mistakes: list[Mistake] = []
    for path, node in options(pipeline.train.sampling, SAMPLING):
        mistakes += _check_sampling(node, path, pipeline, columns)
    for i, value in enumerate(pipeline.train.augment):
        for path, node in options(value, (*AUGMENT, i)):
            mistakes += _check_augmentation(node, path, columns)
    if mistakes or not pipeline.train.augment:
        return mistakes
    found = (resolve(pipeline, architecture) for architecture in architectures(pipeline))
    return list(dict.fromkeys(m for plain in found for m in _check_together(plain)))


def check_shown(pipeline: Pipeline, table: Table) -> list[Mistake]:
    """The same of a pipeline without choices, with its events: are they classes, images, momenta?"""
    mistakes: list[Mistake] = []
    try:
        sampling_of(pipeline, table, torch.arange(len(table)))
    except SpecError as error:
        mistakes += error.mistakes
    except DataError as error:
        mistakes.append(Mistake(SAMPLING, str(error)))
    for i, each in enumerate(augmentations_of(pipeline)):
        unread = [name for name in _columns(each) if name not in table.columns]
        if unread:
            found = (
                f"no task reads or is supervised by '{unread[0]}'; leave it out (for an image: image: null)"
            )
            mistakes.append(Mistake((*AUGMENT, i), found))
        elif problem := each.check(table.columns):
            mistakes.append(Mistake((*AUGMENT, i), f"{listed(table.files)}: {problem}"))
    return mistakes


def sampling_of(pipeline: Pipeline, table: Table, rows: Tensor) -> Sampling:
    """How the epochs of a pipeline without choices are made up of the training rows ``[N]``.

    Raises:
        SpecError: it is not said which column holds the classes, and there is not one alone.
        DataError: the column is no class.
    """
    node = pipeline.train.sampling
    if node.key == "natural":
        return sampling(node.key, rows, None)
    name = _class_column(pipeline, table.columns)
    return sampling(node.key, rows, table.columns[name].cpu()[rows], name, table.files)


def augmentations_of(pipeline: Pipeline) -> list[Augmentation | Mixup | Systematic]:
    """What changes the events of a pipeline without choices, in order."""
    return [find_augmentation(node.key)(**node.args) for node in pipeline.train.augment]


def _class_column(pipeline: Pipeline, columns: Mapping[str, Tensor]) -> str:
    terms = [loss for task in pipeline.tasks.values() for loss in task.losses]
    by = pipeline.train.sampling.args.get("by")
    if by is not None:
        # The target of a loss that is named, or a column.
        found = [term.target for term in terms if term.key == by and by not in columns]
    else:
        found = [term.target for term in terms if _is_class(columns[term.target])]
    found = list(dict.fromkeys(found or ([by] if by is not None else [])))
    if len(found) != 1:
        several = f"{' and '.join(found)} could be" if found else "no target of a loss is"
        remedy = "say it, as {key: " + pipeline.train.sampling.key + ", args: {by: label}}"
        raise SpecError([Mistake(SAMPLING, f"{several} the column of classes; {remedy}")])
    return str(found[0])


def _is_class(column: Tensor) -> bool:
    return column.ndim == 1 and bool((column == column.long()).all())


def _check_sampling(node: Any, path: Path, pipeline: Pipeline, columns: set[str] | None) -> list[Mistake]:
    if node.key not in SAMPLERS:
        return [Mistake((*path, "key"), f"unknown sampling '{node.key}'{did_you_mean(node.key, SAMPLERS)}")]
    mistakes = [
        Mistake((*path, "args", name), f"unknown argument '{name}'{did_you_mean(name, ['by'])}")
        for name in node.args
        if name != "by"
    ]
    by, losses = node.args.get("by"), _loss_keys(pipeline)
    if columns is not None and by is not None and by not in columns | losses:
        near = did_you_mean(str(by), columns | losses)
        mistakes.append(Mistake((*path, "args", "by"), f"'{by}' is no column and no loss{near}"))
    return mistakes


def _check_augmentation(node: Any, path: Path, columns: set[str] | None) -> list[Mistake]:
    try:
        cls = find_augmentation(node.key)
    except LookupError as error:
        return [Mistake((*path, "key"), str(error))]
    if mistakes := check_arguments(cls, node.args, path):
        return mistakes
    try:
        made = cls(**node.args)
        names = _columns(made)
    except (ValueError, TypeError) as error:
        return [Mistake((*path, "args"), str(error))]
    if isinstance(made, Systematic) and made.size is not None and (half := middle(made.size)) != 0.0:
        found = f"the middle of its range is {half:g}, but 0 is no shift, as events are without one; let it reach as far to both sides"
        return [Mistake((*path, "args", "size"), found)]
    unknown = [name for name in names if columns is not None and name not in columns]
    return [Mistake(path, f"unknown column '{name}'{did_you_mean(name, columns or ())}") for name in unknown]


def _check_together(pipeline: Pipeline) -> list[Mistake]:
    """What keeps augmentations from going together with each other, and with the stages and losses of a pipeline."""
    made = augmentations_of(pipeline)
    mixing = [i for i, each in enumerate(made) if isinstance(each, Mixup)]
    shifting = [i for i, each in enumerate(made) if isinstance(each, Systematic)]
    found = []
    if not pipeline.train.joint:
        reason = "the outputs of frozen tasks are made once, of the events as they are"
        found.append(Mistake(AUGMENT, f"needs train.joint: {reason}; set train.joint to true"))
    if mixing and mixing != [len(made) - 1]:
        found.append(Mistake((*AUGMENT, mixing[0]), "mixup stands once, and last"))
    if shifting != list(range(len(shifting))):
        found.append(
            Mistake((*AUGMENT, shifting[-1]), "a systematic shift stands before all other augmentations")
        )
    for i in mixing[:1]:
        found += _check_mixup(made[i], (*AUGMENT, i), pipeline)
    return found


def _check_mixup(mixup: Any, path: Path, pipeline: Pipeline) -> list[Mistake]:
    terms = [loss for task in pipeline.tasks.values() for loss in task.losses]
    wrong = [term for term in terms if not _takes(term, mixup)]
    return [
        Mistake(
            path,
            f"{term.key}({term.target}) takes no mixed '{mixup.target}': only binary, and cross_entropy with mixup's classes, take "
            "probabilities, and all losses must be of this target",
        )
        for term in wrong
    ]


def _takes(term: LossTerm, mixup: Mixup) -> bool:
    kind = find_loss(term.key).probabilities
    return term.target == mixup.target and kind == ("event" if mixup.classes is None else "class")


def _columns(made: Augmentation | Mixup | Systematic) -> Sequence[str]:
    if isinstance(made, Systematic):
        return () if made.where is None else (made.where,)
    return (made.target, *made.columns) if isinstance(made, Mixup) else made.columns


def _loss_keys(pipeline: Pipeline) -> set[str]:
    terms = [loss for task in pipeline.tasks.values() for loss in task.losses]
    return {str(key) for term in terms for _, key in options(term.key)}
