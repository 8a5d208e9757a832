"""Augmentations of jet images and momenta: what each keeps, what it changes, and for which events."""

from __future__ import annotations

import math
import re

import pytest
import torch

from tsunagu.data.augment import (
    DropTracks,
    EventDraws,
    FlipEta,
    FlipPhi,
    Mixup,
    Rotate,
    Shift,
    SmearEnergy,
    find_augmentation,
    known_augmentations,
)

EVENTS = 400
NUMBERS = torch.arange(EVENTS)
DRAWS = EventDraws(NUMBERS, torch.tensor(3))


def _random(*shape, seed=1):
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


PAIRS, SINGLE = _random(EVENTS, 2, 3, 16, 16), _random(EVENTS, 3, 16, 16)
both_shapes = pytest.mark.parametrize("image", [PAIRS, SINGLE], ids=["two jets", "one jet"])
SYMMETRIES = [FlipEta(), FlipPhi(), Rotate()]
each_key = pytest.mark.parametrize(
    "key", [key for key in known_augmentations() if key not in ("mixup", "systematic")]
)


def _changed(augmentation, image, draws=DRAWS):
    return augmentation({"jet_image": image}, draws)["jet_image"]


def _by_jet(image):
    return image.reshape(-1, *image.shape[-3:])


@each_key
@both_shapes
def test_an_event_is_changed_alike_in_every_batch_and_the_batch_is_left_alone(key, image):
    augmentation, before = find_augmentation(key)(), image.clone()
    whole = _changed(augmentation, image)
    some = torch.tensor([5, 300, 5])
    assert torch.equal(_changed(augmentation, image[some], EventDraws(some, torch.tensor(3))), whole[some])
    assert torch.equal(image, before)
    assert whole.shape == image.shape
    assert not torch.equal(whole, image)
    assert not torch.equal(whole, _changed(augmentation, image, EventDraws(NUMBERS, torch.tensor(4))))


@each_key
def test_columns_that_are_not_read_are_not_needed(key):
    assert find_augmentation(key)()({"met": _random(EVENTS, 2)}, DRAWS) == {}


@both_shapes
@pytest.mark.parametrize("augmentation", SYMMETRIES, ids=lambda a: type(a).__name__)
def test_symmetries_only_move_pixels_in_every_channel_alike(augmentation, image):
    changed = _changed(augmentation, image)
    assert torch.equal(changed.flatten(-2).sort().values, image.flatten(-2).sort().values)
    marked = image[..., :1, :, :].expand(image.shape)
    moved = _changed(augmentation, marked)
    assert torch.equal(moved[..., 0, :, :], moved[..., 2, :, :])


@pytest.mark.parametrize(("augmentation", "axis"), [(FlipEta(), -2), (FlipPhi(), -1)], ids=["eta", "phi"])
@both_shapes
def test_half_of_the_jets_are_reflected_about_their_own_axis(augmentation, axis, image):
    jets, changed = _by_jet(image), _by_jet(_changed(augmentation, image))
    same = (changed == jets).flatten(1).all(1)
    turned = (changed == jets.flip(axis)).flatten(1).all(1)
    assert bool((same ^ turned).all())
    assert abs(float(turned.float().mean()) - 0.5) < 4 * 0.5 / math.sqrt(len(jets))


def test_jets_of_an_event_are_reflected_independently_but_with_it_together():
    alone = _changed(FlipEta(), PAIRS) != PAIRS
    each = alone.flatten(2).any(2)
    assert 0.35 < float((each[:, 0] == each[:, 1]).float().mean()) < 0.65
    momenta = _random(EVENTS, 2, 4)
    made = FlipEta(momenta="jet_p4")({"jet_image": PAIRS, "jet_p4": momenta}, DRAWS)
    each = (made["jet_image"] != PAIRS).flatten(2).any(2)
    assert torch.equal(each[:, 0], each[:, 1])
    assert torch.equal(each[:, 0], (made["jet_p4"] != momenta).flatten(1).any(1))


