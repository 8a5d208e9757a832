"""New branches in a ROOT tree, or a friend tree where it cannot take any. Needs the extra ``tsunagu[root]``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tsunagu.data.source import Array
from tsunagu.errors import TsunaguError

__all__ = ["FRIEND", "add_branches", "write_friend"]

FRIEND = "scores"
"""The tree of a friend file."""
_COMPARED = 1000
"""Events at both ends of every old branch that must have stayed what they were."""


def add_branches(path: Path, tree: str, columns: Mapping[str, Array]) -> bool:
    """Put new branches into a TTree of a file, in place; whether uproot can. If it cannot, the file may be damaged.

    uproot (5.7.7) takes new branches for a TTree whose branches hold numbers, and all have the same baskets; for no RNTuple.

    Args:
        path: of the file, a copy.
        tree: its name.
        columns: ``[E, ...]`` by name.
    """
    uproot = _uproot()
    try:
        with uproot.open(path) as file:
            before = _ends(file[tree])
        with uproot.update(path) as file:
            file[tree].add_branches(dict(columns))
        with uproot.open(path) as file:
            back = file[tree].arrays(list(columns), library="np")
            after = _ends(file[tree])
    except Exception:  # noqa: BLE001 - uproot has many ways to say that a tree is not of its own kind
        return False
    return all(
        np.array_equal(back[name], values, equal_nan=True) for name, values in columns.items()
    ) and all(name in after and value.tolist() == after[name].tolist() for name, value in before.items())


def write_friend(path: Path, columns: Mapping[str, Array]) -> None:
    """A file with nothing but these branches, in the order of the events: ``tree->AddFriend("scores", file)``."""
    with _uproot().recreate(path) as file:
        file.mktree(FRIEND, {name: np.dtype((a.dtype, a.shape[1:])) for name, a in columns.items()})
        file[FRIEND].extend(dict(columns))


def _ends(tree: Any) -> dict[str, Any]:
    """The first and the last events of every branch."""
    rows, found = tree.num_entries, {}
    for name in tree.keys(recursive=False):
        branch = tree[name]
        parts = [(0, min(_COMPARED, rows)), (max(0, rows - _COMPARED), rows)]
        for start, stop in parts:
            # As text: numbers, lists and words alike, and NaN is equal to itself.
            found[f"{name} {start}"] = np.array(
                [str(branch.array(entry_start=start, entry_stop=stop).to_list())]
            )
    return found


def _uproot() -> Any:
    try:
        import uproot
    except ImportError as error:
        msg = "ROOT files need further packages: pip install 'tsunagu[root]'"
        raise TsunaguError(msg) from error
    return uproot
