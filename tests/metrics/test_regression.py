"""Errors and the calibration."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import mean_absolute_error, mean_squared_error

from tsunagu.errors import DataError
from tsunagu.metrics import bias, mae, mse, resolution

VALUES = hnp.arrays(np.float64, (6, 2), elements=st.floats(-100, 100, width=32))
WEIGHTS = hnp.arrays(np.float64, 6, elements=st.floats(0.01, 10))


@given(VALUES, VALUES, WEIGHTS)
def test_scikit_learn_for_positive_weights(prediction, target, weight):
    for ours, oracle in ((mse, mean_squared_error), (mae, mean_absolute_error)):
        assert ours(prediction, target, weight) == pytest.approx(
            oracle(target, prediction, sample_weight=weight)
        )


@pytest.mark.parametrize("metric", [mse, mae])
class TestErrors:
    def test_any_shape(self, metric):
        target = np.arange(24.0).reshape(4, 2, 3)
        assert metric(target + 1.0, target) == 1.0
        assert metric(target[:, 0, 0] + 1.0, target[:, 0, 0]) == 1.0

    def test_negative_weights_count_with_their_sign(self, metric):
        assert metric([1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [2.0, 1.0, -0.5]) == pytest.approx(0.2)

    def test_a_negative_result_is_set_to_zero_and_nan_stays(self, metric):
        assert metric([0.0, 1.0], [0.0, 0.0], [2.0, -1.0]) == 0.0
        assert np.isnan(metric([np.nan, 1.0], [0.0, 0.0]))

    def test_shapes_must_be_equal(self, metric):
        with pytest.raises(DataError, match=r"prediction \[E, 1\] and target \[E\] differ in shape"):
            metric(np.ones((3, 1)), np.ones(3))


def momenta(pt):
    pt = np.asarray(pt, dtype=float)
    return np.stack([pt, np.ones_like(pt), np.zeros_like(pt)], axis=-1)


class TestCalibration:
    def test_a_gaussian_response(self):
        rng = np.random.default_rng(1)
        truth = rng.uniform(30.0, 90.0, (50_000, 2))
        prediction = momenta(truth * rng.normal(1.03, 0.103, truth.shape))
        # The central 68 % are 0.9945 standard deviations to each side; statistical errors are about 0.05 %.
        assert bias(prediction, momenta(truth)) == pytest.approx(0.03, abs=0.003)
        assert resolution(prediction, momenta(truth)) == pytest.approx(0.1 * 0.99446, abs=0.002)

    @given(st.floats(0.5, 2.0))
    def test_a_scale_moves_the_bias_and_not_the_resolution(self, scale):
        pt = np.array([[20.0, 22.0], [25.0, 30.0], [50.0, 41.0]])
        truth = np.full((3, 2), 30.0)
        assert bias(momenta(pt * scale), momenta(truth)) == pytest.approx(
            (bias(momenta(pt), momenta(truth)) + 1) * scale - 1
        )
        assert resolution(momenta(pt * scale), momenta(truth)) == pytest.approx(
            resolution(momenta(pt), momenta(truth))
        )

    def test_pinned_with_weights(self):
        truth = momenta([10.0] * 5)
        prediction = momenta([8.0, 9.0, 10.0, 11.0, 12.0])
        # The weights put 10 % below 0.9, and 20 % above 1.1: q16 = 0.9, q50 = 1.0, q84 = 1.2.
        weight = [1.0, 2.0, 2.0, 3.0, 2.0]
        assert bias(prediction, truth, weight) == pytest.approx(0.0)
        assert resolution(prediction, truth, weight) == pytest.approx(0.15)

    def test_both_taus_have_the_weight_of_the_event(self):
        prediction, truth = momenta([[8.0, 12.0], [10.0, 14.0]]), momenta([[10.0, 10.0], [10.0, 10.0]])
        flat = momenta([8.0, 12.0, 10.0, 14.0]), momenta([10.0] * 4)
        for metric in (bias, resolution):
            assert metric(prediction, truth, [3.0, 1.0]) == metric(*flat, [3.0, 3.0, 1.0, 1.0])

    def test_angles_do_not_count(self):
        prediction, truth = momenta([8.0, 9.0]), momenta([10.0, 10.0])
        turned = prediction + np.array([0.0, 1.0, 2.0])
        assert bias(turned, truth) == bias(prediction, truth)
        assert resolution(turned, truth) == resolution(prediction, truth)

    def test_no_usable_calibration_is_infinitely_wide(self):
        assert resolution(momenta([0.0, 0.0]), momenta([10.0, 10.0])) == np.inf
        assert bias(momenta([0.0, 0.0]), momenta([10.0, 10.0])) == -1.0

    @pytest.mark.parametrize("metric", [bias, resolution])
    def test_what_is_not_finite_is_nan(self, metric):
        assert np.isnan(metric(momenta([np.nan, 1.0]), momenta([1.0, 1.0])))
        assert np.isnan(metric(momenta([np.inf, 1.0]), momenta([1.0, 1.0])))

    @pytest.mark.parametrize("metric", [bias, resolution])
    def test_mistakes(self, metric):
        with pytest.raises(DataError, match="1 of 2 true transverse momenta are negative"):
            metric(momenta([1.0, 1.0]), momenta([-1.0, 1.0]))
        with pytest.raises(DataError, match=r"expected momenta \[E, 3\] or \[E, taus, 3\], found \[E, 4\]"):
            metric(np.ones((5, 4)), np.ones((5, 4)))
        with pytest.raises(DataError, match="differ in shape"):
            metric(np.ones((5, 2, 3)), np.ones((5, 3)))
