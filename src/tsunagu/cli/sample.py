"""``tsunagu sample``: simulate events with Pythia 8 and a fast detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tsunagu.cli.console import console

if TYPE_CHECKING:
    from tsunagu.samples import Settings

__all__ = ["sample"]

sample = typer.Typer(help="Simulate events with Pythia 8 and a fast detector.", no_args_is_help=True)

Target = Annotated[Path, typer.Argument(help="The Parquet file to write.", metavar="FILE.parquet")]
Seed = Annotated[int, typer.Option(help="The same seed gives the same file, byte for byte.")]
Pileup = Annotated[float, typer.Option(help="Mean number of additional proton collisions; 0 for none.")]
Mpi = Annotated[str, typer.Option(help="'overlay', or 'full' for Pythia's own underlying event (slower).")]
Energy = Annotated[float, typer.Option(help="Of both protons, GeV; cross-sections stay those of 13 TeV.")]
Workers = Annotated[int | None, typer.Option(help="Processes; all usable cores by default.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a file made with other settings.")]


@sample.command()
def htautau(
    path: Target,
    events: Annotated[int, typer.Option(help="Events that pass the selection, for each class.")] = 5000,
    pileup: Pileup = 30.0,
    helicity: Annotated[str, typer.Option(help="'sampled', or 'exact' for validation (slow).")] = "sampled",
    mpi: Mpi = "overlay",
    energy: Energy = 13000.0,
    seed: Seed = 1,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """H -> tau tau against Z -> tau tau: two tau jets with images, momenta and the truth."""
    from tsunagu.samples import HTauTau

    _generate(
        HTauTau(events=events, pileup=pileup, helicity=helicity, mpi=mpi, seed=seed, energy=energy),
        path,
        workers,
        overwrite=overwrite,
    )


@sample.command()
def taujet(
    path: Target,
    jets: Annotated[int, typer.Option(help="Jets, both classes together.")] = 4000,
    pileup: Pileup = 30.0,
    tracks: Annotated[
        tuple[int, int], typer.Option(help="Smallest and largest number of core tracks.", metavar="MIN MAX")
    ] = (1, 4),
    mpi: Mpi = "overlay",
    energy: Energy = 13000.0,
    seed: Seed = 1,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """Hadronic tau decays against QCD jets of the same transverse momentum: one jet a row."""
    from tsunagu.samples import TauJet

    _generate(
        TauJet(jets=jets, pileup=pileup, tracks=tracks, mpi=mpi, seed=seed, energy=energy),
        path,
        workers,
        overwrite=overwrite,
    )


@sample.command()
def analysis(
    path: Annotated[Path, typer.Argument(help="The folder to write.", metavar="FOLDER")],
    events: Annotated[int, typer.Option(help="Selected Z events; as many of H, a third of dijets.")] = 1000,
    luminosity: Annotated[float, typer.Option(help="Of the pseudo-data, 1/fb.")] = 0.6,
    tau_energy_scale: Annotated[float, typer.Option(help="Of the pseudo-data; 1 in the simulation.")] = 1.015,
    pileup: Pileup = 20.0,
    mpi: Mpi = "overlay",
    energy: Energy = 13000.0,
    seed: Seed = 1,
    workers: Workers = None,
    overwrite: Overwrite = False,
) -> None:
    """H -> tau tau, Z -> tau tau and dijets that look like taus, as ROOT files with weights; and pseudo-data."""
    from tsunagu.samples import Analysis

    _generate(
        Analysis(
            events=events,
            luminosity=luminosity,
            tau_energy_scale=tau_energy_scale,
            pileup=pileup,
            mpi=mpi,
            seed=seed,
            energy=energy,
        ),
        path,
        workers,
        overwrite=overwrite,
    )


def _generate(settings: Settings, path: Path, workers: int | None, *, overwrite: bool) -> None:
    from tsunagu.cli.bars import events_bar
    from tsunagu.errors import DataError
    from tsunagu.samples import generate, is_generated, is_outdated

    if is_generated(settings, path):
        console.print(f"{path}: is there, made with these settings")
        return
    if (
        (path.is_file() or (path.is_dir() and any(path.iterdir())))
        and not overwrite
        and not is_outdated(settings, path)
    ):
        msg = f"{path}: is there, but not made with these settings; choose another name, or add --overwrite"
        raise DataError(msg)
    try:
        with events_bar(path.name) as bar:
            generate(settings, path, workers=workers, progress=bar)
    except KeyboardInterrupt:
        console.print("stopped; run the same command again to continue")
        raise typer.Exit(130) from None
    size = sum(file.stat().st_size for file in ([path] if path.is_file() else path.iterdir()))
    console.print(f"{path}: written, {size / 1e6:.1f} MB")