def test_a_reflected_event_is_reflected_in_all_that_is_named():
    batch = {
        "jet_p4": _random(EVENTS, 2, 4, seed=2),
        "tau": _random(EVENTS, 2, 3, seed=3),
        "eta": _random(EVENTS, 2, seed=4),
        "phi": _random(EVENTS, seed=5),
        "met": _random(EVENTS, 2, seed=6),
    }
    momenta = ["jet_p4", "tau"]
    eta = FlipEta(image=None, momenta=momenta, eta=["eta"], probability=1.0)(batch, DRAWS)
    phi = FlipPhi(image=None, momenta=momenta, phi="phi", met="met", probability=1.0)(batch, DRAWS)
    for name in momenta:
        signs = torch.ones(batch[name].shape[-1])
        torch.testing.assert_close(eta[name], batch[name] * signs.index_fill(0, torch.tensor(1), -1))
        torch.testing.assert_close(phi[name], batch[name] * signs.index_fill(0, torch.tensor(2), -1))
    assert torch.equal(eta["eta"], -batch["eta"])
    assert torch.equal(phi["phi"], -batch["phi"])
    assert torch.equal(phi["met"], batch["met"] * torch.tensor([1.0, -1.0]))
    assert set(eta) == {"jet_p4", "tau", "eta"}


def test_invariant_masses_survive_a_reflection():
    def mass(p4):
        pt, eta, phi, m = p4.unbind(-1)
        p = torch.stack([pt * phi.cos(), pt * phi.sin(), pt * eta.sinh()], -1)
        energy = (p.square().sum(-1) + m.square()).sqrt().sum(1)
        return (energy.square() - p.sum(1).square().sum(-1)).sqrt()

    p4 = _random(EVENTS, 2, 4) + torch.tensor([1.0, -0.5, -0.5, 0.0])
    for flip in (FlipEta, FlipPhi):
        changed = flip(image=None, momenta="p4")({"p4": p4}, DRAWS)["p4"]
        torch.testing.assert_close(mass(changed), mass(p4), rtol=1e-4, atol=1e-4)


def test_quarter_turns_are_the_four_of_torch_and_equally_often():
    changed = _changed(Rotate(), SINGLE)
    turns = torch.stack([(changed == torch.rot90(SINGLE, k, (2, 3))).flatten(1).all(1) for k in range(4)])
    assert turns.sum(0).tolist() == [1] * EVENTS
    assert ((turns.float().mean(1) - 0.25).abs() < 0.09).all()


def test_any_angle_keeps_the_energy_near_the_axis_and_the_distance_from_it():
    image = torch.zeros(EVENTS, 1, 16, 16)
    image[:, 0, 10, 8] = 1.0
    changed = _changed(Rotate(degrees=180.0), image)
    torch.testing.assert_close(changed.sum((1, 2, 3)), torch.ones(EVENTS))
    offset = torch.arange(16) - 7.5
    middle = torch.stack([(changed.sum(axis) * offset).sum((1, 2)) for axis in (3, 2)])
    assert (middle.norm(dim=0) - math.hypot(2.5, 0.5)).abs().max() < 1e-3
    assert middle.std() > 1.0


def test_a_shift_moves_all_channels_and_lets_nothing_in():
    image = torch.zeros(EVENTS, 3, 16, 16)
    image[:, :, 8, 8] = 1.0
    image[:, :, 0, 0] = 5.0
    changed = _changed(Shift(pixels=2), image)
    place = (changed[:, 0] == 1.0).flatten(1).float().argmax(1)
    rows, columns = place // 16 - 8, place % 16 - 8
    assert set(rows.tolist()) == set(columns.tolist()) == {-2, -1, 0, 1, 2}
    assert abs(float(torch.corrcoef(torch.stack([rows, columns]).float())[0, 1])) < 0.2
    lost = (rows < 0) | (columns < 0)
    assert torch.equal(changed[:, 1].sum((1, 2)), torch.where(lost, 1.0, 6.0))


def test_smearing_has_the_resolution_that_it_names_and_leaves_tracks_and_gaps():
    image = torch.full((EVENTS, 3, 16, 16), 25.0)
    image[:, 1, 0] = 0.0
    image[:, 1, 1] = -0.5
    changed = _changed(SmearEnergy(stochastic=0.5, constant=0.03), image)
    assert torch.equal(changed[:, 0], image[:, 0])
    assert torch.equal(changed[:, 1, :2], image[:, 1, :2])
    ratio = changed[:, 2] / 25.0
    assert abs(float(ratio.mean()) - 1.0) < 0.003
    assert abs(float(ratio.std()) / math.hypot(0.5 / 5.0, 0.03) - 1.0) < 0.02
    assert float(_changed(SmearEnergy(stochastic=50.0), image)[:, 2].min()) == 0.0


