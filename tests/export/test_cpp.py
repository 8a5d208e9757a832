"""The program of the page on C++, compiled as it stands there, gives the numbers of Python."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tsunagu.data import fold_of
from tsunagu.export import Model

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "use-in-cpp.md"
PROGRAM = re.search(r"```cpp\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)[1]
HEADER = "onnxruntime_cxx_api.h"
PLACES = (
    os.environ.get("ONNXRUNTIME_INCLUDE", ""),
    "/usr/include/onnxruntime",
    "/usr/local/include/onnxruntime",
)

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="there is no g++")


def compiled(folder, text, *options):
    (folder / "a.cpp").write_text(text, encoding="utf-8")
    command = ["g++", "-std=c++17", "-Wall", "-o", folder / "a", folder / "a.cpp", *options]
    subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    return folder / "a"


def said(*command):
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, encoding="utf-8")
    return done.stdout


def test_folds_are_those_of_the_training(tmp_path):
    function = re.search(r"std::uint64_t fold\(.*?\n}\n", PROGRAM, re.DOTALL)[0]
    main = (
        "#include <cstdint>\n#include <cstdio>\n#include <cstdlib>\n"
        f"{function}"
        'int main(int n, char** a) { for (int i = 1; i < n; ++i) std::printf("%d ", int(fold(std::atoll(a[i]), 5))); }\n'
    )
    numbers = np.random.default_rng(1).integers(-(2**62), 2**62, 50)
    found = said(compiled(tmp_path, main), *numbers)
    assert [int(word) for word in found.split()] == fold_of(numbers, 5).tolist()


def test_scores_are_those_of_python(tmp_path, flat_export):
    include = next((place for place in PLACES if place and (Path(place) / HEADER).exists()), None)
    if include is None:
        pytest.skip(f"{HEADER} is not here: set ONNXRUNTIME_INCLUDE to its folder")
    import onnxruntime

    (library,) = (Path(onnxruntime.__file__).parent / "capi").glob("libonnxruntime.so*")
    # The library is known by a name that the package does not have.
    (tmp_path / "libonnxruntime.so.1").symlink_to(library)
    options = [f"-I{include}", library, f"-Wl,-rpath,{tmp_path}"]
    program = compiled(tmp_path, PROGRAM, *options)
    draw = np.random.default_rng(3)
    numbers, events = np.arange(12), draw.normal(size=(12, 2)).astype(np.float32)
    expected = Model.load(flat_export).score({"xy": events}, numbers)[0]["score"]
    for number, event, score in zip(numbers, events, expected, strict=True):
        found = said(program, flat_export, 3, number, "xy=" + ",".join(map(str, event)))
        assert abs(float(found) - score) <= 1e-6
