"""Every example is written twice, in YAML and in Python, and says the same; and the first figures of it are real."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from tsunagu.spec import canonical, count, load_study
from tsunagu.studies import check_spec, check_study, open_study_table
from tsunagu.tasks import check_supernet

EXAMPLES = Path(__file__).parents[2] / "examples"
TWINS = sorted(
    path for path in EXAMPLES.rglob("*.yaml") if path.parent.name not in ("architectures", "analysis")
)
EVENTS, KEPT = 4000, 2211
"""Of the samples that come with the package: all, and where a tenth of the taus is kept beside 2,000 jets."""
MOST_TRIED = 1000
"""Architectures that are tried one by one; of more than that, all options are, on all shapes that reach them."""


def test_there_are_examples():
    assert TWINS


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_python_and_yaml_say_the_same(path):
    twin = runpy.run_path(str(path.with_suffix(".py")))
    assert canonical(twin["study"]) == canonical(load_study(path).study)


@pytest.mark.parametrize("path", TWINS, ids=lambda path: path.stem)
def test_every_model_of_it_fits_the_events_that_come_with_the_package(path):
    study = load_study(path, [f"data.files=ready:{path.parent.name}"]).study
    if count(study.pipeline) > MOST_TRIED:
        assert not [
            *check_spec(study, path.parent),
            *check_supernet(study.pipeline, open_study_table(study, path.parent)),
        ]
        return
    assert len(check_study(study, path.parent).of(study.data)) == (KEPT if study.data.keep else EVENTS)


def test_one_example_has_more_than_ten_thousand_architectures():
    assert (
        count(load_study(EXAMPLES / "htautau" / "fine.yaml").study.pipeline) == 64 * (3 * 7**3 + 2) > 10_000
    )
