"""Classes by their keys: the same one may come again, another one may not."""

from __future__ import annotations

import pytest

from tsunagu.registry import Registry


def test_a_key_is_kept_once():
    numbers = Registry("number")
    assert numbers.keep("whole", int) is numbers.keep("whole", int) is numbers.find("whole")
    with pytest.raises(ValueError, match=r"the number key 'whole' is taken by builtins\.int"):
        numbers.keep("whole", float)
    with pytest.raises(LookupError, match=r"unknown number 'whloe' \(did you mean 'whole'\?\)"):
        numbers.find("whloe")
    assert numbers.known() == ["whole"]
