"""The Python twin of ``yoto_search.yaml``: the same study, word for word (a test compares them).

tsunagu sample taujet out/taujet.parquet --jets 10000
python examples/taujet/yoto_search.py           # 15 trials
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

THREE = {"kernel_size": 3, "padding": 1}
TRADE = tn.simplex("classify", "calibrate")
SHARE = {task: tn.condition("trade", TRADE, part=task) for task in ("classify", "calibrate")}

trunk = tn.Task(
    inputs=["jet_image"],
    output="features",
    model=tn.choice(
        conv=[  # sees shapes
            tn.node("LogImage"),
            tn.node("ConvResBlock", in_plane=3, out_plane=8, conv_args=[THREE | {"stride": 2}, THREE]),
            tn.node("AdaptiveAvgPool2d", 2),
            tn.node("Flatten"),
            tn.node("MLPBlock", n_input=32, n_output=8),
        ],
        pixels=[  # sees each cell
            tn.node("LogImage"),
            tn.node("Flatten"),
            tn.node("MLPBlock", n_input=768, n_output=32),
            tn.node("MLPBlock", n_input=32, n_output=8),
        ],
        sums=[  # sees the energies of the planes only
            tn.node("LogImage"),
            tn.node("AdaptiveAvgPool2d", 1),
            tn.node("Flatten"),
            tn.node("MLPBlock", n_input=3, n_output=32),
            tn.node("MLPBlock", n_input=32, n_output=8),
        ],
        name="trunk",
    ),
    loss=[],  # those of both tasks reach it
)
classify = tn.Task(
    inputs=["features"],
    output="logits",
    model=[tn.node("MLPBlock", n_input=8, n_output=16), tn.node("Linear", 16, 2)],
    loss=tn.loss("cross_entropy", target="is_tau", weight=SHARE["classify"]),
)
calibrate = tn.Task(
    inputs=["features", "jet_p4"],
    output="tau_p4",
    model=tn.node("CalibrationHead", features=8, hidden=[32]),
    loss=tn.loss(
        "four_momentum", target="true_tau_p4", weight=SHARE["calibrate"], pt_scale=0.1
    ),  # in units of 10 GeV
)
study = tn.Study(
    name="Taus told apart and calibrated, network and weight after one training",
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
        epochs=20,
        batch_size=256,
        optimizer=tn.node("Adam", lr=3e-3),
        schedule="cosine",
        patience=None,
    ),
    metric="auc(logits, is_tau)",
    metrics=["resolution(tau_p4, true_tau_p4)", "bias(tau_p4, true_tau_p4)"],
    methods={
        "one supernet": {
            "search": tn.Search(
                key="Spos",
                args={"fair": True},  # all trunks learn equally often
                epochs=40,  # the heads are shared, and learn for three trunks
                at={"trade": {"classify": 0.8, "calibrate": 0.2}},
            )
        },
        "each alone": {"search": None},
    },
    seeds=3,
)

if __name__ == "__main__":
    tn.run_study(study, "out/yoto_search", base=Path(__file__).parent)
    tn.report("out/yoto_search")
