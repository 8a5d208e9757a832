"""What TorchJD has, behind our interface: the published numbers, its states, its settings."""

from __future__ import annotations

import sys

import pytest
import torch

from tsunagu.losses import Moment, Seen, find_aggregator, known_aggregators, make_aggregator
from tsunagu.losses.aggregate.torchjd import AGGREGATORS, NAMES, SCALARIZERS
from tsunagu.testing import check_aggregator_contract

pytest.importorskip("torchjd")
# Nash-MTL solves one problem only, with a solver that is going out of use.
pytestmark = pytest.mark.filterwarnings("ignore:You are solving a parameterized problem:UserWarning")
CONFLICT = ((-4.0, 1.0, 1.0), (6.0, 1.0, 1.0))
EXTRA = {"CAGrad": ("cvxpy", "clarabel"), "NashMTL": ("cvxpy", "ecos"), "FairGrad": ("scipy",)}
WEIGHTS = [0.2, 0.3, 0.5, 0.1]
SETTINGS = {
    "CAGrad": {"c": 0.5},
    "COSMOS": {"lambda_": 2.0, "weights": WEIGHTS},
    "Constant": {"weights": WEIGHTS},
    "FairGrad": {"alpha": 1.0},
    "Krum": {"n_byzantine": 1},
    "PBI": {"theta": 5.0, "weights": WEIGHTS},
    "STCH": {"mu": 0.1},
    "TrimmedMean": {"trim_number": 1},
}
TABLE = {
    "UPGrad": ((1.1109, 0.7894), (0.29290, 1.90035, 1.90035)),
    "DualProj": ((0.6109, 0.5), (0.55632, 1.11092, 1.11092)),
    "PCGrad": ((2.2222, 1.5789), (0.58479, 3.80117, 3.80117)),
    "CAGrad": ((0.7041, 0.5), (0.18350, 1.20412, 1.20412)),
    "IMTLG": ((0.5923, 0.4077), (0.0767, 1.0, 1.0)),
    "AlignedMTL": ((0.55907, 0.40826), (0.21328, 0.96733, 0.96733)),
    "ConFIG": (None, (0.15881, 2.07061, 2.07061)),
    "FairGrad": ((0.59146, 0.40707), (0.07658, 0.99853, 0.99853)),
}
"""Weights and directions of the literature; FairGrad with alpha 1 is Nash-MTL, ``G a = 1 / a``."""


def _needs(name):
    for module in EXTRA.get(name, ()):
        pytest.importorskip(module)


def _direction(combined, rows):
    return combined.weights[0] @ rows if combined.directions is None else combined.directions[0]


@pytest.mark.parametrize("name", TABLE)
def test_the_reference_table(name, seen_of):
    _needs(name)
    rows = torch.tensor(CONFLICT, dtype=torch.float64)
    combined = make_aggregator(name, SETTINGS.get(name, {})).combine(seen_of(rows))
    weights, direction = TABLE[name]
    # Those of a projection were made with a slightly regularised problem, where ours is exact.
    assert _direction(combined, rows).tolist() == pytest.approx(direction, abs=1e-3)
    if weights is not None:
        assert combined.weights[0].tolist() == pytest.approx(weights, abs=1e-3)


def test_nash_is_parallel_to_the_bargain(seen_of):
    _needs("NashMTL")
    rows = torch.tensor(CONFLICT, dtype=torch.float64)
    found = make_aggregator("NashMTL", {}).combine(seen_of(rows)).directions[0]
    assert found.tolist() == pytest.approx((0.0542, 0.7061, 0.7061), abs=1e-3)


@pytest.mark.parametrize("name", NAMES)
def test_all_of_them_keep_the_contract(name):
    _needs(name)
    check_aggregator_contract(make_aggregator(name, SETTINGS.get(name, {})), objectives=4)


def test_the_names_are_those_of_the_installed_one():
    import torchjd.aggregation
    import torchjd.scalarization

    ours = {"MGDA", "Sum", "Mean", "Constant", "Random"}
    aggregators = {n for n in torchjd.aggregation.__all__ if not n.endswith(("Weighting", "Aggregator"))}
    assert aggregators - ours == set(AGGREGATORS)
    assert set(torchjd.scalarization.__all__) - {"Scalarizer", "Sum"} == set(SCALARIZERS)


