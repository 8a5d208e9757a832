"""AUC, ROC curve and accuracy: scikit-learn as the oracle for positive weights, pairs for signed ones."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, roc_auc_score
from sklearn.metrics import roc_curve as sklearn_roc_curve

from tsunagu.errors import DataError
from tsunagu.metrics import accuracy, auc, roc_curve

POSITIVE = st.floats(0.01, 10.0)
SIGNED = st.floats(-3.0, 10.0)


@st.composite
def samples(draw, weights=POSITIVE):
    """Few distinct scores, so that ties are common; both classes with a positive sum of weights."""
    size = draw(st.integers(2, 40))
    target = np.array([0, 1, *draw(st.lists(st.integers(0, 1), min_size=size - 2, max_size=size - 2))])
    score = np.array(draw(st.lists(st.integers(-4, 4), min_size=size, max_size=size))) / 4
    weight = np.array(draw(st.lists(weights, min_size=size, max_size=size)))
    for label in (0, 1):
        short = max(0.5 - weight[target == label].sum(), 0.0)
        weight[np.flatnonzero(target == label)[0]] += short
    return score, target, weight


def by_pairs(score, target, weight):
    """The definition: the sum over all pairs of a signal and a background event."""
    s, b = target == 1, target == 0
    difference = score[s][:, None] - score[b][None, :]
    pairs = weight[s][:, None] * weight[b][None, :]
    return (pairs * ((difference > 0) + 0.5 * (difference == 0))).sum() / pairs.sum()


class TestAuc:
    @given(samples())
    def test_scikit_learn_for_positive_weights(self, sample):
        score, target, weight = sample
        assert auc(score, target, weight) == pytest.approx(
            roc_auc_score(target, score, sample_weight=weight), abs=1e-9
        )

    @given(samples(SIGNED))
    def test_the_sum_over_pairs_for_signed_weights(self, sample):
        assert auc(*sample) == pytest.approx(np.clip(by_pairs(*sample), 0, 1), abs=1e-9)

    @given(samples(SIGNED), st.integers(0, 39), POSITIVE)
    def test_an_event_and_its_copy_with_opposite_weight_cancel(self, sample, row, size):
        score, target, weight = sample
        row %= len(score)
        more = [np.append(score, [score[row]] * 2), np.append(target, [target[row]] * 2)]
        assert auc(*more, np.append(weight, [size, -size])) == pytest.approx(auc(*sample), abs=1e-8)

    @given(samples(SIGNED))
    def test_turning_the_score_turns_the_value(self, sample):
        score, target, weight = sample
        assert auc(-score, target, weight) == pytest.approx(1.0 - auc(score, target, weight), abs=1e-9)

    @given(samples(SIGNED), st.floats(0.1, 100.0))
    def test_only_the_order_of_scores_and_the_ratio_of_weights_count(self, sample, unit):
        score, target, weight = sample
        assert auc(np.exp(score), target, weight * unit) == pytest.approx(auc(*sample), abs=1e-9)

    @given(samples(SIGNED), st.randoms(use_true_random=False))
    def test_the_order_of_the_events_does_not_count(self, sample, random):
        order = np.array(random.sample(range(len(sample[0])), len(sample[0])))
        assert auc(*(array[order] for array in sample)) == pytest.approx(auc(*sample), abs=1e-9)

    def test_pinned(self):
        assert auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]) == 0.75
        # By hand: pairs (3, 1): 2 * 1, (3, 2): tie 2 * 0.5 / 2, over 2 * 1.5.
        assert auc([1.0, 2.0, 2.0], [0, 0, 1], [1.0, 0.5, 2.0]) == pytest.approx(2.5 / 3.0)
        # The negative event takes back a quarter of the background below the signal.
        assert auc([0.0, 0.0, 2.0, 1.0], [0, 0, 0, 1], [2.0, -0.5, 0.5, 1.0]) == 0.75

    def test_a_constant_score_is_a_coin(self):
        assert auc(np.zeros(9), np.arange(9) % 2, np.linspace(-0.2, 1.0, 9)) == pytest.approx(0.5)

    def test_few_events_are_limited_to_the_border(self):
        assert auc([0.0, 1.0, 2.0], [0, 1, 0], [2.0, 1.0, -0.5]) == 1.0

    @pytest.mark.parametrize("shape", [(6,), (6, 1), (6, 2)])
    def test_one_score_or_two_logits(self, shape):
        score = np.array([0.3, -1.0, 2.0, 0.5, 0.7, -2.0])
        logits = np.stack([-0.5 * score, 0.5 * score], axis=1) if shape == (6, 2) else score.reshape(shape)
        assert auc(logits, np.array([[0], [0], [1], [1], [0], [1]])) == auc(score, [0, 0, 1, 1, 0, 1])

    @pytest.mark.parametrize("dtype", [bool, np.int64, np.float32])
    def test_labels_of_any_type(self, dtype):
        assert auc(np.arange(4, dtype=np.float32), np.array([0, 0, 1, 1]).astype(dtype)) == 1.0

    def test_infinite_scores_have_an_order_and_nan_has_none(self):
        assert auc([-np.inf, 0.0, np.inf], [0, 0, 1]) == 1.0
        assert auc([np.inf, np.inf, -np.inf, -np.inf], [0, 1, 0, 1]) == 0.5
        assert np.isnan(auc([0.0, np.nan, 1.0], [0, 0, 1]))

    @pytest.mark.parametrize(
        ("score", "target", "weight", "message"),
        [
            ([1.0, 2.0], [1, 2], None, "auc: 1 of 2 targets are neither 0 nor 1"),
            ([1.0, 2.0], [1, 1], None, r"auc: class 0: the weights of 0 events \(0 negative\) sum to 0"),
            (
                [1.0, 2.0],
                [0, 1],
                [1.0, -1.0],
                r"auc: class 1: the weights of 1 events \(1 negative\) sum to -1",
            ),
            ([1.0, 2.0], [0, np.nan], None, "auc: 1 of 2 values of the target are NaN or infinite"),
            ([1.0], [0, 1], None, "auc: 1 predictions, 2 targets and 2 weights"),
            ([], [], None, "auc: 0 predictions"),
            (np.ones((2, 3)), [0, 1], None, r"auc: a score must be .* found \[E, 3\]"),
            ([1.0, 2.0], np.zeros((2, 2)), None, "auc: the target must be one number for each event"),
        ],
    )
    def test_mistakes(self, score, target, weight, message):
        with pytest.raises(DataError, match=message):
            auc(score, target, weight)


class TestRocCurve:
    @given(samples())
    def test_scikit_learn_for_positive_weights(self, sample):
        score, target, weight = sample
        background, signal, _ = sklearn_roc_curve(
            target, score, sample_weight=weight, drop_intermediate=False
        )
        curve = roc_curve(score, target, weight)
        np.testing.assert_allclose(curve.signal_efficiency, signal, atol=1e-9)
        np.testing.assert_allclose(curve.background_efficiency, background, atol=1e-9)

    @given(samples())
    def test_its_area_is_the_auc(self, sample):
        curve = roc_curve(*sample)
        area = np.trapezoid(curve.signal_efficiency, curve.background_efficiency)
        assert area == pytest.approx(auc(*sample), abs=1e-9)

    @given(samples(SIGNED), st.integers(2, 50))
    def test_it_rises_from_0_to_1_with_signed_weights(self, sample, points):
        for efficiency in roc_curve(*sample, points=points):
            assert efficiency[0] == 0.0
            assert efficiency[-1] == 1.0
            assert (np.diff(efficiency) >= 0).all()
            assert len(efficiency) <= points + 1

    def test_signed_weights_do_not_move_it(self):
        rng = np.random.default_rng(3)
        target = np.arange(100_000) % 2
        score = rng.normal(size=100_000) + target
        sign = np.where(rng.random(100_000) < 0.2, -1.0, 1.0)
        plain, signed = roc_curve(score, target), roc_curve(score, target, sign)
        at = np.linspace(0.0, 1.0, 21)
        difference = np.interp(at, *plain) - np.interp(at, *signed)
        # 50 000 events with 20 % negative weights are worth 18 000: sqrt(0.25 / 18 000) = 0.4 %, times 5.
        assert np.abs(difference).max() < 0.02

    def test_the_corner_of_small_background_is_fine(self):
        rng = np.random.default_rng(4)
        target = np.arange(40_000) % 2
        curve = roc_curve(rng.normal(size=40_000) + 3.0 * target, target, points=200)
        assert np.diff(curve.signal_efficiency).max() < 0.011
        assert (curve.background_efficiency < 0.01).sum() > 50

    def test_nan(self):
        with pytest.raises(DataError, match="roc_curve: a score is NaN"):
            roc_curve([0.0, np.nan], [0, 1])


class TestAccuracy:
    @given(samples())
    def test_scikit_learn_for_two_classes(self, sample):
        score, target, weight = sample
        assert accuracy(score, target, weight) == pytest.approx(
            accuracy_score(target, score > 0, sample_weight=weight), abs=1e-12
        )

    @given(st.integers(0, 2**32), st.integers(3, 6))
    def test_scikit_learn_for_many_classes(self, seed, classes):
        rng = np.random.default_rng(seed)
        logits, target, weight = (
            rng.normal(size=(30, classes)),
            rng.integers(0, classes, 30),
            rng.random(30) + 0.1,
        )
        assert accuracy(logits, target, weight) == pytest.approx(
            accuracy_score(target, logits.argmax(axis=1), sample_weight=weight)
        )

    def test_signed_weights_stay_between_0_and_1(self):
        assert accuracy([1.0, 1.0, 1.0], [1, 1, 0], [2.0, 1.0, -1.0]) == 1.0
        assert accuracy([1.0, 1.0, 1.0], [1, 0, 0], [-1.0, 1.0, 1.0]) == 0.0

    def test_one_column_and_nan(self):
        assert accuracy([[0.5], [-0.5]], [1, 1]) == 0.5
        assert np.isnan(accuracy([np.nan, 1.0], [1, 1]))

    def test_weights_must_have_a_positive_sum(self):
        with pytest.raises(DataError, match=r"accuracy: the weights of 2 events \(1 negative\) sum to 0"):
            accuracy([1.0, 1.0], [1, 0], [1.0, -1.0])
