"""The house rules that a machine can check. A rule is a function that lists breaches, and is shown some to find."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import pkgutil
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest

import tsunagu

REPOSITORY = Path(__file__).parents[1]
PACKAGE = REPOSITORY / "src" / "tsunagu"
FILES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(PACKAGE).as_posix())


def _package(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


LAYERS = [
    {"errors"},
    {"files", "machine", "random", "registry"},
    {"spec"},
    {"data", "layers", "losses", "metrics"},
    {"tasks"},
    {"train", "search"},
    {"oneshot"},
    {"trials", "export"},
    {"analysis"},
    {"studies"},
    {"report"},
    {"cli", "testing"},
]
SAMPLES_MAY_IMPORT = {"errors", "files", "machine", "random"}
# The names under which a distribution is imported, where they are not its own.
MODULES = {
    "pyyaml": {"yaml"},
    "pydantic": {"pydantic", "pydantic_core"},
    "dask-jobqueue": {"dask_jobqueue"},
}
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _imports(tree: ast.AST) -> set[str]:
    """The dotted names of all that is imported, anywhere in a file; ``.`` stands for relative imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" if not node.level else "." for alias in node.names}
    return names


def _may_import(package: str) -> set[str]:
    if package == "samples":
        return SAMPLES_MAY_IMPORT
    level = next(level for level, packages in enumerate(LAYERS) if package in packages)
    return set().union(*LAYERS[:level]) | ({"samples"} if package == "cli" else set())


def _wrong_layers(package: str, tree: ast.AST) -> set[str]:
    ours = {name for name in _imports(tree) if name.split(".")[0] in ("tsunagu", "")}
    allowed = _may_import(package) | {package}
    return {name for name in ours if name == "." or name.split(".")[1] not in {*allowed, "__version__"}}


def _modules_of(requirements: list[str]) -> set[str]:
    names = (re.split(r"[\s\[<>=!~;]", line)[0] for line in requirements)
    return set().union(*(MODULES.get(name, {name}) for name in names))


def _undeclared(package: str, tree: ast.AST) -> set[str]:
    declared = _modules_of(PROJECT["dependencies"])
    if package == "samples":
        extras = PROJECT["optional-dependencies"]
        declared |= _modules_of([*extras["samples"], *extras["root"]])
    if package == "losses":
        declared |= _modules_of(PROJECT["optional-dependencies"]["objectives"])
    if package == "data":
        declared |= _modules_of(
            [*PROJECT["optional-dependencies"]["root"], *PROJECT["optional-dependencies"]["hdf5"]]
        )
    if package == "export":
        extras = (PROJECT["optional-dependencies"][name] for name in ("onnx", "root", "hdf5"))
        declared |= _modules_of([each for extra in extras for each in extra])
    if package == "analysis":
        declared |= _modules_of(PROJECT["optional-dependencies"]["analysis"])
    if package == "search":
        declared |= _modules_of(PROJECT["optional-dependencies"]["optuna"])
    if package == "trials":
        declared |= _modules_of(PROJECT["optional-dependencies"]["batch"])
    if package in ("errors", "random", "spec"):
        declared = {"pydantic", "pydantic_core", "yaml"}
    found = {name.split(".")[0] for name in _imports(tree)} - {"", "tsunagu"}
    return found - declared - sys.stdlib_module_names


@each_file
def test_a_package_imports_only_from_the_layers_below_it(path: Path) -> None:
    if _package(path) not in ("__init__", "__main__"):
        assert not _wrong_layers(_package(path), TREES[path])


@each_file
def test_a_package_imports_only_what_it_declares(path: Path) -> None:
    """The core knows no Pythia, awkward or numba, and what a study says knows no torch."""
    assert not _undeclared(_package(path), TREES[path])


