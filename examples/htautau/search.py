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
settings: dict[str, dict[str, object]] = {
    "Darts": {"rate": 0.01},
    "Spos": {},
    "Asng": {"delta0": 0.03},
    "Gdas": {"rate": 0.03},
    "Enas": {"samples": 2},
}


def search(key: str, **more: object) -> dict[str, object] | str:
    args = settings[key]
    if key == "Asng":  # the weights first learn on uniform samples: half of all epochs
        args = args | {"warmup": 3 if more else 6}
    return {"key": key} | ({"args": args} if args else {}) | more if args or more else key


methods: dict[str, dict[str, object]] = {
    "grid": {"train.pretrain": False},
    "grid, pretrained": {"train.pretrain": True},
}
for key in settings:  # a pretrained supernet is trained for half as long as a chain alone
    methods[key.upper()] = {"train.pretrain": False, "search": search(key)}
    methods[f"{key.upper()}, pretrained"] = {
        "train.pretrain": True,
        "search": search(key, epochs=6, pretrain_epochs=4),
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
