"""An export that is not what it was is found."""

from __future__ import annotations

import numpy as np
import pytest

from tsunagu.errors import ResumeError
from tsunagu.export import verify_export


def test_an_export_is_as_it_was(exported):
    found = verify_export(exported)
    assert found.problems == ()
    assert found.events == 240
    assert {(m, p) for m, p, _ in found.differences} == {
        (f"fold{fold}", program) for fold in range(3) for program in ("model.onnx", "model.pt2")
    }
    assert max(found.differences.values()) < 1e-6


def test_another_model_under_its_name_is_found_by_its_hash_and_by_its_numbers(own_export):
    other = (own_export / "fold1" / "model.onnx").read_bytes()
    (own_export / "fold0" / "model.onnx").write_bytes(other)
    problems = "\n".join(verify_export(own_export).problems)
    assert "fold0/model.onnx: is not the file that was exported" in problems
    assert "fold0/model.onnx: score differs from torch by" in problems
    assert "fold1" not in problems


@pytest.mark.parametrize("content", [None, b"", b"no model"])
@pytest.mark.parametrize("name", ["model.onnx", "model.pt2"])
def test_a_damaged_program_is_named(own_export, name, content):
    path = own_export / "fold0" / name
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    problems = verify_export(own_export).problems
    assert any(f"fold0/{name}" in line for line in problems)


@pytest.mark.parametrize("name", ["manifest.json", "check.npz"])
@pytest.mark.parametrize("content", [None, b"", b"{}"])
def test_without_its_manifest_or_its_batch_nothing_can_be_said(own_export, name, content):
    (own_export / name).unlink()
    if content is not None:
        (own_export / name).write_bytes(content)
    with pytest.raises(ResumeError, match=name):
        verify_export(own_export)


def test_numbers_of_another_batch_differ(own_export):
    stored = dict(np.load(own_export / "check.npz"))
    stored["fold2_score"] = stored["fold2_score"] + 0.01
    np.savez(own_export / "check.npz", **stored)
    assert [line for line in verify_export(own_export).problems if "score differs" in line]
