"""The Python twin of ``fine.yaml``: the same study, word for word (a test compares them).

python examples/htautau/fine.py            # says what is searched
"""

from __future__ import annotations

import tsunagu as tn
from tsunagu.spec import count

ACTIVATIONS = ("ReLU", "GELU", "Mish")


def activation() -> tn.Choice:
    """One of three layers, at the place where it stands."""
    return tn.choice(relu=tn.node("ReLU"), gelu=tn.node("GELU"), mish=tn.node("Mish"))


def depth(number: int) -> tn.Choice:
    """Two more layers of either width, or none."""
    width = tn.choice(16, 64, name=f"width {number}")
    block = [tn.node("Linear", 32, width), activation(), tn.node("Linear", width, 32)]
    return tn.choice(block=block, none=tn.node("Identity"))


cnn = tn.node(  # 54 of them, each with weights of its own: a choice in the arguments is made for the whole model
    "TauCNN",
    channels=tn.choice(8, 16, 32),
    kernel=tn.choice(3, 5),
    hidden=tn.choice(shallow=[64], middle=[64, 64], deep=[64, 64, 64]),
    activation=tn.choice(*ACTIVATIONS),
)
mlp = tn.node(  # 9
    "TauMLP",
    hidden=tn.choice(shallow=[32], middle=[32, 32], deep=[32, 32, 32]),
    activation=tn.choice(*ACTIVATIONS),
)
calibrate = tn.Task(  # Task 1: jet image and momentum -> momentum of the tau
    inputs=["jet_image", "jet_p4"],
    output="tau_p4",
    model=tn.choice(cnn=cnn, mlp=mlp, scale=tn.node("ScaleFactor")),
    loss=tn.loss("four_momentum", target="true_tau_p4", weight=0.5),
)
layers = [  # 1029, which share their layers: a choice in a list is made where it stands
    tn.node("LogMomentum"),
    tn.node("Flatten"),
    tn.node("Linear", 6, 32),
    activation(),
    *map(depth, (1, 2, 3)),
    tn.node("Linear", 32, 1),
]
classify = tn.Task(  # Task 2: the two tau momenta -> Higgs or Z
    inputs=["tau_p4"],
    output="score",
    model=tn.choice(layers=layers, lstm=tn.node("LSTM"), mass=tn.node("MassMLP")),
    loss=tn.loss("binary", target="is_higgs", weight=0.5),
)
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
    train=tn.Train(epochs=40, pretrain_epochs=10, batch_size=128, patience=None),
    metric="auc(score, is_higgs)",  # on the validation events it chooses the architecture
    metrics=["accuracy(score, is_higgs)", "resolution(tau_p4, true_tau_p4)"],
    baselines={"visible mass": "auc(vis_mass, is_higgs)"},
    seeds=3,
)

if __name__ == "__main__":
    print(f"{count(study.pipeline):,} architectures")
