"""What can be wrong with the sampling and the augmentations of a pipeline, found before a training."""

from __future__ import annotations

import dataclasses

import pytest

from tsunagu.errors import SpecError
from tsunagu.spec import Folds, LossTerm, Pipeline, Task, Train, choice, node
from tsunagu.tasks import augmentations_of, check_data, check_pipeline, sampling_of

COLUMNS = {"jet_image", "jet_p4", "true_tau_p4", "is_higgs", "jet_pt", "vis_mass"}
FROZEN = (
    "train.augment: needs train.joint: the outputs of frozen tasks are made once, of the events as they are; "
    "set train.joint to true"
)
MIXUP = node("mixup", target="is_higgs", columns=["jet_p4"])


def _single(loss="binary", **train):
    model = [node("Flatten"), node("Linear", 8, 2 if loss == "cross_entropy" else 1)]
    task = Task(inputs=["jet_p4"], output="score", model=model, loss=LossTerm(key=loss, target="is_higgs"))
    return Pipeline(tasks={"classify": task}, train=Train(**train), metric="mse(vis_mass, vis_mass)")


@pytest.mark.parametrize(
    ("train", "found"),
    [
        (
            {"sampling": "ballanced"},
            "train.sampling.key: unknown sampling 'ballanced' (did you mean 'balanced'?)",
        ),
        (
            {"sampling": node("balanced", of="x")},
            "train.sampling.args.of: unknown argument 'of' (valid: by)",
        ),
        (
            {"sampling": node("balanced", by="is_higs")},
            "train.sampling.args.by: 'is_higs' is no column and no loss (did you mean 'is_higgs'?)",
        ),
        (
            {"sampling": choice(a="natural", b="balancd")},
            "train.sampling.choice.b.key: unknown sampling 'balancd' (did you mean 'balanced'?)",
        ),
        (
            {"augment": [node("flip_eta"), node("flip_rho")]},
            "train.augment.1.key: unknown augmentation 'flip_rho' (did you mean 'flip_phi'?)",
        ),
        (
            {"augment": [node("shift", pixel=2)]},
            "train.augment.0.args.pixel: unknown argument 'pixel' (did you mean 'pixels'?)",
        ),
        (
            {"augment": [node("shift", pixels=0)]},
            "train.augment.0.args: a shift is by 1 pixel at least, found 0",
        ),
        (
            {"augment": [node("flip_eta", momenta="true_tau_4p")]},
            "train.augment.0: unknown column 'true_tau_4p' (did you mean 'true_tau_p4'?)",
        ),
        (
            {"augment": [node("flip_eta")], "joint": False},
            FROZEN,
        ),
        ({"augment": [MIXUP, node("flip_eta")]}, "train.augment.0: mixup stands once, and last"),
    ],
)
def test_a_mistake_has_its_place_and_its_remedy(pipeline_of, train, found):
    assert found in [str(mistake) for mistake in check_pipeline(pipeline_of(**train), COLUMNS)]


def test_mixup_needs_losses_that_take_probabilities(pipeline_of):
    (mistake,) = check_pipeline(pipeline_of(augment=[MIXUP]), COLUMNS)
    assert str(mistake).startswith("train.augment.0: four_momentum(true_tau_p4) takes no mixed 'is_higgs'")
    classes = node("mixup", target="is_higgs", columns=["jet_p4"], classes=2)
    for loss, fits, not_fits in (("binary", MIXUP, classes), ("cross_entropy", classes, MIXUP)):
        assert not check_pipeline(_single(loss, augment=[fits]), COLUMNS)
        assert len(check_pipeline(_single(loss, augment=[not_fits]), COLUMNS)) == 1


def test_what_fits_is_let_through_and_made(pipeline_of, table):
    augment = [node("flip_phi", momenta=["jet_p4", "true_tau_p4"]), node("rotate"), node("smear_energy")]
    pipeline = pipeline_of(augment=augment, sampling="balanced")
    assert not check_pipeline(pipeline, COLUMNS)
    check_data(pipeline, table)
    assert [type(each).__name__ for each in augmentations_of(pipeline)] == [
        "FlipPhi",
        "Rotate",
        "SmearEnergy",
    ]


@pytest.mark.parametrize("by", [None, "is_higgs", "binary"])
def test_the_classes_are_a_column_or_the_target_of_a_loss(pipeline_of, table, by):
    args = {} if by is None else {"by": by}
    rows = table.split(Folds()).train
    made = sampling_of(pipeline_of(sampling=node("undersample", **args)), table, rows)
    label = table.columns["is_higgs"][rows]
    assert made.sizes.tolist() == label.bincount().tolist()


def test_a_column_that_nobody_reads_cannot_be_changed(table):
    few = dataclasses.replace(table, columns={n: v for n, v in table.columns.items() if n != "jet_image"})
    with pytest.raises(SpecError, match=r"train.augment.0: no task reads .* 'jet_image'; leave it out"):
        check_data(_single(augment=[node("flip_eta", momenta="jet_p4")]), few)
    check_data(_single(augment=[node("flip_eta", image=None, momenta="jet_p4")]), few)


def test_without_one_target_of_classes_it_must_be_said(pipeline_of, table):
    task = Task(inputs=["jet_p4"], output="y", model=node("ReLU"), loss=LossTerm(key="mse", target="jet_p4"))
    pipeline = Pipeline(tasks={"fit": task}, train=Train(sampling=node("balanced")), metric="mse(y, jet_p4)")
    with pytest.raises(
        SpecError, match=r"train.sampling: no target of a loss is the column of classes; say it, as"
    ):
        check_data(pipeline, table)


@pytest.mark.parametrize(
    ("train", "message"),
    [
        (
            {"sampling": node("balanced", by="vis_mass")},
            "train.sampling: .*column 'vis_mass': .* needs classes, whole",
        ),
        (
            {"augment": [node("flip_eta", image="jet_p4")]},
            "train.augment.0: .*column 'jet_p4' is .E, 2, 4., but an image",
        ),
    ],
)
def test_columns_that_do_not_fit_are_found_with_the_events(pipeline_of, table, train, message):
    with pytest.raises(SpecError, match=message):
        check_data(pipeline_of(**train), table)
