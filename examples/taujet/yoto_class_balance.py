"""The Python twin of ``yoto_class_balance.yaml``: the same study, word for word (a test compares them).

tsunagu sample taujet out/taujet.parquet --jets 10000
python examples/taujet/yoto_class_balance.py       # 90 trials
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

NUMBER = "tasks.tag.loss.args.one_minus_beta"
THREE = {"kernel_size": 3, "padding": 1}


def block(channels: int, out: int) -> tn.Node:
    """A residual block that halves rows and columns, and a site for the condition."""
    return tn.node("ConvResBlock", in_plane=channels, out_plane=out, conv_args=[THREE | {"stride": 2}, THREE])


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
    loss=tn.loss("class_balanced", target="is_tau", one_minus_beta=1.0),
)
fixed = {
    "1": 1.0,
    "1e-1": 1e-1,
    "1e-2": 1e-2,
    "1e-3": 1e-3,
    "3e-4": 3e-4,
    "1e-4": 1e-4,
    "1e-5": 1e-5,
    "1e-6": 1e-6,
}
study = tn.Study(
    name="Tau against QCD jets, one network for all class weights",
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
    methods={
        "all at once": {
            "tasks.tag.model.6": [tn.node("ReLU"), tn.node("FiLMSite", 32)],  # one site more
            NUMBER: tn.condition("one_minus_beta", tn.log_uniform(1e-6, 1.0)),
        }
    }
    | {label: {NUMBER: value} for label, value in fixed.items()},
    seeds=10,
)

if __name__ == "__main__":
    tn.run_study(study, "out/yoto_class_balance", base=Path(__file__).parent)
    tn.report("out/yoto_class_balance")
