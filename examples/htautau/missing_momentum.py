"""The Python twin of ``missing_momentum.yaml``: the same study, word for word (a test compares them).

python examples/htautau/missing_momentum.py    # after `make demo`; 42 trials, a minute on one core
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

TALK = {"LSTM": "LSTM", "MLP": "MLP", "mass": "MassMLP"}
FRAMED = {"rotated": "RotatedMLP", "residual": "ResidualMLP", "sets": "DeepSets", "attention": "TauAttention"}

classify = tn.Task(  # two jets and the missing momentum -> Higgs or Z
    inputs=["jet_p3", "met"],  # by position, since no network has an argument jet_p3
    output="score",
    model=tn.node("MLP", met=True),
    loss=tn.loss("binary", target="is_higgs"),
)
methods: dict[str, dict[str, object]] = {}  # each sets several paths at once
for label, key in (TALK | FRAMED).items():
    methods[label] = {"tasks.classify.model": tn.node(key), "tasks.classify.inputs": ["jet_p3"]}
    methods[f"{label}, met"] = {"tasks.classify.model": tn.node(key, met=True)}
study = tn.Study(
    name="H → ττ against Z → ττ, jets and missing momentum",
    data=tn.Data(
        files="../../demo/htautau.parquet",
        columns={
            "jet_p3": ["jet_pt", "jet_eta", "jet_phi"],
            "met": ["met_x", "met_y"],
            "is_higgs": "label",
        },
        weight="train_weight",  # both classes have the same sum
    ),
    tasks={"classify": classify},
    train=tn.Train(epochs=20, batch_size=128),
    metric="auc(score, is_higgs)",
    baselines={"visible mass": "auc(vis_mass, is_higgs)"},
    methods=methods,
    seeds=3,
)

if __name__ == "__main__":
    tn.run_study(study, "demo/missing_momentum", base=Path(__file__).parent)
    tn.report("demo/missing_momentum")
