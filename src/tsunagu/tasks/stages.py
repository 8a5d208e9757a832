"""The training stages of a pipeline: each task alone on the truth, then all tasks together, or each after the others.

Pretraining needs no second mapping: a loss already says which column supervises an output, so a task that is trained
alone reads that column wherever it would read the output of an earlier task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from torch import Tensor

from tsunagu.losses import BatchLoss, ChangesWithTime, Loss, given, weighted_mean
from tsunagu.spec import Condition, LossTerm, Pipeline, Schedule, order, supervisors
from tsunagu.tasks.conditions import VALUES, Conditions, conditions_of, label_of
from tsunagu.tasks.settings import at_share, plain_loss, plain_weight

__all__ = ["Stage", "Term", "stages"]


@dataclass(frozen=True, kw_only=True)
class Term:
    """One loss of a stage: ``weight * weighted_mean(loss(prediction, target))``.

    Args:
        output: what is judged.
        target: the column that judges it.
        weight: in the sum; 1 where it is a condition.
        loss: with its settings; of those that are conditions the middle of their range.
        given: the settings that are conditions, each with its place among their numbers.
        factor: the place of the weight, where that is a condition.
        timed: the settings, ``weight`` among them, that change with time.
    """

    output: str
    target: str
    weight: float
    loss: Loss
    given: tuple[tuple[str, int], ...] = ()
    factor: int | None = None
    timed: tuple[tuple[str, Schedule], ...] = ()

    def per_event(
        self, prediction: Tensor, target: Tensor, values: Tensor | None = None, weight: Tensor | None = None
    ) -> Tensor:
        """The losses ``[E]``, but for the weight.

        Args:
            prediction: ``[E, ...]``.
            target: ``[E, ...]``.
            values: ``[E, L]`` of all conditions, where there are any.
            weight: ``[E]``, or ``[R, B]`` of R batches, the training weight, which a loss of a whole batch reads.
        """
        if isinstance(self.loss, BatchLoss) and weight is not None:
            loss = self.loss.shared(prediction, target, weight)
            return (
                loss
                if values is None or self.factor is None
                else values[:, self.factor].to(loss.dtype) * loss
            )
        if values is None or (not self.given and self.factor is None):
            return self.loss(prediction, target)
        own = {name: values[:, place] for name, place in self.given}
        loss = (given(self.loss, own) if own else self.loss)(prediction, target)
        return loss if self.factor is None else values[:, self.factor].to(loss.dtype) * loss


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One training: which tasks learn, what they read, and what they are asked to minimise.

    Args:
        name: as the history names it, such as ``pretrain calibrate`` or ``joint``.
        tasks: the tasks that run and learn, in order.
        substitutes: for upstream outputs, the column that is read instead.
        terms: the losses; the objective is their weighted sum.
        epochs: at most so many passes over the training events.
        patience: stop after so many epochs without a better validation loss; None for never.
        frozen: the tasks before them whose outputs are read, in order; they are as an earlier stage left them, and learn
            nothing.
    """

    name: str
    tasks: tuple[str, ...]
    substitutes: Mapping[str, str]
    terms: tuple[Term, ...]
    epochs: int
    patience: int | None
    frozen: tuple[str, ...] = ()

    def event_loss(
        self, predictions: Mapping[str, Tensor], batch: Mapping[str, Tensor], weight: Tensor | None = None
    ) -> Tensor:
        """The losses of each event, ``sum_t w_t l_te``, neither weighted nor reduced.

        Args:
            predictions: ``[E, ...]`` by output name.
            batch: ``[E, ...]`` by column name; the targets are read here.
            weight: ``[E]``, the training weight, for losses of a whole batch; 1 without.

        Returns:
            ``[E]``.
        """
        total: Tensor | None = None
        for term in self.terms:
            part = term.per_event(predictions[term.output], batch[term.target], batch.get(VALUES), weight)
            part = part if term.weight == 1.0 else term.weight * part
            total = part if total is None else total + part
        assert total is not None
        return total

    def loss(
        self,
        predictions: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],
        weight: Tensor,
        size: Tensor | None = None,
    ) -> Tensor:
        """The objective ``sum_t w_t * sum_e(w_e l_te) / sum_e |w_e|``, reduced in one place for all terms.

        Args:
            predictions: ``[E, ...]`` by output name.
            batch: ``[E, ...]`` by column name; the targets are read here.
            weight: ``[E]``, the training weight.
            size: ``sum_e |w_e|`` of a batch that these events are a part of; by default that of these.

        Returns:
            A scalar.
        """
        # All terms share the events' weights, so they are added event by event and reduced once.
        return weighted_mean(self.event_loss(predictions, batch, weight), weight, size)

    def at(self, epoch: int | None = None) -> Stage:
        """The stage with the losses of an epoch, from 0, or None for their final form; itself where none changes."""
        place = self.epochs if epoch is None else epoch
        if not any(isinstance(term.loss, ChangesWithTime) or term.timed for term in self.terms):
            return self
        return replace(self, terms=tuple(_at(term, place, self.epochs) for term in self.terms))

    @property
    def sees_batches(self) -> bool:
        """Whether a loss is one of whole batches."""
        return any(isinstance(term.loss, BatchLoss) for term in self.terms)

    @property
    def targets(self) -> tuple[str, ...]:
        """The columns that supervise this stage."""
        return tuple(dict.fromkeys(term.target for term in self.terms))


