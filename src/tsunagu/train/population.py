"""Trainings in step with each other, their modules stacked; a single training is a population of one.

Members have their own weights, seeds, models, optimiser settings, loss weights and early stopping. Those that have finished
a stage wait for the others without taking part; those that fail leave. A stage that is the same training for several of them
is trained once: one leads, the others wait and take over what it came to.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, final

import torch
from torch import Tensor

from tsunagu.errors import ResumeError, TsunaguError
from tsunagu.losses import Moment
from tsunagu.random import derive_seed
from tsunagu.spec import Condition, Value, canonical, walk
from tsunagu.train.conditioning import Turn
from tsunagu.train.distributed import here
from tsunagu.train.frozen import freeze
from tsunagu.train.process import DRAWS_GLOBALLY, denormals_are_zero, generator_states
from tsunagu.train.sharing import Stages, shared
from tsunagu.train.state import copied
from tsunagu.train.stepper import Batch, Stepper, alike
from tsunagu.train.synchronised import check_kept, kept_numbers

if TYPE_CHECKING:
    from tsunagu.train.training import Training

__all__ = ["Population"]


@final
class Population:
    """Trainings on one table and split that differ in seed, models, loss weights and optimiser settings.

    Args:
        members: at one place of their trainings; their stages have the same tasks and losses.
        failures: by number of the member, why it has left before.

    Attributes:
        failures: by number of the member, why it left.

    Raises:
        ValueError: members that cannot go in step.
    """

    def __init__(
        self, members: Sequence[Training], failures: Mapping[int, TsunaguError] | None = None
    ) -> None:
        first = members[0]
        for member in members[1:]:
            if problem := _unlike(first, member):
                msg = f"these trainings cannot be a population: {problem}"
                raise ValueError(msg)
        self.members = list(members)
        self.failures = dict(failures or {})
        if len(_places(self._sound())) > 1:
            msg = "these trainings cannot be a population: they are at different places"
            raise ValueError(msg)
        self._world = here()

    def run(
        self,
        on_step: Callable[[], None] | None = None,
        on_epoch: Callable[[Training], None] | None = None,
        stages: Stages | None = None,
    ) -> None:
        """Train all members to the end.

        Args:
            on_step: called after every step of all members.
            on_epoch: called after every epoch of each member that trains; one that takes over a stage gets the lines of
                its history all at once when the stage ends, and nobody is called.
            stages: what has been trained elsewhere, and where to keep what is trained here.
        """
        with denormals_are_zero():
            while going := [member for member in self._sound() if not member.done]:
                self._share(going)
                self._earliest_stage(going, on_step, on_epoch, stages)
        self._share(())

    def _earliest_stage(
        self,
        going: Sequence[Training],
        on_step: Callable[[], None] | None,
        on_epoch: Callable[[Training], None] | None,
        stages: Stages | None,
    ) -> None:
        together = shared(_earliest(going))
        trained = [leader for leader in together if not _is_found(leader, together[leader], stages)]
        self._stage({leader: together[leader] for leader in trained}, on_step, on_epoch)
        ended = [leader for leader in trained if leader in self._sound()]
        if stages is not None:
            stages.keep([leader for leader in ended if leader.position.epoch])
        for leader in ended:
            for follower in together[leader]:
                follower.take_over(leader.finished())
            leader.end_stage()

    def _sound(self) -> list[Training]:
        return [member for number, member in enumerate(self.members) if number not in self.failures]

    def _share(self, active: Sequence[Training]) -> None:
        """What is done from now on is done for these."""
        for member in self.members:
            member.meter.bear(1 / len(active) if member in active else 0.0)

    def _stage(
        self,
        together: Mapping[Training, Sequence[Training]],
        on_step: Callable[[], None] | None,
        on_epoch: Callable[[Training], None] | None,
    ) -> None:
        active: list[Training] = []
        stepper: Stepper | None = None
        while now := [member for member in together if member in self._sound() and member.goes_on]:
            if stepper is None:
                freeze(now, now[0].position.stage, [now[0].split.train, now[0].split.validation])
            if stepper is None or now != active:
                self._share(now)
                active, stepper = now, _bind(now)
            self._epoch(active, stepper, on_step)
            for member in active:
                self._close_epoch(member, together[member])
                if on_epoch is not None and member in self._sound():
                    on_epoch(member)

    def _close_epoch(self, member: Training, followers: Sequence[Training]) -> None:
        try:
            member.close_epoch()
        except TsunaguError as error:
            if len(self.members) == 1:
                raise
            self.failures |= {self.members.index(each): error for each in (member, *followers)}

    def _epoch(
        self, active: Sequence[Training], stepper: Stepper, on_step: Callable[[], None] | None
    ) -> None:
        seeds = [derive_seed(member.seed, "stage", member.position.stage) for member in active]
        unique = list(dict.fromkeys(seeds))
        orders = tuple(unique.index(seed) for seed in seeds)
        first = active[0]
        place, size = first.position, first.pipeline.train.batch_size
        losses = torch.stack([member.begin_epoch() for member in active])
        for member, own in zip(active, losses, strict=True):
            member.gathers(own)
        stepper.begin_epoch(place.epoch)
        names = stepper.columns
        streams = [
            first.table.batches(
                first.sampling.epoch(seed, place.epoch),
                size,
                seed,
                place.epoch,
                start=place.step,
                names=names,
            )
            for seed in unique
        ]
        augmented = bool(first.pipeline.train.augment)
        drawn = [derive_seed(seed, "condition", place.epoch) for seed in unique]
        step = self._watched
        for parts in zip(*streams, strict=True):
            index = torch.stack(parts) if len(parts) > 1 else parts[0].unsqueeze(0)
            steps = (place.epoch, place.step)
            keys = [derive_seed(seed, "augment", *steps) for seed in unique] if augmented else []
            moments = _moments(active) if stepper.aggregates else ()
            turn = Turn(tuple(drawn), place.step)
            losses += step(active, stepper, Batch(index, orders, keys, turn, moments))
            step = self._step
            for member in active:
                member.position.step += 1
            if on_step is not None:
                on_step()

    def _step(self, active: Sequence[Training], stepper: Stepper, batch: Batch) -> Tensor:
        first = active[0]
        for member in active:
            if member.noisy:
                member.reseed_noise()
        if stepper.updates.scheduled:
            each, place = first.steps_per_epoch, first.position
            stepper.updates.set_rates(place.epoch * each + place.step, first.stage.epochs * each)
        try:
            if self._world.size > 1:
                return stepper.step_in(self._world, batch)
            return stepper.step(batch)
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            rest = (
                " (the rest at the end of an epoch)"
                if batch.index.shape[1] < first.pipeline.train.batch_size
                else ""
            )
            msg = f"a batch of {batch.index.shape[1]} events{rest} fails: {error}"
            raise TsunaguError(first.at(msg)) from error

    def _watched(self, active: Sequence[Training], stepper: Stepper, batch: Batch) -> Tensor:
        device = active[0].table.device
        before = generator_states(device)
        kept = [kept_numbers(member.graph) for member in active] if self._world.size > 1 else []
        losses = self._step(active, stepper, batch)
        for numbers, member in zip(kept, active, strict=False):
            check_kept(numbers, member.graph)
        if not all(map(torch.equal, before, generator_states(device))):
            raise TsunaguError(active[0].at(DRAWS_GLOBALLY))
        return losses


def _bind(active: Sequence[Training]) -> Stepper:
    # Copies, since the stepper that holds them makes room for this one.
    moments = [copied(member.moments()) for member in active]
    members, stages = [member.member for member in active], [member.stage for member in active]
    stepper = Stepper(members, stages, active[0].table)
    stepper.restore(moments)
    for number, member in enumerate(active):
        member.steps_with(stepper, number)
    return stepper


def _moments(active: Sequence[Training]) -> list[Moment]:
    place = active[0].position
    steps = (place.stage, place.epoch, place.step)
    return [Moment(derive_seed(member.seed, "aggregate", *steps), place.epoch) for member in active]


def _unlike(first: Training, other: Training) -> str:
    if first.table is not other.table or first.split is not other.split:
        return "they have different events"
    if first.pipeline.train.batch_size != other.pipeline.train.batch_size:
        return "they have different batch sizes"
    if canonical(_shown(first)) != canonical(_shown(other)):
        return "their training events are sampled or augmented otherwise"
    if canonical(first.pipeline.train.aggregate) != canonical(other.pipeline.train.aggregate):
        return "their losses are combined otherwise"
    if canonical(_drawn(first)) != canonical(_drawn(other)):
        return "their conditions are drawn otherwise"
    if len(first.stages) != len(other.stages) or not all(map(alike, first.stages, other.stages)):
        return "their stages have different tasks or losses"
    if any(a.epochs != b.epochs for a, b in zip(first.stages, other.stages, strict=True)):
        return "their stages have different numbers of epochs"
    return ""


def _shown(member: Training) -> list[Value]:
    return [member.pipeline.train.sampling, member.pipeline.train.augment]


def _drawn(member: Training) -> list[Value]:
    pipeline = member.pipeline
    found = walk([pipeline.tasks, pipeline.conditions])
    return [pipeline.train.scalarise, *(value for _, value in found if isinstance(value, Condition))]


def _earliest(members: Sequence[Training]) -> list[Training]:
    stage = min(member.position.stage for member in members)
    return [member for member in members if member.position.stage == stage]


def _is_found(leader: Training, followers: Sequence[Training], stages: Stages | None) -> bool:
    """Whether the stage has been trained elsewhere; it is ended then."""
    finished = stages.find(leader) if stages is not None and leader.is_fresh else None
    # Of several processes the first one looks.
    finished = here().first_says(finished)
    if finished is None:
        return False
    try:
        for member in (leader, *followers):
            member.take_over(finished)
    except ResumeError:  # of the leader, since they are alike
        return False
    return True


def _places(members: Sequence[Training]) -> set[tuple[int, int, int]]:
    """Where those stand that will make the next step; those that wait for them are in the same stage or at a later one."""
    going = [member for member in members if not member.done]
    first = _earliest(going) if going else []
    late = [member.position for member in going if member not in first]
    places = [member.position for member in shared(first) if member.goes_on]
    places += [place for place in late if place.epoch or place.step]
    return {(place.stage, place.epoch, place.step) for place in places}
