"""A generation around the simulation: what is continued, what is refused, and in which words. No Pythia needed."""

from __future__ import annotations

import errno
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tsunagu.cli.sample import sample
from tsunagu.errors import DataError, ResumeError
from tsunagu.files import write_bytes
from tsunagu.samples import Analysis, HTauTau, TauJet, generate, is_generated, is_outdated, pool, ready_sample
from tsunagu.samples.files import alone, is_whole
from tsunagu.samples.generate import usable_cores
from tsunagu.samples.shards import SHARD, plan_shards

SETTINGS = HTauTau(events=600, seed=4)


@pytest.fixture(autouse=True)
def _no_pythia(monkeypatch):
    monkeypatch.setattr("tsunagu.samples.generator.import_pythia", lambda: None)
    monkeypatch.setattr("importlib.metadata.version", lambda name: "0")


@pytest.fixture
def made(monkeypatch, made_up_shard):
    """Stands in for the processes; the names of the shards that were made."""
    names = []

    def make(missing, folder, workers, progress):
        for shard in missing:
            write_bytes(folder / shard.name, made_up_shard(shard, np.random.default_rng(shard.seed)))
            names.append(shard.name)
            progress(shard.rows)

    monkeypatch.setattr(pool, "make_shards", make)
    return names


def test_only_what_is_missing_or_damaged_is_made_again(tmp_path, made):
    whole = generate(SETTINGS, tmp_path / "whole.parquet").read_bytes()
    assert made == [shard.name for shard in plan_shards(SETTINGS)]
    path = tmp_path / "events.parquet"
    _interrupted(path, made)
    damaged = next(path.with_name("events.parquet.shards").rglob("Z-0000.npz"))
    damaged.write_bytes(damaged.read_bytes()[:-100])
    flipped = next(path.with_name("events.parquet.shards").rglob("ggH-0001.npz"))
    content = bytearray(flipped.read_bytes())
    content[len(content) // 2] ^= 1
    flipped.write_bytes(content)
    made.clear()
    seen = []
    generate(SETTINGS, path, progress=lambda *now: seen.append(now))
    assert made == ["ggH-0001.npz", "Z-0000.npz"]
    assert seen[0] == (1200 - 52 - 500, 1200)
    assert path.read_bytes() == whole
    assert sorted(file.name for file in tmp_path.iterdir()) == ["events.parquet", "whole.parquet"]


def _interrupted(path: Path, made: list[str]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tsunagu.samples.merge.merge", _stop)
        with pytest.raises(KeyboardInterrupt):
            generate(SETTINGS, path)
    assert len(list(path.with_name(f"{path.name}.shards").rglob("*.npz"))) == len(plan_shards(SETTINGS))


def _stop(*anything):
    raise KeyboardInterrupt


def test_shards_of_other_settings_are_left_alone(tmp_path, made):
    path = tmp_path / "events.parquet"
    _interrupted(path, made)
    generate(HTauTau(events=600, seed=5), path)
    assert len(list(path.with_name(f"{path.name}.shards").rglob("*.npz"))) == len(plan_shards(SETTINGS))


def test_a_second_generation_of_the_same_file_is_refused(tmp_path, made):
    path = tmp_path / "events.parquet"
    with (
        alone(tmp_path / "events.parquet.shards", path),
        pytest.raises(ResumeError, match=r"events.parquet: process \d+ is working on it; wait"),
    ):
        generate(SETTINGS, path)
    assert not list(tmp_path.iterdir())
    assert generate(SETTINGS, path).exists()


@pytest.mark.parametrize(
    ("name", "workers", "message"),
    [
        ("events.root", None, "its name ends in .parquet or .pq"),
        ("folder.parquet", None, "is a folder; give the name of a file in it"),
        ("events.parquet", 0, "workers: expected at least 1, found 0"),
    ],
)
def test_what_cannot_be_written_is_said_before_anything_is_simulated(tmp_path, made, name, workers, message):
    (tmp_path / "folder.parquet").mkdir()
    with pytest.raises(DataError, match=message):
        generate(SETTINGS, tmp_path / name, workers=workers)
    assert not made


def test_a_folder_that_is_not_there_is_made(tmp_path, made):
    assert generate(SETTINGS, tmp_path / "new" / "deep" / "events.parquet").exists()


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path, made):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ResumeError, match=r"events.parquet: cannot be written \(Not a directory\)"):
        generate(SETTINGS, tmp_path / "file" / "events.parquet")


def test_a_full_disk_is_a_sentence_with_a_remedy(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ResumeError, match=r"No space left on device\).*make room and run the same command"):
        write_bytes(tmp_path / "shard.npz", b"content")
    assert not list(tmp_path.iterdir())


def test_a_file_is_whole_only_if_every_byte_of_it_is(tmp_path):
    path = tmp_path / "shard.npz"
    np.savez(path, values=np.arange(100))
    assert is_whole(path)
    path.write_bytes(b"")
    assert not is_whole(path)
    assert not is_whole(tmp_path / "other.npz")


