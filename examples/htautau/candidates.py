"""The Python twin of ``candidates.yaml``: the same study, word for word (a test compares them).

python examples/htautau/candidates.py      # after `make demo`; 117 trials
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

TALK = {"lstm": "LSTM", "mlp": "MLP", "mass": "MassMLP"}
FRAMED = {"rotated": "RotatedMLP", "residual": "ResidualMLP", "sets": "DeepSets", "attention": "TauAttention"}


def candidates(keys: dict[str, str], **args: object) -> tn.Choice:
    return tn.choice(**{label: tn.node(key, **args) for label, key in keys.items()})


calibrate = tn.Task(  # Task 1: jet image and momentum -> momentum of the tau
    inputs=["jet_image", "jet_p4"],
    output="tau_p4",
    model=tn.choice(cnn=tn.node("TauCNN"), mlp=tn.node("TauMLP"), scale=tn.node("ScaleFactor")),
    loss=tn.loss("four_momentum", target="true_tau_p4", weight=0.5),
)
classify = tn.Task(  # Task 2: the two tau momenta and the missing momentum -> Higgs or Z
    inputs=["tau_p4", "met"],
    output="score",
    model=candidates(TALK | FRAMED, met=True),
    loss=tn.loss("binary", target="is_higgs", weight=0.5),
)
study = tn.Study(
    name="H → ττ against Z → ττ",
    data=tn.Data(
        files="../../demo/htautau.parquet",
        columns={
            "jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],
            "true_tau_p4": ["tau_full_pt", "tau_full_eta", "tau_full_phi"],
            "met": ["met_x", "met_y"],
            "is_higgs": "label",
        },
        weight="train_weight",  # both classes have the same sum
    ),
    tasks={"calibrate": calibrate, "classify": classify},
    train=tn.Train(epochs=12, pretrain_epochs=6, batch_size=128, patience=4),
    metric="auc(score, is_higgs)",  # on the validation events it chooses the pair, seed by seed
    metrics=["accuracy(score, is_higgs)", "resolution(tau_p4, true_tau_p4)"],
    baselines={"visible mass": "auc(vis_mass, is_higgs)"},
    methods={  # each sets several paths at once
        "talk": {
            "search": "Spos",
            "tasks.classify.model": candidates(TALK),
            "tasks.classify.inputs": ["tau_p4"],
        },
        "talk, missing momentum": {"search": "Spos", "tasks.classify.model": candidates(TALK, met=True)},
        "all, missing momentum": {"search": "Spos"},
        "end to end, missing momentum": {
            "tasks.calibrate.model": tn.node("TauCNN"),
            "tasks.classify.model": tn.node("ResidualMLP", met=True),
            "train.intermediate": False,
        },
    },
    seeds=10,
)

if __name__ == "__main__":
    tn.run_study(study, "demo/candidates", base=Path(__file__).parent)
    tn.report("demo/candidates")
