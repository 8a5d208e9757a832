"""Boosted trees of scikit-learn, an outside classifier in the same measurement: their score becomes a branch of the files.

python examples/analysis/boosting.py

The folds are those of the study: a tree never sees the fold that it scores.
"""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import uproot
from sklearn.ensemble import HistGradientBoostingClassifier

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from analysis_parts import READ, TREES, boosted, boosted_inputs

from tsunagu.data import fold_of
from tsunagu.spec import load_study
from tsunagu.studies import open_study_table

FOLDS = 4


def train(folder: Path = HERE) -> None:
    """Train the trees of all folds, and write ``boosted`` into every file of the study."""
    study = load_study(folder / "analysis.yaml").study
    # One method and one baseline ask for the branch that is not there yet.
    bare = study.model_copy(update={"methods": {}, "baselines": {}})
    table = open_study_table(bare, folder, more=READ)
    columns = {name: table.columns[name].numpy() for name in READ}
    inputs, label = boosted_inputs(columns), table.columns["is_higgs"].numpy().reshape(-1)
    fold, weight = fold_of(table.event_number.numpy(), FOLDS), table.train_weight.numpy()
    trees = []
    for test in range(FOLDS):
        seen = fold != test
        each = HistGradientBoostingClassifier(
            learning_rate=0.05, max_iter=150, max_leaf_nodes=15, min_samples_leaf=30, random_state=1
        )
        trees.append(each.fit(inputs[seen], label[seen], weight[seen]))
    TREES.write_bytes(pickle.dumps(trees))
    for process in study.data.processes.values():
        _add(folder / str(process.files), trees)


def _add(path: Path, trees: list[HistGradientBoostingClassifier]) -> None:
    with uproot.open(path) as file:
        read = file["events"].arrays([*READ, "event_number"], library="np")
    score = boosted(read, read["event_number"], trees)
    with uproot.update(path) as file:
        file["events"].add_branches({"boosted": score})


if __name__ == "__main__":
    train()