@pytest.mark.parametrize(
    ("package", "line"),
    [
        ("spec", "from tsunagu.train import run"),
        ("data", "import tsunagu.losses.loss"),
        ("train", "from tsunagu import report"),
        ("search", "from tsunagu.train import Population"),
        ("data", "def f():\n    from tsunagu.samples import generate"),
        ("samples", "from tsunagu.data import Table"),
        ("losses", "from ..tasks import build"),
    ],
)
def test_the_layer_rule_finds(package: str, line: str) -> None:
    assert _wrong_layers(package, ast.parse(line))


@pytest.mark.parametrize(
    ("package", "line"),
    [("spec", "import torch"), ("train", "import numba"), ("report", "from pythia8mc import Pythia")],
)
def test_the_rule_of_declared_imports_finds(package: str, line: str) -> None:
    assert _undeclared(package, ast.parse(line))


def test_what_is_allowed_is_let_through() -> None:
    tree = ast.parse(
        "import json\nimport torch\nfrom tsunagu.tasks.build import build\nimport tsunagu.train.flat"
    )
    assert not _wrong_layers("train", tree)
    assert not _undeclared("train", tree)
    assert not _undeclared("samples", ast.parse("import awkward, numba, pythia8mc"))


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import tsunagu.spec", ("torch", "numpy", "matplotlib", "pyarrow")),
        ("from tsunagu import Study, choice, node", ("torch", "matplotlib", "pyarrow")),
        (
            "from tsunagu.cli import app; app(['--help'], standalone_mode=False)",
            ("torch", "matplotlib", "pyarrow"),
        ),
        ("import tsunagu.search, tsunagu.testing", ("optuna", "tsunagu.train", "tsunagu.tasks")),
        (
            "import tsunagu.report, tsunagu.studies",
            (
                "awkward",
                "h5py",
                "numba",
                "pythia8mc",
                "tsunagu.samples",
                "uproot",
                "dask",
                "distributed",
                "dask_jobqueue",
                "pyhf",
                "hist",
            ),
        ),
    ],
)
def test_a_fresh_interpreter_does_not_load(code: str, absent: tuple[str, ...]) -> None:
    check = f"import sys\n{code}\nprint([name for name in {absent} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", check], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def _lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    doc = node.body[0] if ast.get_docstring(node) is not None else None
    return (node.end_lineno or 0) - node.lineno + 1 - ((doc.end_lineno or 0) - doc.lineno + 1 if doc else 0)


def test_files_are_small() -> None:
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in FILES}
    assert not {path: length for path, length in lengths.items() if length > 400}
    assert sum(length > 250 for length in lengths.values()) <= len(FILES) // 20


def test_functions_are_small() -> None:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    lengths = [_lines(node) for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, kinds)]
    assert median(lengths) <= 8


NUMPY_MAY = {"Generator", "BitGenerator", "SeedSequence", "PCG64", "Philox", "default_rng"}
GLOBAL_STATE = re.compile(
    r"torch\.(cuda\.|random\.)?(default_generator\.)?(manual_seed|seed|set_rng_state|set_state)"
    r"|(torch\.nn\.|nn\.)?(functional|F)\.(feature_|alpha_)*dropout\dd?\b|random\."
)
DRAWS = re.compile(
    r"(torch\.(rand|randn|randint|randperm|normal|bernoulli|multinomial|poisson)(_like)?"
    r"|.*\.(uniform_|normal_|bernoulli_|exponential_|random_|log_normal_|multinomial))$"
)


