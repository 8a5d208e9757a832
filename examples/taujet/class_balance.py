"""The Python twin of ``class_balance.yaml``: the same study, word for word (a test compares them).

tsunagu sample taujet out/taujet.parquet --jets 10000
python examples/taujet/class_balance.py            # 190 trials
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tsunagu as tn

THREE = {"kernel_size": 3, "padding": 1}


def block(channels: int, out: int) -> tn.Node:
    """A residual block that halves rows and columns."""
    return tn.node("ConvResBlock", in_plane=channels, out_plane=out, conv_args=[THREE | {"stride": 2}, THREE])


def with_loss(key: str, **settings: Any) -> dict[str, Any]:
    """What a method sets that takes another loss."""
    return {"tasks.tag.loss": tn.loss(key, target="is_tau", **settings)}


tag = tn.Task(
    inputs=["jet_image"],
    output="logits",
    model=[  # a small relative of the talk's ResNet
        tn.node("LogImage"),
        block(3, 8),
        block(8, 16),
        tn.node("AdaptiveAvgPool2d", 2),
        tn.node("Flatten"),
        tn.node("Linear", 64, 32),
        tn.node("ReLU"),
        tn.node("Linear", 32, 2),
    ],
    loss=tn.loss("cross_entropy", target="is_tau"),
)
balances = {
    "1": 1.0,
    "1e-1": 1e-1,
    "1e-2": 1e-2,
    "1e-3": 1e-3,
    "3e-4": 3e-4,
    "1e-4": 1e-4,
    "1e-5": 1e-5,
    "1e-6": 1e-6,
}
scan = {f"CB {label}": with_loss("class_balanced", one_minus_beta=value) for label, value in balances.items()}
augmented = {
    "train.augment": [tn.node("flip_eta"), tn.node("flip_phi"), tn.node("shift"), tn.node("smear_energy")]
}
study = tn.Study(
    name="Tau against QCD jets, 10 to 90",
    data=tn.Data(
        files="../../out/taujet.parquet",  # matched pt, 1 to 4 core tracks, 30 collisions of pile-up
        columns={"is_tau": "jet_is_tau"},
        keep={"jet_is_tau": {"1": 0.111}},  # half and half in the file, 90 to 10 of what is kept
    ),
    tasks={"tag": tag},
    train=tn.Train(epochs=40, batch_size=128, patience=15),
    metric="auc(logits, is_tau)",
    metrics=[
        "efficiency(logits, is_tau, class=0)",  # accuracy of the major class
        "efficiency(logits, is_tau, class=1)",  # and of the minor one
        "accuracy(logits, is_tau)",
        "balanced_accuracy(logits, is_tau)",
    ],
    methods=scan
    | {
        "ICE": with_loss("inverse_frequency"),
        "focal": with_loss("focal", gamma=2.0),
        "CB focal 1e-4": with_loss("class_balanced_focal", one_minus_beta=1e-4, gamma=1.0),
        "logit adjustment": with_loss("logit_adjusted"),
        "LDAM": {"tasks.tag.model.7": tn.node("Cosine", 32, 2)}
        | with_loss("ldam")
        | {"train.patience": None},  # its class weights come late
        "affinity": {
            "tasks.tag.model.7": [
                tn.node("BatchNorm1d", num_features=32, affine=False),
                tn.node("Affinity", 32, 2),
            ]
        }
        | with_loss("affinity"),
        "balanced sampling": {"train.sampling": "balanced"},
        "undersampling": {  # epochs of a fifth
            "train.sampling": "undersample",
            "train.epochs": 200,
            "train.patience": 75,
        },
        "oversampling": {"train.sampling": "oversample", "train.epochs": 22},  # of 1.8 times the events
        "augmentation": augmented,
        "augmentation, CB 1e-4": augmented | with_loss("class_balanced", one_minus_beta=1e-4),
    },
    seeds=10,
)

if __name__ == "__main__":
    tn.run_study(study, "out/class_balance", base=Path(__file__).parent)
    tn.report("out/class_balance")
