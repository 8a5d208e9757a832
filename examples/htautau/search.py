"""The Python twin of ``search.yaml``: the same study, word for word (a test compares them).

python examples/htautau/search.py          # after `make demo`
"""

from __future__ import annotations

from pathlib import Path

import tsunagu as tn

calibrate = tn.Task(  # Task 1: jet image and momentum -> momentum of the tau
    inputs=["jet_image", "jet_p4"],
    output="tau_p4",
    model=tn.choice(cnn=tn.node("TauCNN"), mlp=tn.node("TauMLP"), scale=tn.node("ScaleFactor")),
    loss=tn.loss("four_momentum", target="true_tau_p4", weight=0.5),
)
classify = tn.Task(  # Task 2: the two tau momenta -> Higgs or Z
    inputs=["tau_p4"],
    output="score",
    model=tn.choice(lstm=tn.node("LSTM"), mlp=tn.node("MLP"), mass=tn.node("MassMLP")),
    loss=tn.loss("binary", target="is_higgs", weight=0.5),
)
searches: dict[str, dict[str, object]] = {
    "DARTS": {"key": "Darts", "args": {"rate": 0.01}},
    "SPOS": {"key": "Spos"},
    "ASNG": {"key": "Asng"},
    "GDAS": {"key": "Gdas", "args": {"rate": 0.03}},
    "ENAS": {"key": "Enas", "args": {"samples": 2}},
}
methods: dict[str, dict[str, object]] = {
    "grid": {"train.pretrain": False},
    "grid, pretrained": {"train.pretrain": True},
}
for name, search in searches.items():  # a pretrained supernet is trained for half as long as a chain alone
    methods[name] = {"train.pretrain": False, "search": search if "args" in search else search["key"]}
    methods[f"{name}, pretrained"] = {
        "train.pretrain": True,
        "search": search | {"epochs": 6, "pretrain_epochs": 4},
    }
methods["end to end"] = {
    "tasks.calibrate.model": tn.node("TauCNN"),
    "tasks.classify.model": tn.node("LSTM"),
    "train.intermediate": False,
}
study = tn.Study(
    name="H → ττ against Z → ττ",
    data=tn.Data(
        files="../../demo/htautau.parquet",
        columns={
            "jet_p4": ["jet_pt", "jet_eta", "jet_phi", "jet_mass"],
            "true_tau_p4": ["tau_full_pt", "tau_full_eta", "tau_full_phi"],
            "is_higgs": "label",
        },
        weight="train_weight",  # both classes have the same sum
    ),
    tasks={"calibrate": calibrate, "classify": classify},
    train=tn.Train(epochs=12, pretrain_epochs=6, batch_size=128, patience=4),
    metric="auc(score, is_higgs)",  # on the validation events it chooses the pair, seed by seed
    metrics=["accuracy(score, is_higgs)", "bias(tau_p4, true_tau_p4)", "resolution(tau_p4, true_tau_p4)"],
    baselines={"visible mass": "auc(vis_mass, is_higgs)"},
    methods=methods,
    seeds=10,
)

if __name__ == "__main__":
    tn.run_study(study, "demo/search", base=Path(__file__).parent)
    tn.report("demo/search")