def _dotted(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _outside_forks(tree: ast.AST) -> Iterator[ast.AST]:
    """All nodes but those under ``with torch.random.fork_rng(...)``, which gives the generator back as it was."""
    yield tree
    for node in ast.iter_child_nodes(tree):
        forks = isinstance(node, ast.With) and any(
            isinstance(item.context_expr, ast.Call)
            and _dotted(item.context_expr.func) == "torch.random.fork_rng"
            for item in node.items
        )
        if not forks:
            yield from _outside_forks(node)


def _global_draws(tree: ast.AST) -> list[str]:
    found = [name for name in _imports(tree) if name.split(".")[0] == "random"]
    for node in _outside_forks(tree):
        name = _dotted(node)
        numpy = re.match(r"(?:np|numpy)\.random\.(\w+)", name)
        if GLOBAL_STATE.match(name) or (numpy and numpy[1] not in NUMPY_MAY):
            found.append(name)
        if isinstance(node, ast.Call) and _draws_from_nothing(node):
            found.append(_dotted(node.func))
    return found


def _draws_from_nothing(call: ast.Call) -> bool:
    name = _dotted(call.func)
    nothing = not call.args and not call.keywords
    return (name.endswith("default_rng") and nothing) or (
        bool(DRAWS.match(name)) and not any(_is_own_generator(keyword) for keyword in call.keywords)
    )


def _is_own_generator(keyword: ast.keyword) -> bool:
    return keyword.arg == "generator" and not _dotted(keyword.value).endswith("default_generator")


@each_file
def test_no_global_generator_is_drawn_from(path: Path) -> None:
    # The first weights: torch offers no other generator, and tasks/build.py forks it around every draw.
    allowed = {"nn.init.xavier_uniform_", "nn.init.orthogonal_", "nn.init.uniform_"}
    assert not set(_global_draws(TREES[path])) - allowed


@pytest.mark.parametrize(
    "line",
    [
        "import random",
        "from random import choice",
        "torch.manual_seed(1)",
        "torch.cuda.manual_seed_all(1)",
        "torch.default_generator.manual_seed(1)",
        "torch.rand(1, generator=torch.default_generator)",
        "np.random.seed(1)",
        "x = numpy.random.normal(size=3)",
        "np.random.default_rng()",
        "torch.randn(3)",
        "torch.randperm(5, device=device)",
        "weights[0].uniform_(0, 1)",
        "x = functional.dropout1d(x)",
    ],
)
def test_the_rule_of_generators_finds(line: str) -> None:
    assert _global_draws(ast.parse(line))


def test_generators_of_ones_own_are_let_through() -> None:
    assert not _global_draws(
        ast.parse(
            "from tsunagu.random import derive_seed\n"
            "g = torch.Generator().manual_seed(1)\n"
            "torch.randn(3, generator=g)\n"
            "np.random.default_rng(3).normal()\n"
            "with torch.random.fork_rng(devices=[]):\n    torch.default_generator.manual_seed(1)\n"
        )
    )


MAY_BE_INHERITED = {
    "TsunaguError",
    "Model",
}  # the root of our errors, and the settings that all models share


def _classes() -> set[type]:
    names = [module.name for module in pkgutil.walk_packages([str(PACKAGE)], "tsunagu.")]
    if importlib.util.find_spec("numba") is None:
        names = [name for name in names if not name.startswith("tsunagu.samples")]
    modules = [importlib.import_module(name) for name in names if not name.endswith("__main__")]
    found = [value for module in modules for value in vars(module).values() if inspect.isclass(value)]
    return {cls for cls in found if cls.__module__.startswith("tsunagu.")}


def _is_abstract(cls: type) -> bool:
    return inspect.isabstract(cls) or getattr(cls, "_is_protocol", False)


def _concrete_parents(classes: set[type]) -> list[tuple[type, type]]:
    parents = [(cls, base) for cls in classes for base in cls.__bases__ if base in classes]
    return [
        pair for pair in parents if not _is_abstract(pair[1]) and pair[1].__name__ not in MAY_BE_INHERITED
    ]


def _overridden(classes: set[type]) -> list[str]:
    """Concrete methods that are written again further down; ``__init__`` adds to the one above it."""
    return [
        f"{cls.__name__}.{name} over {base.__name__}"
        for cls in classes
        for base in cls.__mro__[1:]
        if base in classes and not getattr(base, "_is_protocol", False)
        for name, value in vars(base).items()
        if inspect.isfunction(value) and not getattr(value, "__isabstractmethod__", False)
        if name in vars(cls) and not (name.startswith("__") and name != "__call__")
    ]


def test_a_class_is_abstract_or_final() -> None:
    classes = _classes()
    assert len(classes) > 50
    assert not _concrete_parents(classes)
    assert not _overridden(classes)


def test_the_rules_of_classes_find() -> None:
    class Concrete:
        def run(self) -> int:
            return 1

    class Child(Concrete):
        def run(self) -> int:
            return 2

    assert _concrete_parents({Concrete, Child}) == [(Child, Concrete)]
    assert _overridden({Concrete, Child}) == ["Child.run over Concrete"]


def _exports(tree: ast.Module) -> list[str]:
    """What ``__all__`` lists."""
    assigned = [node for node in tree.body if isinstance(node, ast.Assign)]
    values = [node.value for node in assigned if _dotted(node.targets[0]) == "__all__"]
    return ast.literal_eval(values[0]) if values else []


def _public(tree: ast.Module) -> list[ast.FunctionDef | ast.ClassDef]:
    kinds = (ast.FunctionDef, ast.ClassDef)
    return [node for node in tree.body if isinstance(node, kinds) and not node.name.startswith("_")]


def _undocumented(tree: ast.Module) -> list[str]:
    return [node.name for node in _public(tree) if not ast.get_docstring(node)]


@each_file
def test_a_module_lists_and_documents_what_is_public(path: Path) -> None:
    if _package(path) == "__main__":
        return
    if "kernels" in path.parts:
        pytest.importorskip("numba", reason="the kernels need numba: pip install 'tsunagu[samples]'")
    name = ".".join(("tsunagu", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    module = importlib.import_module(name)
    exports = _exports(TREES[path])
    assert ast.get_docstring(TREES[path])
    assert exports or not _public(TREES[path])
    assert all(hasattr(module, exported) for exported in exports)
    assert not _undocumented(TREES[path])


def test_the_rules_of_names_find() -> None:
    tree = ast.parse("__all__ = ['a']\ndef a():\n    'Says it.'\nclass B:\n    x = 1\ndef _c(): pass")
    assert _exports(tree) == ["a"]
    assert [node.name for node in _public(tree)] == ["a", "B"]
    assert _undocumented(tree) == ["B"]


@pytest.mark.parametrize("name", tsunagu.__all__)
def test_every_public_name_exists_and_is_documented(name: str) -> None:
    assert getattr(tsunagu, name).__doc__


def test_completion_shows_the_public_names_only() -> None:
    assert dir(tsunagu) == sorted(tsunagu.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Pipelin'"):
        _ = tsunagu.Pipelin


PATH_OF_A_MACHINE = re.compile(r"(?<![\w.~/-])/(?:home|root|Users|work|opt)/\w|\b[A-Z]:\\\\?Users")
TEXT = {".cff", ".cfg", ".in", ".ipynb", ".json", ".md", ".py", ".toml", ".txt", ".yaml", ".yml"}
BUILT = {"_build", "generated", "__pycache__"}


def _texts() -> Iterator[Path]:
    yield REPOSITORY / "Makefile"
    yield from (path for path in REPOSITORY.iterdir() if path.suffix in TEXT)
    for folder in ("src", "tests", "docs", "examples", "benchmarks", ".github"):
        found = (REPOSITORY / folder).rglob("*")
        yield from (path for path in found if path.suffix in TEXT and not BUILT.intersection(path.parts))


def test_no_file_knows_the_machine_it_was_written_on() -> None:
    texts = list(_texts())
    assert len(texts) > 100
    assert not [path for path in texts if PATH_OF_A_MACHINE.search(path.read_text(encoding="utf-8"))]
    assert PATH_OF_A_MACHINE.search("see /" + "home/me/events.parquet")
    assert not PATH_OF_A_MACHINE.search("https://example.org/" + "work/x and ../" + "root/x")


def test_tests_mirror_the_tree() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    folders = {path.parent.name for path in REPOSITORY.glob("tests/*/test_*.py")}
    assert not packages - folders
    assert not [name for name in folders - packages if not (REPOSITORY / name).is_dir()]
