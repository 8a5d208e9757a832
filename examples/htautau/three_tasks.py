"""The Python twin of ``three_tasks.yaml``: the same study, word for word (a test compares them).

python examples/htautau/three_tasks.py     # after `make demo`
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

identify = tn.Task(  # Task 1: jet image and momentum -> charged hadrons and neutral pions
    inputs=["jet_image", "jet_p4"],
    output="tag",
    model=tn.node("JetTagger"),
    loss=tn.loss("mse", target="decay", weight=0.1),
)
calibrate = tn.Task(  # Task 2: the same and the decay -> momentum of the tau
    inputs=["jet_image", "jet_p4", "tag"],
    output="tau_p4",
    model=tn.node("TauMLP", tags=2),
    loss=tn.loss("four_momentum", target="true_tau_p4", weight=0.5),
)
classify = tn.Task(  # Task 3: momenta and decays of both taus and the missing momentum -> Higgs or Z
    inputs=["tau_p4", "met", "tag"],
    output="score",
    model=tn.node("RotatedMLP", met=True, tags=2),
    loss=tn.loss("binary", target="is_higgs", weight=0.5),
)
no_tag: dict[str, object] = {  # for the last task
    "tasks.classify.inputs": ["tau_p4", "met"],
    "tasks.classify.model": tn.node("RotatedMLP", met=True),
}
no_tags = no_tag | {  # and for the one before it
    "tasks.calibrate.inputs": ["jet_image", "jet_p4"],
    "tasks.calibrate.model": tn.node("TauMLP"),
}
study = tn.Study(
    name="H → ττ against Z → ττ, three tasks",
    data=tn.Data(
        files="../../demo/htautau.parquet",
        columns={
            "jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],
            "true_tau_p4": ["tau_full_pt", "tau_full_eta", "tau_full_phi"],
            "decay": ["tau_prong", "tau_n_pi0"],
            "met": ["met_x", "met_y"],
            "is_higgs": "label",
        },
        weight="train_weight",  # both classes have the same sum
    ),
    tasks={"identify": identify, "calibrate": calibrate, "classify": classify},
    train=tn.Train(epochs=20, pretrain_epochs=10, batch_size=128, patience=6),
    metric="auc(score, is_higgs)",
    metrics=["mae(tag, decay)", "bias(tau_p4, true_tau_p4)", "resolution(tau_p4, true_tau_p4)"],
    baselines={"visible mass": "auc(vis_mass, is_higgs)"},
    methods={  # each sets several paths at once
        "both told": {"train.intermediate": True},
        "both told, end to end": {"train.intermediate": False},
        "calibration told": no_tag,
        "nobody told": no_tags,  # the first model is trained beside the others and read by none
    },
    seeds=3,
)

if __name__ == "__main__":
    tn.run_study(study, "demo/three_tasks", base=Path(__file__).parent)
    tn.report("demo/three_tasks")
