"""What is wrong with a text that is no YAML: said for who wrote it, not for who wrote the parser."""

from __future__ import annotations

import re
from pathlib import Path as FilePath

import yaml

from tsunagu.errors import Mistake

__all__ = ["decoding_mistake", "yaml_mistake"]

CUT = re.compile(r"expected ',' or '([}\]])', but got '(.+)'")
ODD_LINE = re.compile(r"expected <block end>, but found '(<.+>|-|\?)'")
OPENING = {"}": "{", "]": "["}


def yaml_mistake(error: Exception, file: FilePath | str) -> Mistake:
    """The mistake behind an error of the parser, at the place where it was made.

    >>> try:
    ...     yaml.compose("train:\\n\\tepochs: 5\\n")
    ... except yaml.YAMLError as error:
    ...     print(yaml_mistake(error, "study.yaml"))
    study.yaml:2:1: not YAML: a tab; lines are indented with spaces
    """
    if isinstance(error, RecursionError):
        return Mistake((), "not YAML: nested too deeply", str(file))
    if isinstance(error, yaml.reader.ReaderError):
        found = f"not YAML: the character U+{int(error.character):04X} may not stand in it"
        return Mistake((), found, str(file))
    mark = getattr(error, "problem_mark", None)
    start = getattr(error, "context_mark", None)
    said = " ".join(str(getattr(error, "problem", None) or error).split())
    words, began_there = _words(said, mark, start)
    place = start if began_there else mark
    where = f"{file}:{place.line + 1}:{place.column + 1}" if place else str(file)
    return Mistake((), f"not YAML: {words}", where)


def decoding_mistake(error: UnicodeDecodeError, file: FilePath) -> Mistake:
    """The place of the first byte that is not UTF-8.

    >>> try:
    ...     b"# \\xfcber".decode("utf-8")
    ... except UnicodeDecodeError as error:
    ...     print(decoding_mistake(error, FilePath("study.yaml")))
    study.yaml:1:3: cannot be read: not UTF-8 text (byte 0xfc); save the file as UTF-8
    """
    before = error.object[: error.start]
    line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
    found = f"cannot be read: not UTF-8 text (byte {error.object[error.start]:#04x}); save the file as UTF-8"
    return Mistake((), found, f"{file}:{line}:{column}")


def _words(said: str, mark: yaml.Mark | None, start: yaml.Mark | None) -> tuple[str, bool]:
    """What to say, and whether the place is where the construct began, not where the parser gave up."""
    if "\\t" in said:
        return "a tab; lines are indented with spaces", False
    if said == "could not find expected ':'":
        return (
            "no ': ' after this word; a setting is written 'name: value', with a space after the colon",
            True,
        )
    if said == "mapping values are not allowed here":
        return "a ':' cannot stand here; is the line indented too far, or does a text need quotes?", False
    if said == "found unexpected end of stream":
        return "this quote is never closed", True
    if said == "but found another document":
        return "a second document begins here; a file holds one", False
    if start and mark and ODD_LINE.fullmatch(said):
        block = f"the block from line {start.line + 1} on in column {start.column + 1}"
        return (
            f"this line begins in column {mark.column + 1}, {block}; lines of a block begin in one column",
            False,
        )
    if start and (cut := CUT.fullmatch(said)):
        opened = f"'{OPENING[cut[1]]}' of line {start.line + 1}, column {start.column + 1}"
        found = "the end of the text" if cut[2].startswith("<") else f"'{cut[2]}'"
        return f"expected '{cut[1]}' for the {opened}, found {found}", False
    return said, False
