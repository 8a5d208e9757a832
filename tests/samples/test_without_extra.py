"""A machine without the extra: no Pythia, no numba, no awkward, and still real events."""

from __future__ import annotations

import subprocess
import sys

BLOCKED = "import sys\nfor name in ('pythia8mc', 'numba', 'awkward'):\n    sys.modules[name] = None\n"


def _run(program, *words):
    command = [sys.executable, "-c", BLOCKED + program, *words]
    return subprocess.run(command, capture_output=True, encoding="utf-8", check=False)


def test_the_ready_made_sample_is_read():
    done = _run(
        "import tsunagu as tn\n"
        "table = tn.open_table(tn.ready_sample('htautau'), folds=tn.Folds(), needed=['jet_pt'])\n"
        "print(len(table), tn.HTauTau().pileup)\n"
    )
    assert done.stdout.split() == ["4000", "30.0"], done.stderr


def test_simulating_says_what_is_missing(tmp_path):
    start = "import runpy\nrunpy.run_module('tsunagu', run_name='__main__')\n"
    done = _run(start, "sample", "htautau", str(tmp_path / "events.parquet"), "--events", "10")
    assert done.returncode == 2
    assert done.stderr.strip() == "simulating events needs awkward: pip install 'tsunagu[samples]'"
