"""From a spec to YAML that reads as if written by hand."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import yaml

from tsunagu.errors import SpecError
from tsunagu.spec.nodes import Value, to_data
from tsunagu.spec.yaml_nodes import parse_scalar

__all__ = ["dump_yaml"]


class _Dumper(yaml.SafeDumper):
    """Short lists and mappings on one line; what YAML 1.1 and 1.2 read differently is written so that both agree."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Between brackets an open parenthesis looks as if a comma had cut the text.
    plain = bool(text) and "\n" not in text and text.count("(") <= text.count(")") and _reads_as(text)
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if plain else '"')


# A study of many trials writes the same few words over and over.
@lru_cache(maxsize=4096)
def _reads_as(text: str) -> bool:
    try:
        return bool(parse_scalar(text) == text)
    except SpecError:
        return False


_Dumper.add_representer(str, _text)


def dump_yaml(value: Value) -> str:
    """YAML of a study, a pipeline or any value; reading it gives the same value again.

    >>> from tsunagu.spec import node
    >>> print(dump_yaml({"model": node("MLP", hidden=[32, 32])}), end="")
    model:
      key: MLP
      args:
        hidden: [32, 32]
    """
    text: Any = yaml.dump(
        to_data(value),
        Dumper=_Dumper,
        sort_keys=False,
        default_flow_style=None,
        width=110,
        allow_unicode=True,
    )
    return str(text)
