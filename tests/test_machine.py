from __future__ import annotations

import os

import pytest

from tsunagu.machine import available_memory, usable_cores

BOUND = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _write(folder, files):
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    "files",
    [
        {"sys/fs/cgroup/cpu.max": "100000 100000\n"},
        {"proc/self/cgroup": "0::/job/step\n", "sys/fs/cgroup/job/cpu.max": "150000 100000\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "100000\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
        {
            "proc/self/cgroup": "5:memory:/other\n4:cpu,cpuacct:/job\n",
            "sys/fs/cgroup/cpu/job/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu/job/cpu.cfs_period_us": "100000\n",
        },
    ],
    ids=["version 2", "version 2, a group above", "version 1", "version 1, half a core"],
)
def test_the_quota_of_a_container_counts(tmp_path, files):
    _write(tmp_path, files)
    assert usable_cores(tmp_path) == 1


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"sys/fs/cgroup/cpu.max": "max 100000\n"},
        {"sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n", "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n"},
        {"sys/fs/cgroup/cpu.max": "9900000 100000\n"},
    ],
    ids=["no groups", "no quota", "no quota, version 1", "more than there are"],
)
def test_without_a_quota_all_cores_that_it_is_bound_to_are_usable(tmp_path, files):
    _write(tmp_path, files)
    assert usable_cores(tmp_path) == BOUND


@pytest.mark.parametrize(
    ("files", "available"),
    [
        ({}, float("inf")),
        ({"proc/meminfo": "MemTotal: 9 kB\nMemAvailable: 4 kB\n"}, 4096),
        (
            {
                "proc/meminfo": "MemAvailable: 4 kB\n",
                "sys/fs/cgroup/memory.max": "max\n",
                "sys/fs/cgroup/memory.current": "100\n",
            },
            4096,
        ),
        (
            {
                "proc/self/cgroup": "0::/job\n",
                "sys/fs/cgroup/job/memory.max": "3000\n",
                "sys/fs/cgroup/job/memory.current": "2500\n",
                "sys/fs/cgroup/job/memory.stat": "anon 1\ninactive_file 200\n",
            },
            700,
        ),
        (
            {
                "proc/self/cgroup": "5:memory:/job\n",
                "sys/fs/cgroup/memory/job/memory.limit_in_bytes": "3000\n",
                "sys/fs/cgroup/memory/job/memory.usage_in_bytes": "2500\n",
            },
            500,
        ),
    ],
    ids=["nothing told", "the system", "no limit", "version 2, files can go", "version 1"],
)
def test_memory_is_what_the_system_and_the_container_have_left(tmp_path, files, available):
    _write(tmp_path, files)
    assert available_memory(tmp_path) == available
