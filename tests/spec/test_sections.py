"""Files of models: which files are such, and references to them from Python and from a study file."""

from __future__ import annotations

import pytest

from tsunagu.errors import SpecError
from tsunagu.spec import canonical, load_sections, load_study, node, ref

NETS = """\
first:
- {key: Linear, args: [2, 3]}
- {key: activation, args: {name: GELU}}
last: {key: Linear, args: [3, 1]}
"""
STUDY = """\
data: {files: a.npz}
tasks:
  fit:
    inputs: [x]
    output: y
    model: [{ref: "nets/nets.yaml#first"}, {ref: "nets/nets.yaml#last"}]
    loss: {key: mse, target: t}
metric: mse(y, t)
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "nets.yaml").write_text(NETS, encoding="utf-8")
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    return tmp_path


def test_python_and_yaml_refer_to_the_same(folder):
    parts = [ref(f"nets/nets.yaml#{name}", base=folder) for name in ("first", "last")]
    assert parts[1] == node("Linear", 3, 1)
    assert canonical(parts) == canonical(load_study(folder / "study.yaml").study.tasks["fit"].model)


def test_a_study_is_no_file_of_models(folder):
    assert load_sections(folder / "study.yaml") is None
    assert list(load_sections(folder / "nets" / "nets.yaml").values) == ["first", "last"]


@pytest.mark.parametrize("text", ["a: 1\n", "- 1\n", "a: []\n", "tasks: [{key: ReLU}]\n"])
def test_what_is_neither_is_left_to_whoever_reads_studies(tmp_path, text):
    (tmp_path / "x.yaml").write_text(text, encoding="utf-8")
    assert load_sections(tmp_path / "x.yaml") is None


def test_a_section_that_is_not_there_is_named_with_the_nearest(folder):
    with pytest.raises(SpecError, match=r"has no section 'frist' .did you mean 'first'"):
        ref("nets/nets.yaml#frist", base=folder)


def test_a_mistake_in_a_section_has_its_place(tmp_path):
    (tmp_path / "x.yaml").write_text("a:\n- {key: ReLU}\n- {key: ReLU, arg: 1}\n", encoding="utf-8")
    with pytest.raises(SpecError, match=r"x.yaml:3:\d+: a.1.arg: a node has key and args"):
        load_sections(tmp_path / "x.yaml")
