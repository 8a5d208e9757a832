"""The Python twin of ``yoto_multitask.yaml``: the same study, word for word (a test compares them).

tsunagu sample taujet out/taujet.parquet --jets 10000
python examples/taujet/yoto_multitask.py           # 150 trials
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

THREE = {"kernel_size": 3, "padding": 1}
WEIGHTS = "tasks.classify.loss.weight", "tasks.calibrate.loss.weight"
TRADE = tn.simplex("classify", "calibrate")
ALL_AT_ONCE = {
    path: tn.condition("trade", TRADE, part=part)
    for path, part in zip(WEIGHTS, ("classify", "calibrate"), strict=True)
}
GELU = {"activation": "GELU"}

trunk = tn.Task(
    inputs=["jet_image"],
    output="features",
    model=[
        tn.node("LogImage"),
        tn.node("ConvResBlock", in_plane=3, out_plane=8, conv_args=[THREE | {"stride": 2}, THREE], **GELU),
        tn.node("AdaptiveAvgPool2d", 2),
        tn.node("Flatten"),
        tn.node("MLPBlock", n_input=32, n_output=8, **GELU),  # 8 numbers a jet: two tasks must share them
    ],
    loss=[],  # those of both tasks reach it
)
classify = tn.Task(
    inputs=["features"],
    output="logits",
    model=[tn.node("MLPBlock", n_input=8, n_output=16, **GELU), tn.node("Linear", 16, 2)],
    loss=tn.loss("cross_entropy", target="is_tau", weight=0.5),
)
calibrate = tn.Task(
    inputs=["features", "jet_p4"],
    output="tau_p4",
    model=tn.node("CalibrationHead", features=8, hidden=[16], **GELU),
    loss=tn.loss("four_momentum", target="true_tau_p4", weight=0.5, pt_scale=0.03),  # in units of 33 GeV
)
study = tn.Study(
    name="Taus told apart and calibrated, one network for all weights",
    data=tn.Data(
        files="../../out/taujet.parquet",
        columns={
            "jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],  # GeV, -, rad, GeV
            "true_tau_p4": ["tau_full_pt", "tau_full_eta", "tau_full_phi"],  # with the neutrinos
            "is_tau": "jet_is_tau",
        },
        missing={"tau_full_pt": 0.0, "tau_full_eta": 0.0, "tau_full_phi": 0.0},  # a jet has none
    ),
    tasks={"trunk": trunk, "classify": classify, "calibrate": calibrate},
    train=tn.Train(
        pretrain=False,  # the trunk has no truth of its own
        epochs=40,
        batch_size=256,
        optimizer=tn.node("Adam", lr=3e-3),
        schedule="cosine",
        patience=None,
    ),
    metric="auc(logits, is_tau)",
    metrics=["resolution(tau_p4, true_tau_p4)", "bias(tau_p4, true_tau_p4)"],
    methods={
        "all at once": ALL_AT_ONCE,  # by the weighted sum
        "all at once, STCH": ALL_AT_ONCE | {"train.scalarise": tn.node("stch", mu=0.05, events=32)},
    }
    | tn.weight_scan(*WEIGHTS)
    | {
        "MGDA": {"train.aggregate": tn.node("mgda", features=True)},
        "UPGrad": {"train.aggregate": "UPGrad"},
    },
    seeds=10,
)

if __name__ == "__main__":
    tn.run_study(study, "out/yoto_multitask", base=Path(__file__).parent)
    tn.report("out/yoto_multitask")
