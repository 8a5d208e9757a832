"""The figure of a trade-off between two outputs, and when there is one."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.report import report
from tsunagu.report.front import front_of, objectives
from tsunagu.report.pareto import bulk
from tsunagu.report.reading import read_outcome
from tsunagu.report.stored import Undrawable

VARIED = "vary: {train.aggregate: {a: sum, b: mgda}}\n"
SCAN = "methods:\n  a: {tasks.classify.loss.weight: 0.0}\n  b: {tasks.classify.loss.weight: 1.0}\n"
# By the validation events d is beaten by b; by the test events it is not.
POINTS = {
    "a": {"validation": (0.90, 0.40), "test": (0.91, 0.41)},
    "b": {"validation": (0.85, 0.12), "test": (0.84, 0.13)},
    "c": {"validation": (0.60, 0.10), "test": (0.61, 0.11)},
    "d": {"validation": (0.84, 0.13), "test": (0.86, 0.12)},
}


def _rows(read, own):
    """Lines of ``results.csv`` with a method for each point and three seeds about it, on the trials that there are."""
    lines = read(own / "results.csv")
    digests = [digest for digest in lines["digest"] if digest]
    made = []
    for number, (method, point) in enumerate(POINTS.items()):
        for seed, shift in ((1, -0.01), (2, 0.0), (3, 0.01)):
            (valid_auc, valid_width), (auc, width) = point["validation"], point["test"]
            made.append({
                "method": method, "seed": seed, "validation_auc": valid_auc + shift,
                "validation_resolution": valid_width + shift, "test_auc": auc + shift,
                "test_resolution": width + shift, "seconds": 1.0, "digest": digests[number],
            })  # fmt: skip
    return made


@pytest.fixture
def traded(own, read, rewrite):
    """A study of four methods that weigh two outputs otherwise."""
    rewrite(own / "results.csv", _rows(read, own))
    (own / "study.yaml").write_text(VARIED, encoding="utf-8")
    return own


def test_the_front_is_of_the_validation_events_and_its_volume_of_the_test_events(traded):
    front, left_out = front_of(read_outcome(traded))
    assert front.names == ("auc", "resolution")
    assert left_out == ()
    assert front.on.tolist() == [True, True, True, False]
    assert front.methods[front.chosen].name == "b"
    assert front.reference.tolist() == pytest.approx([0.61, 0.41])
    # b alone spans a volume: a and c are the reference in one of the two each.
    assert front.volume == pytest.approx((0.84 - 0.61) * (0.41 - 0.13))
    assert front.spread[0].tolist() == pytest.approx([0.01, 0.01])
    steps = [-0.01, 0.0, 0.01]
    b = [(0.84 + s - 0.61) * (0.41 - 0.13 - s) for s in steps]
    assert front.volumes[1] == pytest.approx(b[1])
    assert len(front.volumes) == 3
    assert front.volumes[0] >= b[0]


@pytest.mark.parametrize(
    ("study", "drawn"),
    [(VARIED, True), (SCAN, True), ("vary: {train.clip: {a: 1.0, b: 2.0}}\n", False), ("", False)],
)
def test_it_is_drawn_where_losses_are_weighed_and_nowhere_else(study, drawn, traded, tmp_path, quick, read):
    (traded / "study.yaml").write_text(study, encoding="utf-8")
    report(traded, tmp_path / "figures")
    path = tmp_path / "figures" / "pareto.csv"
    assert path.exists() is drawn
    if drawn:
        table = read(path)
        assert table["method"] == list("abcd")
        assert table["on_front"] == ["1", "1", "1", "0"]
        assert table["chosen"] == ["0", "1", "0", "0"]
        assert [float(value) for value in table["test_auc"]] == pytest.approx([0.91, 0.84, 0.61, 0.86])


def test_one_metric_is_no_trade_off_and_the_reason_is_told(traded, rewrite, read, tmp_path, quick):
    dropped = ("validation_resolution", "test_resolution")
    lines = read(traded / "results.csv")
    rows = [dict(zip(lines, values, strict=True)) for values in zip(*lines.values(), strict=True)]
    kept = [{name: value for name, value in row.items() if name not in dropped} for row in rows]
    rewrite(traded / "results.csv", kept)
    with pytest.raises(Undrawable, match="a metric of each of two outputs"):
        objectives(read_outcome(traded))
    report(traded, tmp_path / "figures")
    told = (tmp_path / "figures" / "left_out.txt").read_text(encoding="utf-8")
    assert "pareto: a Pareto front needs a metric of each of two outputs; add one to metrics" in told


def test_a_method_without_a_number_is_left_out(traded, rewrite, read):
    rows = _rows(read, traded)
    for row in rows:
        if row["method"] == "c":
            row["test_resolution"] = "nan"
    rewrite(traded / "results.csv", rows)
    front, left_out = front_of(read_outcome(traded))
    assert [method.name for method in front.methods] == ["a", "b", "d"]
    assert left_out == ("method c has no resolution",)


def test_a_close_up_shows_the_crowd_and_of_a_line_what_is_near():
    crowd = np.array([[0.90, 0.20], [0.91, 0.21], [0.92, 0.22], [0.93, 0.21], [0.94, 0.20]])
    far, line = np.array([[0.5, 0.7]]), np.array([[0.92, 0.23], [0.92, 0.9]])
    (left, right), (bottom, top) = bulk(np.vstack([crowd, far]), np.zeros((6, 2)), [line])
    assert 0.5 < left < 0.9
    assert 0.94 < right < 1.0
    assert bottom < 0.2
    assert 0.23 < top < 0.3
    assert bulk(crowd, np.zeros((5, 2)), [line]) is None


def test_what_is_within_the_errors_is_not_far():
    points = np.array([[0.90, 0.20], [0.91, 0.20], [0.92, 0.20], [0.93, 0.20], [0.94, 0.25]])
    assert bulk(points, np.zeros((5, 2))) is not None
    assert bulk(points, np.full((5, 2), 0.03)) is None
