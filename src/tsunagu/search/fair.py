"""Strict fairness: paths that train every option of a choice equally often."""

from __future__ import annotations

import numpy as np

from tsunagu.random import derive_seed
from tsunagu.search.space import Space
from tsunagu.spec import Architecture, Branches

__all__ = ["fair_paths"]


def fair_paths(space: Space, seed: int, step: int) -> list[Architecture]:
    """The paths of one step of FairNAS (arXiv:1907.01845), whose gradients are added up for one update.

    The n-th use of a choice takes the option at place ``n mod K`` of a random permutation of its K options that is
    renewed every K uses. So after any number of paths no option of a choice is ahead of another by more than one. A
    step has as many paths as the widest choice has options; where all choices have as many, counts are equal after
    every step. A choice inside an option is used once for every permutation of the outer one, and so is fair too; one
    name in several options is fair only in the mean.

    Args:
        space: what is trained.
        seed: of the permutations.
        step: the training step, from 0.

    >>> from tsunagu.spec import choice
    >>> space = Space({"a": choice(1, 2), "b": choice(1, 2, 3)})
    >>> paths = [path for step in range(2) for path in fair_paths(space, 1, step)]
    >>> sorted(path["a"] for path in paths), sorted(path["b"] for path in paths)
    (['1', '1', '1', '2', '2', '2'], ['1', '1', '2', '2', '3', '3'])
    """
    paths = max(len(options) for options in space.options.values())
    made = []
    for use in range(step * paths, (step + 1) * paths):
        decided: dict[str, str] = {}
        _decide(space.branches, use, seed, decided)
        made.append(Architecture(decided))
    return made


def _decide(open_here: Branches, use: int, seed: int, decided: dict[str, str]) -> None:
    for label, inside in open_here:
        block, place = divmod(use, len(inside))
        order = np.random.default_rng(derive_seed(seed, label, block)).permutation(len(inside))
        option = decided.setdefault(label, list(inside)[order[place]])
        _decide(inside[option], block, seed, decided)
