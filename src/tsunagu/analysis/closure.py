"""Simulation against data before and after a reweighting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

from tsunagu.analysis.comparison import Reweighting, TwoSample, compare_variables, two_sample_test
from tsunagu.analysis.distances import ChiSquare
from tsunagu.analysis.sample import Sample
from tsunagu.metrics import KsTest
from tsunagu.random import derive_seed

__all__ = ["Closure", "closure"]


@final
@dataclass(frozen=True, kw_only=True)
class Closure:
    """The comparison before and after a reweighting.

    Args:
        before: of the samples as they are.
        after: with the factors.
        variables_before: by name.
        variables_after: by name.
    """

    before: TwoSample
    after: TwoSample
    variables_before: Mapping[str, tuple[ChiSquare, KsTest]]
    variables_after: Mapping[str, tuple[ChiSquare, KsTest]]


def closure(
    simulation: Sample,
    data: Sample,
    found: Reweighting,
    *,
    folds: int = 3,
    seed: int = 1,
    permutations: int = 200,
) -> Closure:
    """The comparison before and after a reweighting; the classifier that judges it is trained anew.

    Args:
        simulation: as it was.
        data: the same.
        found: the factors.
        folds: by event number; another number than that of the reweighting. With the same one, the factors of a fold have seen
            just the data that its classifier is judged on, and a perfect reweighting gives an AUC below 0.5.
        seed: differs from that of the reweighting inside.
        permutations: of each test.
    """
    mended = Sample(
        variables=simulation.variables,
        weight=simulation.weight * found.factor,
        event_number=simulation.event_number,
    )
    other = derive_seed(seed, "closure")
    tests = [
        two_sample_test(each, data, folds=folds, seed=other, permutations=permutations)
        for each in (simulation, mended)
    ]
    return Closure(
        before=tests[0],
        after=tests[1],
        variables_before=compare_variables(simulation, data),
        variables_after=compare_variables(mended, data),
    )
