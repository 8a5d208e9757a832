"""Formulas of columns, against numpy."""

import numpy as np
import pytest

from tsunagu.data import ArraySource, open_table
from tsunagu.data.formulas import evaluate
from tsunagu.errors import DataError

RNG = np.random.default_rng(5)
PT, ETA = RNG.exponential(40.0, (50, 3)), RNG.normal(0.0, 1.5, (50, 3))
MET, N, OK = RNG.exponential(30.0, 50), RNG.integers(1, 5, 50), RNG.random(50) < 0.5
COLUMNS = {"pt": PT, "eta": ETA, "met": MET, "n": N, "ok": OK}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sum(pt) + met", PT.sum(axis=1) + MET),
        ("pt / met", PT / MET[:, None]),
        ("any(pt > 40 and abs(eta) < 1)", ((PT > 40) & (np.abs(ETA) < 1)).any(axis=1)),
        ("sum(pt > 40)", (PT > 40).sum(axis=1)),
        ("not ok or n == 2", ~OK | (N == 2)),
        ("10 < met <= 40", (MET > 10) & (MET <= 40)),
        ("max(met, pt[0])", np.maximum(MET, PT[:, 0])),
        ("max(pt)", PT.max(axis=1)),
        ("where(ok, met, -1)", np.where(OK, MET, -1.0)),
        ("n * 1000000000000 + n", N * 1000000000000 + N),
        ("n % 2", N % 2),
        ("n / 2", N / 2),
        ("2 ** n", 2.0**N),
        ("-ok + 1", 1 - OK.astype(int)),
        ("hypot(met, n)", np.hypot(MET, N)),
        ("delta_phi(4 * met, 0)", np.angle(np.exp(4j * MET))),
        ("clip(met, 1, 20)", np.clip(MET, 1, 20)),
        (
            "log(met) + sqrt(n) - exp(-met) + cos(met) * pi",
            np.log(MET) + np.sqrt(N) - np.exp(-MET) + np.cos(MET) * np.pi,
        ),
        ("(n & 1) | 4", (N & 1) | 4),
    ],
)
def test_values(text, expected):
    made = evaluate(text, COLUMNS)
    np.testing.assert_allclose(made, expected, rtol=1e-12, atol=1e-12)
    assert made.dtype in (np.float64, np.int64, np.bool_)
    none = {name: array[:0] for name, array in COLUMNS.items()}
    assert (evaluate(text, none).dtype, evaluate(text, none).shape[1:]) == (made.dtype, made.shape[1:])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sum(met)", "over the objects of an event"),
        ("pt[3]", "there is no entry 3 in [E, 3]"),
        ("met[0]", "there is no entry 0 in [E]"),
        ("pt + two", "shapes do not fit: [E, 3] and [E, 2]"),
        ("met and ok", "a condition such as pt > 20 is needed"),
        ("met > 1 & ok", "conditions are joined by and, or"),
        ("n % (n - n)", "divided by 0"),
    ],
)
def test_what_cannot_be_computed(text, found):
    with pytest.raises(DataError) as error:
        evaluate(text, COLUMNS | {"two": PT[:, :2]})
    assert str(error.value).startswith(f"'{text}': ")
    assert found in str(error.value)


@pytest.mark.parametrize("memory", [None, 64 * 200])
class TestInTables:
    @pytest.fixture
    def opened(self, write, events, folds, memory):
        return lambda **named: open_table(write("a", events), folds=folds, memory=memory, **named)

    def test_derived_columns(self, opened, events):
        columns = {
            "ht": "sum(jet_pt)",
            "ratio": "met / ht",
            "p": ["met", "log(ht)"],
            "jet_pt": "jet_pt * 1.05",
            "loud": "ht > 60",
        }
        table = opened(columns=columns, weight="2 * weight", needed=list(columns))
        ht = 1.05 * events["jet_pt"].astype(float).sum(axis=1)
        np.testing.assert_allclose(table.columns["ht"].numpy(), ht, rtol=1e-6)
        np.testing.assert_allclose(table.columns["p"][:, 1].numpy(), np.log(ht), rtol=1e-6)
        np.testing.assert_allclose(table.columns["ratio"].numpy(), events["met"] / ht, rtol=1e-6)
        np.testing.assert_array_equal(table.columns["loud"].numpy(), ht > 60)
        np.testing.assert_array_equal(table.weight.numpy(), 2 * events["weight"])

    def test_an_unknown_name(self, opened):
        with pytest.raises(
            DataError, match=r"no column 'jet_ptt' \(did you mean 'jet_pt'\?\); 'ht' is made of it"
        ):
            opened(columns={"ht": "sum(jet_ptt)"})

    def test_a_value_that_is_not_defined(self, opened, events):
        events["met"][[3, 7]] = 0.0
        with pytest.raises(
            DataError, match=r"column 'log\(met\)': infinite.* in 2 of 200 events, the first in row 3$"
        ):
            opened(columns={"x": "log(met)"}, needed=["x"])

    def test_shapes_that_do_not_fit(self, opened):
        with pytest.raises(DataError, match=r"column 'x': 'sum\(met\)': sum.* over the objects"):
            opened(columns={"x": "sum(met)"}, needed=["x"])

    def test_selection_equals_the_selection_afterwards(self, opened, events):
        events["met"][20] = np.nan
        table = opened(select="ht > 60 and met > 10", columns={"ht": "sum(jet_pt)"}, needed=["met", "image"])
        with np.errstate(invalid="ignore"):
            kept = (events["jet_pt"].sum(axis=1) > 60) & (events["met"] > 10)
        np.testing.assert_array_equal(table.event_number.numpy(), events["event_number"][kept])
        np.testing.assert_array_equal(table.columns["image"].numpy(), events["image"][kept])
        assert table.notes[0].endswith(f"select keeps {kept.sum()} of 200 events")

    @pytest.mark.parametrize(
        ("select", "found"),
        [
            ("met", "is no condition: it gives numbers"),
            ("jet_pt > 20", r"it gives 2 answers for each event; any\(\) or all\(\)"),
            ("mett > 2", r"no column 'mett' \(did you mean 'met'\?\)"),
            ("met >", "at position "),
            ("met > 1e9", "the test split"),
        ],
    )
    def test_selections_that_are_none(self, opened, select, found):
        with pytest.raises(DataError, match=found):
            opened(select=select)


def test_files_with_and_without_kept_events(events, folds):
    parts = [ArraySource({n: a[rows] for n, a in events.items()}, name) for name, rows in
             (("a", slice(0, 90)), ("b", slice(90, 200)))]  # fmt: skip
    table = open_table(parts, select="event_number >= 1095", folds=folds)
    assert table.file_rows == (0, 105)
