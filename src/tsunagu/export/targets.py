"""Where copies of event files go, and that nothing is written over by chance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tsunagu.errors import DataError
from tsunagu.export.columns import can_write, target_of

__all__ = ["targets_of"]


def targets_of(paths: Sequence[Path], out: Path, overwrite: bool) -> list[Path]:
    """The path of each copy.

    Args:
        paths: of the files.
        out: the folder of the copies; for a single file also a file name.
        overwrite: whether files that are there may be replaced; never one of ``paths``.

    Raises:
        DataError: what would be written over, or twice; one line each.

    >>> [path.as_posix() for path in targets_of([Path("a.npz")], Path("no_such_folder"), False)]
    ['no_such_folder/a.npz']
    """
    single = len(paths) == 1 and can_write(out) and not out.is_dir()
    targets = [out] if single else [out / path.name for path in paths]
    problems = []
    if single and out.suffix != paths[0].suffix:
        problems.append(f"{out}: the copy of {paths[0]} has the same ending, '{paths[0].suffix}'")
    for path, target in zip(paths, targets, strict=True):
        if targets.count(target) > 1:
            problems.append(f"{path}: another file has the same name; write them into folders of their own")
        if target.exists() and target.samefile(path):
            problems.append(f"{path}: would be replaced by its copy; choose another --out")
        elif not overwrite and (found := next((p for p in target_of(target) if p.exists()), None)):
            problems.append(f"{found}: is there already; --replace replaces it")
    if problems:
        raise DataError("\n".join(problems))
    return targets
