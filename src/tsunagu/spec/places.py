"""Where things stand in the files, and on the command line, that a study was read from."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tsunagu.errors import Mistake, Path
from tsunagu.spec.messages import is_about_key

__all__ = ["Places"]


@dataclass
class Places:
    """``file:line:column`` of every key and every value, by path in the data.

    Args:
        keys: of the keys of mappings.
        values: of the values.
        labels: of the options of choices that are written as a list, whose paths may also be spelled with labels.
        overrides: the paths whose values the command line gave.
    """

    keys: dict[Path, str] = field(default_factory=dict)
    values: dict[Path, str] = field(default_factory=dict)
    labels: dict[Path, tuple[str, ...]] = field(default_factory=dict)
    overrides: tuple[Path, ...] = ()

    def locate(self, path: Path, *, key: bool = False) -> str:
        """The place of a path, or of the nearest one above it that stands in the file; ``--set`` if it was given there.

        >>> Places(values={(): "a.yaml:1:1", ("train",): "a.yaml:2:3"}).locate(("train", "epochs"))
        'a.yaml:2:3'
        """
        words = tuple(str(step) for step in path)
        if any(words[: len(target)] == target for target in self.overrides):
            return "--set"
        first, second = (self.keys, self.values) if key else (self.values, self.keys)
        known = self._known(path)
        return first.get(known) or second.get(known, "")

    def place(self, mistake: Mistake) -> Mistake:
        """The mistake with its place, unless it has one already."""
        where = mistake.where or self.locate(mistake.path, key=is_about_key(mistake))
        return replace(mistake, where=where)

    def _known(self, path: Path) -> Path:
        known: Path = ()
        for step in path:
            further = next((p for p in self._spelled(known, step) if p in self.values), None)
            if further is None:
                break
            known = further
        return known

    def _spelled(self, above: Path, step: str | int) -> list[Path]:
        labels = self.labels.get(above, ())
        label = [(*above, labels.index(step))] if isinstance(step, str) and step in labels else []
        number = [(*above, int(step))] if isinstance(step, str) and step.isdecimal() else []
        return [(*above, step), (*above, str(step)), *label, *number]
