"""``tsunagu sample``: simulate events with Pythia 8 and a fast detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsunagu.cli.console import console

if TYPE_CHECKING:
    from tsunagu.samples import HTauTau, TauJet

__all__ = ["sample"]

sample = typer.Typer(help="Simulate events with Pythia 8 and a fast detector.", no_args_is_help=True)

Target = Annotated[Path, typer.Argument(help="The Parquet file to write.", metavar="FILE.parquet")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same file, byte for byte.")]
Pileup = Annotated[float, typer.Option(help="Mean number of additional proton collisions.")]
Workers = Annotated[int | None, typer.Option(help="Processes; all usable cores by default.")]


@sample.command()
def htautau(
    path: Target,
    events: Annotated[int, typer.Option(help="Events that pass the selection, for each class.")] = 5000,
    pileup: Pileup = 30.0,
    helicity: Annotated[str, typer.Option(help="'sampled', or 'exact' for validation (slow).")] = "sampled",
    mpi: Annotated[
        str, typer.Option(help="'overlay', or 'full' for Pythia's own underlying event.")
    ] = "overlay",
    seed: Seed = 1,
    workers: Workers = None,
) -> None:
    """H -> tau tau against Z -> tau tau: two tau jets with images, momenta and the truth."""
    from tsunagu.samples import HTauTau

    settings = HTauTau(events=events, pileup=pileup, helicity=helicity, mpi=mpi, seed=seed)
    _generate(settings, path, workers)


@sample.command()
def taujet(
    path: Target,
    jets: Annotated[int, typer.Option(help="Jets, both classes together.")] = 4000,
    pileup: Pileup = 30.0,
    seed: Seed = 1,
    workers: Workers = None,
) -> None:
    """Hadronic tau decays against QCD jets of the same transverse momentum: one jet a row."""
    from tsunagu.samples import TauJet

    _generate(TauJet(jets=jets, pileup=pileup, seed=seed), path, workers)


def _generate(settings: HTauTau | TauJet, path: Path, workers: int | None) -> None:
    from tsunagu.cli.progress import events_bar
    from tsunagu.samples import generate, is_generated

    if is_generated(settings, path):
        console.print(f"{path}: is there, made with these settings")
        return
    with events_bar(path.name) as bar:
        generate(settings, path, workers=workers, progress=bar)
    console.print(f"{path}: written, {path.stat().st_size / 1e6:.1f} MB")