def test_uncertainties_come_to_the_logarithms_of_the_losses():
    """``.5 exp(-s) L + .5 s`` is least at s = log L, where a loss weighs 1 / (2 L)."""
    losses = torch.tensor([[0.25, 3.0]], dtype=torch.float64)
    aggregator = make_aggregator("UW", {"learning_rate": 0.02})
    states = [aggregator.begin(2)]
    for _ in range(1500):
        seen = Seen(losses=losses, states=states, moments=[Moment(1, 0)], gramian=torch.zeros(1, 0, 0))
        combined = aggregator.combine(seen)
        states = combined.states
    assert states[0]["learned"].tolist() == pytest.approx(losses[0].log().tolist(), abs=1e-3)
    assert combined.weights[0].tolist() == pytest.approx((1 / (2 * losses[0])).tolist(), rel=1e-3)


def test_dwa_weighs_by_what_two_epochs_did():
    aggregator = make_aggregator("DWA", {"temperature": 2.0})
    states = [aggregator.begin(2)]
    for epoch, losses in enumerate([(4.0, 4.0), (2.0, 4.0), (1.0, 4.0)]):
        for _ in range(3):
            seen = Seen(
                losses=torch.tensor([losses], dtype=torch.float64),
                states=states,
                moments=[Moment(1, epoch)],
                gramian=torch.zeros(1, 0, 0),
            )
            combined = aggregator.combine(seen)
            states = combined.states
    wanted = 2 * torch.softmax(torch.tensor([0.5, 1.0]) / 2.0, 0)
    assert combined.weights[0].tolist() == pytest.approx(wanted.tolist(), rel=1e-6)


def test_famo_favours_the_loss_that_falls_slower():
    aggregator = make_aggregator("FAMO", {})
    before, after = torch.tensor([[1.0, 1.0]]), torch.tensor([[0.5, 0.99]])
    states = [aggregator.begin(2)]
    for _ in range(5):
        states = aggregator.look_back(before, after, states)
    seen = Seen(losses=before.double(), states=states, moments=[Moment(1, 0)], gramian=torch.zeros(1, 0, 0))
    slow_last = aggregator.combine(seen).weights[0]
    assert slow_last[1] > slow_last[0]
    assert slow_last.sum().item() == pytest.approx(1.0)


def test_what_is_random_comes_from_the_step(seen_of):
    rows = torch.randn(4, 5, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    aggregator = make_aggregator("PCGrad", {})
    found = {
        tuple(aggregator.combine(seen_of(rows, moment=Moment(seed, 0))).weights[0].tolist())
        for seed in range(20)
    }
    assert 1 < len(found) <= 20


@pytest.mark.parametrize(
    ("key", "args", "error", "words"),
    [
        ("UPGard", {}, LookupError, r"unknown aggregator 'UPGard' \(did you mean 'UPGrad'\?\)"),
        ("STCH", {"mu": -1.0}, ValueError, "mu"),
        ("COSMOS", {"lambda_": -1.0, "weights": [0.5, 0.5]}, ValueError, "lambda_"),
    ],
)
def test_bad_settings_are_refused(key, args, error, words):
    with pytest.raises(error, match=words):
        make_aggregator(key, args)


def test_weights_for_other_losses_are_refused_before_the_first_step():
    aggregator = make_aggregator("Constant", {"weights": [0.5, 0.5]})
    aggregator.begin(2)
    with pytest.raises(ValueError, match="shape"):
        aggregator.begin(3)


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "torchjd"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchjd", None)
    assert "UPGrad" in known_aggregators()
    with pytest.raises(LookupError, match=r"pip install 'tsunagu\[objectives\]'"):
        find_aggregator("UPGrad")


@pytest.mark.parametrize(("name", "package"), [("CAGrad", "cvxpy"), ("NashMTL", "cvxpy")])
def test_a_further_package_is_named(name, package, monkeypatch):
    from torchjd import _mixins

    monkeypatch.setattr(_mixins, "find_spec", lambda _: None)
    with pytest.raises(ValueError, match=rf"{name} needs more than TorchJD: .*{package}.*pip install"):
        make_aggregator(name, SETTINGS.get(name, {}))
