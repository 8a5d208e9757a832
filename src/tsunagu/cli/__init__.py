"""The command line: sample, schema, check, plan, run, report."""

from tsunagu.cli.app import app, main

__all__ = ["app", "main"]
