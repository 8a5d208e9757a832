"""Trained chains for others: ONNX and torch programs that are checked, and scores that go back into event files."""

from tsunagu.export.applying import Applied, apply_model
from tsunagu.export.comparing import LIMIT, difference
from tsunagu.export.manifest import Input, Manifest, Member, Output
from tsunagu.export.model import Mode, Model
from tsunagu.export.module import Deployed
from tsunagu.export.reading import EventFile, Reading, open_events, places_of
from tsunagu.export.verifying import Verified, verify_export
from tsunagu.export.writing import Trained, write_export

__all__ = [
    "LIMIT",
    "Applied",
    "Deployed",
    "EventFile",
    "Input",
    "Manifest",
    "Member",
    "Mode",
    "Model",
    "Output",
    "Reading",
    "Trained",
    "Verified",
    "apply_model",
    "difference",
    "open_events",
    "places_of",
    "verify_export",
    "write_export",
]


def __dir__() -> list[str]:
    return __all__
