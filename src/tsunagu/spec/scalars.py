"""What a word of YAML means: YAML 1.2's idea of it, on PyYAML's safe loader.

``1e-3`` is a number, a date stays text, and ``0777`` is neither the decimal nor the octal number that YAML 1.2 and 1.1
see in it, but a text that a number field refuses. Quoted text is always text. ``no`` and ``on`` are refused: half of the
world's readers see a truth value in them, and a layer would take the text ``no`` for true.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

__all__ = ["SpecLoader", "scalar"]

FLOAT = re.compile(
    r"^[-+]?((0|[1-9][\d_]*)?\.\d[\d_]*|(0|[1-9][\d_]*)\.?)([eE][-+]?\d+)?$|^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$"
)
INT = re.compile(r"^[-+]?(0|[1-9][\d_]*)$|^0x[\da-fA-F]+$")
BOOL = re.compile(r"^(true|True|TRUE|false|False|FALSE)$")

SWITCH = re.compile(r"^(?:(yes|on)|no|off)$", re.IGNORECASE)

TAG = "tag:yaml.org,2002:"
SCALARS = {TAG + kind for kind in ("null", "bool", "int", "float", "str")}


class SpecLoader(yaml.SafeLoader):
    """PyYAML's safe loader with YAML 1.2's idea of scalars."""


_KEPT = {TAG + "null", TAG + "merge"}
SpecLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag in _KEPT]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
SpecLoader.add_implicit_resolver(TAG + "bool", BOOL, list("tTfF"))
SpecLoader.add_implicit_resolver(TAG + "int", INT, list("-+0123456789"))
SpecLoader.add_implicit_resolver(TAG + "float", FLOAT, list("-+0123456789."))


def scalar(node: yaml.ScalarNode) -> Any:
    """The value of a scalar: None, a truth value, a number or text.

    Raises:
        ValueError: a tag that a spec does not know, a word that is not what its tag says, or one that YAML 1.1 and
            1.2 read differently.
    """
    if node.style is None and (switch := SWITCH.match(node.value)):
        meant = "true" if switch[1] else "false"
        msg = f"'{node.value}' is a text to some readers of YAML and {meant} to others; write {meant}, or put it in quotes"
        raise ValueError(msg)
    if node.tag not in SCALARS:
        msg = f"the tag {short_tag(node.tag)} has no meaning in a spec"
        raise ValueError(msg)
    loader = SpecLoader("")
    try:
        return loader.construct_object(node)
    except (ValueError, KeyError) as error:
        msg = f"'{node.value}' is not of the kind {short_tag(node.tag)}"
        raise ValueError(msg) from error
    finally:
        loader.dispose()


def short_tag(tag: str) -> str:
    """A tag as it is written in a file.

    >>> short_tag("tag:yaml.org,2002:python/tuple")
    '!!python/tuple'
    """
    return tag.replace(TAG, "!!")
