"""Columns from CSV files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
import pyarrow as pa

from tsunagu.data.chunked import Chunk, ChunkedSource, Layout, described, reading
from tsunagu.data.source import Column
from tsunagu.errors import DataError

__all__ = ["CsvSource"]

_KIND = "a CSV file"
# What the types of the columns are found from: the first megabyte.
_BLOCK = 1 << 20


@final
class CsvSource(ChunkedSource):
    """A CSV file with the names of the columns in its first line; ``.tsv`` has tabs in place of commas.

    Whether a column holds whole numbers, numbers or truth values is told by the first megabyte; what does not fit it further
    down is an error. An empty entry of numbers reads as NaN.

    Args:
        path: of the file.

    Raises:
        DataError: it is empty, or its lines have unequal numbers of entries.
    """

    def __init__(self, path: Path) -> None:
        self._file = path
        self._delimiter = "\t" if path.suffix == ".tsv" else ","
        with reading(str(path), _KIND), _opened(path, self._delimiter, None) as stream:
            # Names that are no UTF-8 are found when they are looked at.
            self._types = {field.name: field.type for field in stream.schema}
            names = list(stream.schema.names)
        found = {name: _type(kind) for name, kind in self._types.items()}
        twice = {name for name, count in Counter(names).items() if count > 1}
        found |= dict.fromkeys(twice, "there are two columns of this name")
        self._rows: int | None = None
        layout = Layout(
            flat={n: kind for n, kind in found.items() if isinstance(kind, Column)},
            unreadable={n: kind for n, kind in found.items() if isinstance(kind, str)},
        )
        super().__init__(path, "", layout, {})

    def _events(self) -> int:
        if self._rows is None:
            with reading(self.name, _KIND), _opened(self._file, self._delimiter, self._types) as stream:
                self._rows = sum(len(batch) for batch in stream)
        return self._rows

    def _chunks(self, names: Sequence[str], most: int) -> Iterator[Chunk]:
        empty = dict.fromkeys(names, 0)
        with reading(self.name, _KIND), _opened(self._file, self._delimiter, self._types) as stream:
            for block in stream:
                for start in range(0, len(block), most):
                    batch = block.slice(start, most)
                    for name in names:
                        column = batch.column(name)
                        empty[name] += 0 if pa.types.is_floating(column.type) else column.null_count
                    if not any(empty.values()):
                        yield {n: np.asarray(batch.column(n).to_numpy(zero_copy_only=False)) for n in names}
        if lines := [f"{self.name}: column '{n}': {c} entries are empty" for n, c in empty.items() if c]:
            raise DataError("\n".join(lines))


def _opened(path: Path, delimiter: str, types: dict[str, Any] | None) -> Any:
    from pyarrow import csv

    return csv.open_csv(
        path,
        read_options=csv.ReadOptions(use_threads=False, block_size=_BLOCK),
        parse_options=csv.ParseOptions(delimiter=delimiter),
        convert_options=csv.ConvertOptions(column_types=types, strings_can_be_null=True),
    )


def _type(kind: Any) -> Column | str:
    is_number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    found = described(np.dtype(kind.to_pandas_dtype()), ()) if is_number else ""
    return found or (f"its type is {kind}, such as words are; numbers are read")
