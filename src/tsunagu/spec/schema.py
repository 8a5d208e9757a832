"""The JSON schema of study files, for editors."""

from __future__ import annotations

from typing import Any

from tsunagu.spec.models import Study

__all__ = ["schema"]


def schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a study file.

    >>> schema()["title"]
    'Study'
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **Study.model_json_schema()}
