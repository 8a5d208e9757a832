"""Keep-fractions: which events stay is decided by their numbers and classes alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from tsunagu.data import ArraySource, fold_of, open_table
from tsunagu.data.thinning import uniform_of
from tsunagu.errors import DataError

FOLDS = SimpleNamespace(k=5, test=0, validation=1)
NUMBER = np.arange(6000)
EVENTS = {"event_number": NUMBER, "is_tau": NUMBER % 2, "kind": NUMBER // 2 % 2, "x": NUMBER * 0.5}
TENTH = {"is_tau": {"1": 0.1}}


def _open(keep, events=EVENTS, **settings):
    return open_table(ArraySource(events, "a.npz"), folds=FOLDS, keep=keep, **{"needed": ["x"], **settings})


def _numbers(table):
    return set(table.event_number.tolist())


def test_one_class_is_thinned_and_the_other_is_whole():
    table = _open(TENTH, needed=["x", "is_tau"])
    label = table.columns["is_tau"]
    assert int((label == 0).sum()) == 3000
    assert 240 < int((label == 1).sum()) < 360
    assert torch.equal(table.columns["x"], table.event_number * 0.5)
    assert table.file_rows == (len(table),)
    assert table.notes == (f"is_tau = 1: {int((label == 1).sum())} of 3,000 events are kept",)


def test_the_order_of_rows_and_files_does_not_matter():
    order = np.random.default_rng(1).permutation(len(NUMBER))
    shuffled = {name: values[order] for name, values in EVENTS.items()}
    assert _numbers(_open(TENTH, shuffled)) == _numbers(_open(TENTH))


def test_a_smaller_fraction_keeps_a_part_of_what_a_larger_one_keeps():
    few, many = (_numbers(_open({"is_tau": {"1": f}})) for f in (0.1, 0.4))
    assert few < many


def test_fractions_of_several_columns_multiply():
    table = _open({"is_tau": {"1": 0.5}, "kind": {"1": 0.5}}, needed=["is_tau", "kind"])
    both = (table.columns["is_tau"] == 1) & (table.columns["kind"] == 1)
    assert 300 < int(both.sum()) < 450


def test_all_folds_are_thinned_alike_or_the_training_events_alone():
    for where, expected in (("all", 0.1), ("train", 1.0)):
        table = _open(TENTH, keep_in=where, needed=["is_tau"])
        split = table.split(FOLDS)
        whole = {
            name: fold_of(NUMBER[1::2], 5) == number for name, number in (("test", 0), ("validation", 1))
        }
        shares = {
            n: int(table.columns["is_tau"][getattr(split, n)].sum()) / m.sum() for n, m in whole.items()
        }
        assert all(abs(share - expected) < 0.06 for share in shares.values())
        assert int(table.columns["is_tau"][split.train].sum()) < 0.2 * 1800
    assert "training events are kept" in table.notes[0]


def test_what_is_kept_has_nothing_to_do_with_the_fold():
    uniform, fold = uniform_of(np.arange(50_000)), fold_of(np.arange(50_000), 5)
    means = [uniform[fold == k].mean() for k in range(5)]
    assert np.allclose(means, 0.5, atol=0.015)
    counts = np.histogram(uniform, bins=20, range=(0, 1))[0]
    assert ((counts - 2500) ** 2 / 2500).sum() < 50


def test_another_fraction_is_another_table():
    prints = {_open({"is_tau": {"1": f}}).fingerprint for f in (0.1, 0.2, 1.0)} | {_open({}).fingerprint}
    assert len(prints) == 3  # keeping everything is what the files have


def test_a_mapped_table_is_thinned_as_one_in_memory(tmp_path):
    rng = np.random.default_rng(1)
    events = EVENTS | {"image": rng.random((6000, 40)).astype(np.float32)}
    np.savez(tmp_path / "a.npz", **events)
    whole, mapped, again = (
        open_table([tmp_path / "a.npz"], folds=FOLDS, keep=TENTH, needed=["x", "image"], memory=memory)
        for memory in (None, 600_000, 600_000)
    )
    assert (whole.is_mapped, mapped.is_mapped) == (False, True)
    assert whole.fingerprint == mapped.fingerprint == again.fingerprint
    assert torch.equal(whole.columns["image"], mapped.columns["image"])


@pytest.mark.parametrize(
    ("keep", "message"),
    [
        ({"is_tau": {"2": 0.1}}, r"column 'is_tau': no event of the class 2 of data.keep \(valid: 0, 1\)"),
        ({"pair": {"1": 0.1}}, r"column 'pair' is \[E, 2\]: data.keep needs one class number"),
        ({"is_tua": {"1": 0.1}}, r"no column 'is_tua' \(did you mean 'is_tau'"),
        ({"is_tau": {"1": 0.0, "0": 0.0}}, "the train split .* has no event"),
    ],
)
def test_what_cannot_be_kept_is_named(keep, message):
    with pytest.raises(DataError, match=message):
        _open(keep, EVENTS | {"pair": np.zeros((6000, 2))})
