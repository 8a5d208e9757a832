"""Classes by their keys: the same one may come again, another one may not."""

from __future__ import annotations

import pytest

from tsunagu.registry import Registry


def test_a_key_is_kept_once():
    numbers = Registry("number", object)
    assert numbers.register("whole")(int) is numbers.register("whole")(int) is numbers.find("whole")
    with pytest.raises(ValueError, match=r"the number key 'whole' is taken by builtins\.int"):
        numbers.register("whole")(float)
    with pytest.raises(LookupError, match=r"unknown number 'whloe' \(did you mean 'whole'\?\)"):
        numbers.find("whloe")
    assert numbers.known() == ["whole"]
