"""Memory stays under the bound that was asked for, with a table six times as large."""

import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

EVENTS, PIXELS = 100_000, 512
BOUND = 32_000_000
TABLE = EVENTS * PIXELS * 4

# What the process needs itself is there before the first look: the libraries, and their buffers for threads. Pages of
# files do not count, the system takes them back when it needs them.
PROGRAM = """
import sys, threading, time
from types import SimpleNamespace
import numpy, pyarrow.parquet, torch
from tsunagu.data import open_table

def used():
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) * 1024 for line in status if line.startswith("RssAnon"))

path, memory = sys.argv[1], int(sys.argv[2]) or None
folds = SimpleNamespace(k=5, test=0, validation=1)
pyarrow.parquet.read_table(path, columns=["event_number"])
start, peak, done = used(), 0, threading.Event()

def watch():
    global peak
    while not done.wait(0.0005):
        peak = max(peak, used() - start)

def report(what):
    global peak
    print(what, peak, flush=True)
    peak = 0

threading.Thread(target=watch, daemon=True).start()
for name in ("converted", "mapped"):
    table = open_table(path, weight="weight", folds=folds, memory=memory)
    report(name)
    if memory is None:
        sys.exit()
assert table.is_mapped
split = table.split(folds)
total = 0.0
for index in table.batches(split.train, 1000, 1, 0):
    total += float(table.take(["image", "weight"], index)["image"].mean())
report("epoch")
for index in torch.split(split.validation, 2048):
    total += float(table.take(["image"], index)["image"].mean())
report("evaluation")
done.set()
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(1)
    image = rng.integers(0, 256, EVENTS * PIXELS, dtype=np.uint8).astype(np.float16)
    columns = {
        "image": pa.FixedSizeListArray.from_arrays(pa.array(image), PIXELS),
        "event_number": np.arange(EVENTS),
        "weight": rng.normal(1.0, 0.5, EVENTS),
    }
    path = tmp_path_factory.mktemp("large") / "a.parquet"
    # A single row group, as careless writers make them: it is larger than the bound.
    pq.write_table(pa.table(columns), path, row_group_size=EVENTS, compression="none", use_dictionary=False)
    return path


def peaks(path, memory):
    command = [sys.executable, "-c", PROGRAM, str(path), str(memory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name: int(peak) for name, peak in map(str.split, done.stdout.splitlines())}


@pytest.mark.skipif(sys.platform != "linux", reason="nobody else tells memory from pages of files")
def test_memory_stays_under_the_bound(path):
    assert peaks(path, 0)["converted"] > TABLE > 6 * BOUND
    found = peaks(path, BOUND)
    assert set(found) == {"converted", "mapped", "epoch", "evaluation"}
    assert max(found.values()) < BOUND, found
