"""Events: files, tables, folds and batches.

A :class:`Source` reads the columns of one file, :func:`open_table` puts the needed ones of all files into a
:class:`Table` and checks them, ``table.split(folds)`` tells which rows are for training, validation and test,
and ``table.batches`` tells in which order the training sees them. Everything is in memory, or in files that are
mapped into it, and a batch is an ``index_select``: for the small models of an analysis a loader that walks over
single events costs more than the training.

The split follows a hash of the event number, never the order of the rows: it is the same for every selection,
file order and systematic variation of an event.
"""

from tsunagu.data.batches import batches, chunked_batches
from tsunagu.data.csv import CsvSource
from tsunagu.data.describe import SampleRow, describe, describe_files, describe_processes
from tsunagu.data.devices import given
from tsunagu.data.files import find_files, open_source, open_sources
from tsunagu.data.folds import FoldChoice, Split, fold_of, mix
from tsunagu.data.hdf5 import Hdf5Source
from tsunagu.data.npz import NpzSource
from tsunagu.data.opening import open_table
from tsunagu.data.parquet import ParquetSource
from tsunagu.data.root import RootSource
from tsunagu.data.sampling import SAMPLERS, Sampling, sampling
from tsunagu.data.shifted import Change, ShiftedSource, scaled_by
from tsunagu.data.source import ArraySource, Column, Source
from tsunagu.data.table import Table

__all__ = [
    "SAMPLERS",
    "ArraySource",
    "Change",
    "Column",
    "CsvSource",
    "FoldChoice",
    "Hdf5Source",
    "NpzSource",
    "ParquetSource",
    "RootSource",
    "SampleRow",
    "Sampling",
    "ShiftedSource",
    "Source",
    "Split",
    "Table",
    "batches",
    "chunked_batches",
    "describe",
    "describe_files",
    "describe_processes",
    "find_files",
    "fold_of",
    "given",
    "mix",
    "open_source",
    "open_sources",
    "open_table",
    "sampling",
    "scaled_by",
]