def test_tracks_are_dropped_one_by_one():
    changed = _changed(DropTracks(probability=0.3), PAIRS + 0.1)
    assert torch.equal(changed[:, :, 1:], (PAIRS + 0.1)[:, :, 1:])
    gone = (changed[:, :, 0] == 0).float()
    assert abs(float(gone.mean()) - 0.3) < 0.01
    assert abs(float(torch.corrcoef(gone[:, :, 3, 4].T)[0, 1])) < 0.2


def test_mixup_mixes_inputs_labels_and_says_of_whom():
    mixup = Mixup(target="label", columns=["x", "image"], alpha=0.4, classes=3)
    partner, share = mixup.pairs(64, 5)
    assert sorted(partner.tolist()) == list(range(64))
    assert torch.equal(mixup.pairs(64, 5)[1], share)
    assert not torch.equal(mixup.pairs(64, 6)[1], share)
    batch = {
        "x": _random(64),
        "image": _random(64, 2, 4),
        "label": torch.arange(64) % 3,
        "other": _random(64),
    }
    made = mixup.mixed(batch, {name: value[partner] for name, value in batch.items()}, share)
    assert set(made) == {"x", "image", "label"}
    wide = share[:, None, None]
    torch.testing.assert_close(made["image"], wide * batch["image"] + (1 - wide) * batch["image"][partner])
    torch.testing.assert_close(made["label"].sum(1), torch.ones(64))
    own = made["label"].gather(1, batch["label"][:, None])[:, 0]
    same = batch["label"] == batch["label"][partner]
    torch.testing.assert_close(own, torch.where(same, torch.ones(()), share))


@pytest.mark.parametrize(
    ("key", "args", "message"),
    [
        ("flip_eta", {"probability": 1.5}, "a probability is from 0 to 1, found 1.5"),
        ("drop_tracks", {"probability": -0.1}, "a probability"),
        ("rotate", {"degrees": 200.0}, "degrees are from 0 to 180"),
        ("shift", {"pixels": 0}, "by 1 pixel at least"),
        ("smear_energy", {"constant": -1.0}, "a resolution is 0 or more"),
        ("mixup", {"target": "y", "columns": ["x"], "alpha": 0.0}, "alpha must be positive"),
    ],
)
def test_settings_that_mean_nothing_are_refused(key, args, message):
    with pytest.raises(ValueError, match=message):
        find_augmentation(key)(**args)


TABLE = {
    "jet_image": PAIRS,
    "wide": _random(4, 3, 16, 8),
    "p4": _random(4, 2),
    "met": _random(4, 1),
    "label": torch.tensor([0, 1, 2]),
}


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (FlipEta(image="p4"), "column 'p4' is .E, 2., but an image"),
        (Shift(image="label"), "but an image"),
        (Rotate(image="wide"), "as many rows as columns"),
        (FlipEta(momenta="p4"), r"column 'p4' is .E, 2., but \(pt, eta, phi, ...\) is expected"),
        (FlipPhi(met="met"), r"but \(x, y\) is expected"),
        (SmearEnergy(channels=[1, 3]), r"has the channels 0 to 2, found \[3\]"),
        (DropTracks(channel=3), "has the channels 0 to 2"),
        (Mixup(target="label", columns=["label"]), "holds whole numbers, which cannot be mixed"),
        (Mixup(target="label", columns=["p4"]), "has the classes 0 to 2, but 2 are expected"),
        (Mixup(target="p4", columns=["p4"]), "is not one class for each event"),
    ],
)
def test_columns_that_do_not_fit_are_named(augmentation, message):
    assert re.search(message, augmentation.check(TABLE))


@pytest.mark.parametrize(
    "augmentation", [*SYMMETRIES, Shift(), SmearEnergy(), DropTracks(), Rotate(degrees=9.0)]
)
def test_images_of_the_samples_fit(augmentation):
    assert augmentation.check(TABLE) is None