def test_a_process_that_was_killed_is_a_sentence():
    class Pool:
        def submit(self, *task):
            raise BrokenProcessPool

        def shutdown(self, **options):
            pass

    with pytest.raises(ResumeError, match="perhaps for want of memory"), pool._pool(Pool()) as submit:
        submit(print)


def test_missing_extras_are_named(monkeypatch):
    monkeypatch.undo()
    from tsunagu.samples.generator import import_pythia

    monkeypatch.setitem(__import__("sys").modules, "awkward", None)
    with pytest.raises(DataError, match=r"simulating events needs awkward: pip install 'tsunagu\[samples\]'"):
        import_pythia()


def test_files_say_what_they_were_made_with(tmp_path, made, monkeypatch):
    path = generate(SETTINGS, tmp_path / "events.parquet")
    jets = TauJet(jets=600)
    assert is_generated(SETTINGS, path)
    assert not is_outdated(SETTINGS, path)
    assert not is_generated(HTauTau(events=600, seed=5), path)
    assert not is_outdated(HTauTau(events=600, seed=5), path)
    monkeypatch.setattr("tsunagu.samples.settings.SCHEMA", 999)
    assert is_outdated(SETTINGS, path)
    assert is_outdated(TauJet(**_settings_of("taujet")), ready_sample("taujet"))
    (tmp_path / "foreign.parquet").write_text("nothing of ours", encoding="utf-8")
    assert not is_generated(jets, tmp_path / "foreign.parquet")


def _settings_of(name):
    import json

    import pyarrow.parquet as pq

    settings = json.loads(pq.read_schema(ready_sample(name)).metadata[b"tsunagu"])["settings"]
    return settings | ({"tracks": tuple(settings["tracks"])} if "tracks" in settings else {})


def test_numbers_that_mean_the_same_make_the_same_file():
    assert HTauTau(pileup=30, energy=13000) == HTauTau()
    assert plan_shards(HTauTau(pileup=30))[0].seed == plan_shards(HTauTau())[0].seed


def test_all_usable_cores_are_found():
    assert usable_cores() >= 1
    assert SHARD == 500


class TestCommand:
    """``tsunagu sample``."""

    run = staticmethod(lambda *words: CliRunner().invoke(sample, [str(word) for word in words]))

    def test_the_same_command_again_returns_at_once(self, tmp_path, made):
        path = tmp_path / "events.parquet"
        first = self.run("htautau", path, "--events", 600)
        assert first.exit_code == 0, first.output
        assert "written" in first.output
        assert "is there, made with these settings" in self.run("htautau", path, "--events", 600).output

    def test_a_file_of_other_settings_is_replaced_only_on_demand(self, tmp_path, made):
        path = tmp_path / "events.parquet"
        self.run("htautau", path, "--events", 600)
        before = path.read_bytes()
        refused = self.run("htautau", path, "--events", 600, "--seed", 2)
        assert isinstance(refused.exception, DataError)
        assert "is there, but not made with these settings" in str(refused.exception)
        assert path.read_bytes() == before
        assert self.run("htautau", path, "--events", 600, "--seed", 2, "--overwrite").exit_code == 0
        assert path.read_bytes() != before

    def test_a_file_of_an_older_version_is_made_again(self, tmp_path, made):
        path = tmp_path / "events.parquet"
        with pytest.MonkeyPatch.context() as older:
            older.setattr("tsunagu.samples.settings.SCHEMA", 0)
            self.run("htautau", path, "--events", 600)
        assert "written" in self.run("htautau", path, "--events", 600).output
        assert is_generated(HTauTau(events=600), path)

    def test_every_setting_has_an_option(self, monkeypatch, tmp_path):
        asked = []
        monkeypatch.setattr(
            "tsunagu.samples.is_generated", lambda settings, path: asked.append(settings) or True
        )
        common = ("--pileup", 5, "--mpi", "full", "--energy", 13600, "--seed", 9)
        self.run("htautau", tmp_path / "a.parquet", "--events", 7, "--helicity", "exact", *common)
        self.run("taujet", tmp_path / "a.parquet", "--jets", 8, "--tracks", 2, 5, *common)
        own = ("--events", 16, "--luminosity", 2, "--tau-energy-scale", 1.1)
        self.run("analysis", tmp_path / "a", *own, *common)
        same = {"pileup": 5.0, "mpi": "full", "energy": 13600.0, "seed": 9}
        analysis = Analysis(events=16, luminosity=2.0, tau_energy_scale=1.1, **same)
        assert asked == [
            HTauTau(events=7, helicity="exact", **same),
            TauJet(jets=8, tracks=(2, 5), **same),
            analysis,
        ]

    def test_an_interrupt_says_how_to_go_on(self, tmp_path, monkeypatch, made):
        monkeypatch.setattr("tsunagu.samples.merge.merge", _stop)
        stopped = self.run("htautau", tmp_path / "events.parquet", "--events", 600)
        assert stopped.exit_code == 130
        assert "stopped; run the same command again to continue" in stopped.output
