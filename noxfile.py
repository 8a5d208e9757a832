#!/usr/bin/env -S uv run --script
# /// script
# dependencies = ["nox>=2024.10.9"]
# ///
"""The sessions of tsunagu; `make test` runs the same checks in one environment."""

from __future__ import annotations

import nox

nox.needs_version = ">=2024.10.9"
nox.options.default_venv_backend = "uv|virtualenv"

PROJECT = nox.project.load_toml("pyproject.toml")
# torch's spinning threads cost small models 10-100x on a busy machine.
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONWARNDEFAULTENCODING": "1"}


@nox.session
def lint(session: nox.Session) -> None:
    """Style and types: what a reader should never have to think about."""
    session.install("-c", "constraints.txt", "-e.[samples]", *nox.project.dependency_groups(PROJECT, "test"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("repo-review", ".")


@nox.session
def tests(session: nox.Session) -> None:
    """Everything that must hold, with warnings as errors."""
    session.install("-c", "constraints.txt", "-e.[samples]", *nox.project.dependency_groups(PROJECT, "test"))
    session.run("pytest", "-n", "2", *session.posargs, env=ONE_THREAD)


@nox.session(venv_backend="uv", default=False)
def minimums(session: nox.Session) -> None:
    """The oldest versions that pyproject.toml admits: a lower bound that is not tested is a guess."""
    session.install(
        "--resolution=lowest-direct", "-e.[samples]", *nox.project.dependency_groups(PROJECT, "test")
    )
    session.run("pytest", "-n", "2", *session.posargs, env=ONE_THREAD)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation site, with warnings as errors."""
    session.install("-c", "constraints.txt", "-e.[samples]", *nox.project.dependency_groups(PROJECT, "docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-b", "html", "docs", "docs/_build/html")


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """The speed suite: ratios, taken alternating in one run."""
    session.install("-c", "constraints.txt", "-e.", *nox.project.dependency_groups(PROJECT, "bench"))
    session.run("python", "-m", "benchmarks")


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """The wheel and the source archive that a release would upload."""
    session.install("build")
    session.run("python", "-m", "build")


if __name__ == "__main__":
    nox.main()