def stages(pipeline: Pipeline) -> tuple[Stage, ...]:
    """The stages of a pipeline in the order in which they are trained.

    >>> from tsunagu.spec import LossTerm, Pipeline, Task, node
    >>> first = Task(inputs=["jet"], output="tau", model=node("ReLU"), loss=LossTerm(key="mse", target="true_tau"))
    >>> second = Task(inputs=["tau"], output="score", model=node("ReLU"), loss=LossTerm(key="mse", target="is_higgs"))
    >>> for stage in stages(Pipeline(tasks={"calibrate": first, "classify": second}, metric="auc(score, is_higgs)")):
    ...     print(stage.name, stage.substitutes)
    pretrain calibrate {}
    pretrain classify {'tau': 'true_tau'}
    joint {}
    """
    names = order(pipeline)
    train = pipeline.train
    joint = Stage(
        name="joint" if train.intermediate else "end to end",
        tasks=tuple(names),
        substitutes={},
        terms=_joint_terms(pipeline, names),
        epochs=train.epochs,
        patience=train.patience,
    )
    # End to end, the truth of an intermediate output enters nowhere, so there is nothing to pretrain on.
    if not (train.pretrain and train.intermediate and len(names) > 1):
        return (joint,)
    pretrained = tuple(_pretrain(pipeline, name) for name in names)
    return (*pretrained, joint) if train.joint else (*pretrained, *_each_after(pipeline, names))


def _at(term: Term, epoch: int, epochs: int) -> Term:
    loss = term.loss.at(epoch, epochs) if isinstance(term.loss, ChangesWithTime) else term.loss
    now = {name: at_share(curve, epoch / max(1, epochs - 1)) for name, curve in term.timed}
    weight = now.pop("weight", term.weight)
    return replace(term, weight=weight, loss=replace(loss, **now) if now else loss)  # type: ignore[type-var]


def _pretrain(pipeline: Pipeline, name: str) -> Stage:
    task, train, truth = pipeline.tasks[name], pipeline.train, supervisors(pipeline)
    return Stage(
        name=f"pretrain {name}",
        tasks=(name,),
        substitutes={column: truth[column] for column in _columns(pipeline, name) if column in truth},
        terms=_terms(task.output, task.losses, conditions_of(pipeline), alone=True),
        epochs=train.epochs if train.pretrain_epochs is None else train.pretrain_epochs,
        patience=train.patience,
    )


def _each_after(pipeline: Pipeline, names: list[str]) -> Iterator[Stage]:
    """Each task that reads others, trained on the outputs of these, which stay as they are."""
    makers = {pipeline.tasks[name].output: name for name in names}
    before: dict[str, set[str]] = {}
    for name in names:
        task, train = pipeline.tasks[name], pipeline.train
        read = list(dict.fromkeys(makers[column] for column in _columns(pipeline, name) if column in makers))
        before[name] = {*read, *(earlier for other in read for earlier in before[other])}
        if read:
            yield Stage(
                name=f"{name} after {' and '.join(read)}",
                tasks=(name,),
                substitutes={},
                terms=_terms(task.output, task.losses, conditions_of(pipeline), alone=True),
                epochs=train.epochs,
                patience=train.patience,
                frozen=tuple(other for other in names if other in before[name]),
            )


def _joint_terms(pipeline: Pipeline, names: list[str]) -> tuple[Term, ...]:
    read = {column for name in names for column in _columns(pipeline, name)}
    conditions = conditions_of(pipeline)
    return tuple(
        term
        for name in names
        if pipeline.train.intermediate or pipeline.tasks[name].output not in read
        for term in _terms(pipeline.tasks[name].output, pipeline.tasks[name].losses, conditions, alone=False)
    )


def _columns(pipeline: Pipeline, name: str) -> list[str]:
    inputs = pipeline.tasks[name].inputs
    return list(inputs.values()) if isinstance(inputs, Mapping) else list(inputs)


def _terms(output: str, losses: list[LossTerm], conditions: Conditions, *, alone: bool) -> tuple[Term, ...]:
    # A task whose weight is 0 in the joint sum can still be pretrained: alone, its own losses are all there is.
    lifted = alone and not any(loss.weight for loss in losses)
    return tuple(
        _term(output, loss, conditions, 1.0 if lifted else loss.weight)
        for loss in losses
        if lifted or loss.weight
    )


def _term(output: str, loss: LossTerm, conditions: Conditions, weight: object) -> Term:
    place = conditions.labels.index
    settings = loss.args.items()
    timed = [*settings, ("weight", weight)]
    return Term(
        output=output,
        target=loss.target,
        weight=plain_weight(weight),
        loss=plain_loss(loss),
        given=tuple((name, place(label_of(v))) for name, v in settings if isinstance(v, Condition)),
        factor=place(label_of(weight)) if isinstance(weight, Condition) else None,
        timed=tuple((name, value) for name, value in timed if isinstance(value, Schedule)),
    )
