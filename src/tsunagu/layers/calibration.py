"""Candidates for the first task: from a jet's energy maps and four-momentum to the tau's four-momentum.

All jets of an event share the weights: they are folded into the batch axis. Structures and parameter counts are those
of the study behind arXiv:2106.02301. Momenta come and go in physical units; inside, pt is
``x = log(pt * scale + 0.1)`` and each candidate adds a correction to the jet's own (x, eta, phi).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from tsunagu.layers.dense import activate, dense
from tsunagu.layers.images import log_energy
from tsunagu.layers.init import initialise
from tsunagu.layers.momentum import PT_SCALE, LogMomentum, correct, log_pt
from tsunagu.layers.registry import register
from tsunagu.layers.sites import FiLMSite

__all__ = ["CalibrationHead", "ScaleFactor", "TauCNN", "TauMLP", "embedded"]

_EMBEDDING = 4


@register
@final
class TauMLP(nn.Module):
    """Dense layers on the pixels of each jet, joined with its four-momentum (14 359 parameters by default).

    Per jet: pixels -> features -> 4 numbers; with (x, eta, phi, mass) -> hidden -> correction of (x, eta, phi).

    Args:
        features: sizes of the layers between the pixels and the 4 numbers.
        hidden: sizes of the layers between the 8 joined numbers and the correction.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation.
        pt_scale: in 1/GeV.
        image: channels, rows and columns of a jet's energy map.
        tags: numbers of an earlier task about each jet that join the 8, such as its decay mode; 0 for none.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes:
        ``jet_image [E, 2, 3, 16, 16]``: GeV per pixel; it enters as ``log(1 + pixel / GeV)``, pixels below 0 as 0.
        ``jet_p4 [E, 2, 4]``: pt (GeV), eta, phi, mass (GeV).
        ``tag [E, 2, tags]``: where there are tags.
        Returns ``[E, 2, 3]``: pt (GeV), eta, phi.

    >>> net = TauMLP(activation="GELU")
    >>> net(torch.rand(5, 2, 3, 16, 16), torch.rand(5, 2, 4)).shape
    torch.Size([5, 2, 3])
    """

    def __init__(
        self,
        features: Sequence[int] = (16, 16, 16),
        hidden: Sequence[int] = (32, 32),
        activation: str | nn.Module = "ReLU",
        dropout: float = 0.0,
        pt_scale: float = PT_SCALE,
        image: Sequence[int] = (3, 16, 16),
        tags: int = 0,
        film: bool = False,
    ) -> None:
        super().__init__()
        maps, rows, columns = image
        pixels = maps * rows * columns
        self.momenta = LogMomentum(pt_scale)
        self.embed = nn.Sequential(
            nn.Flatten(), *dense([pixels, *features, _EMBEDDING], activation, dropout, film=film)
        )
        self.head = dense([_EMBEDDING + 4 + tags, *hidden, 3], activation, dropout, film=film)
        initialise(self)

    def forward(self, jet_image: Tensor, jet_p4: Tensor, tag: Tensor | None = None) -> Tensor:
        return _calibrate(self.momenta, self.embed, self.head, (jet_image, jet_p4, tag))


@register
@final
class TauCNN(nn.Module):
    """Convolutions on the energy maps of each jet, joined with its four-momentum (18 847 parameters by default).

    Per jet: convolutions of ``kernel`` with ``channels`` and half of them, max-pool by 2, convolutions of 2 with half
    and a quarter of the channels, each unpadded and activated; -> features -> 4 numbers; with (x, eta, phi, mass) ->
    hidden -> correction of (x, eta, phi).

    Args:
        channels: of the first convolution; 4 or more.
        kernel: of the first two convolutions, from 1 to 6 on 16 x 16 pixels.
        features: sizes of the layers between the last map and the 4 numbers.
        hidden: sizes of the layers between the 8 joined numbers and the correction.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        dropout: the probability after each activation of a dense layer.
        pt_scale: in 1/GeV.
        image: channels, rows and columns of a jet's energy map.
        tags: numbers of an earlier task about each jet that join the 8, such as its decay mode; 0 for none.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes:
        ``jet_image [E, 2, 3, 16, 16]``: GeV per pixel; it enters as ``log(1 + pixel / GeV)``, pixels below 0 as 0.
        ``jet_p4 [E, 2, 4]``: pt (GeV), eta, phi, mass (GeV).
        ``tag [E, 2, tags]``: where there are tags.
        Returns ``[E, 2, 3]``: pt (GeV), eta, phi.

    Raises:
        ValueError: too few channels, or a kernel that leaves nothing of the map.

    >>> net = TauCNN(channels=16, kernel=5)
    >>> net(torch.rand(5, 2, 3, 16, 16), torch.rand(5, 2, 4)).shape
    torch.Size([5, 2, 3])
    """

    def __init__(
        self,
        channels: int = 32,
        kernel: int = 3,
        features: Sequence[int] = (16, 16, 16),
        hidden: Sequence[int] = (64, 64, 64),
        activation: str | nn.Module = "ReLU",
        dropout: float = 0.0,
        pt_scale: float = PT_SCALE,
        image: Sequence[int] = (3, 16, 16),
        tags: int = 0,
        film: bool = False,
    ) -> None:
        super().__init__()
        maps, rows, columns = image
        pixels = channels // 4 * _shrunk(rows, kernel) * _shrunk(columns, kernel)
        self.momenta = LogMomentum(pt_scale)
        convolutions = _convolutions(maps, channels, kernel, activation, film)
        self.embed = nn.Sequential(
            *convolutions,
            nn.Flatten(),
            *dense([pixels, *features, _EMBEDDING], activation, dropout, film=film),
        )
        self.head = dense([_EMBEDDING + 4 + tags, *hidden, 3], activation, dropout, film=film)
        initialise(self)

    def forward(self, jet_image: Tensor, jet_p4: Tensor, tag: Tensor | None = None) -> Tensor:
        return _calibrate(self.momenta, self.embed, self.head, (jet_image, jet_p4, tag))


@register
@final
class ScaleFactor(nn.Module):
    """A scale and a shift of (x, eta, phi), shared by the jets (6 parameters); 1 and 0 at the start.

    Args:
        pt_scale: in 1/GeV.

    Shapes:
        ``jet_p4 [E, 2, 3 or 4]``: pt (GeV), eta, phi, perhaps more; by name, or the last of the positional inputs.
        Whatever stands before it, such as the energy maps of the other candidates, is not looked at.
        Returns ``[E, 2, 3]``: pt (GeV), eta, phi.

    >>> ScaleFactor()(jet_p4=torch.tensor([[[50.0, 1.0, 2.0, 5.0]]])).round(decimals=3).tolist()
    [[[50.0, 1.0, 2.0]]]
    """

    def __init__(self, pt_scale: float = PT_SCALE) -> None:
        super().__init__()
        self.pt_scale = pt_scale
        self.scale = nn.Parameter(torch.ones(3))
        self.shift = nn.Parameter(torch.zeros(3))

    def forward(self, *inputs: Tensor, jet_p4: Tensor | None = None) -> Tensor:
        jet = inputs[-1] if jet_p4 is None else jet_p4
        scaled = torch.cat([log_pt(jet[..., :1], self.pt_scale), jet[..., 1:3]], dim=-1) * self.scale
        return correct(scaled, self.shift, self.pt_scale)


@register
@final
class CalibrationHead(nn.Module):
    """A correction of one momentum by what another task has found, such as a trunk that several tasks share.

    (x, eta, phi, mass) joined with the features -> hidden -> correction of (x, eta, phi).

    Args:
        features: C.
        hidden: sizes of the layers between.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        pt_scale: in 1/GeV.
        film: whether there are sites for a condition, see :func:`~tsunagu.layers.dense`; by itself where the pipeline has one.

    Shapes: ``features [E, C]``, ``jet_p4 [E, 4]``: pt (GeV), eta, phi, mass (GeV); returns ``[E, 3]``: pt (GeV), eta, phi.

    >>> CalibrationHead(16)(torch.rand(5, 16), torch.rand(5, 4)).shape
    torch.Size([5, 3])
    """

    def __init__(
        self,
        features: int,
        hidden: Sequence[int] = (32,),
        activation: str | nn.Module = "ReLU",
        pt_scale: float = PT_SCALE,
        film: bool = False,
    ) -> None:
        super().__init__()
        self.momenta = LogMomentum(pt_scale)
        self.head = initialise(dense([features + 4, *hidden, 3], activation, film=film))

    def forward(self, features: Tensor, jet_p4: Tensor) -> Tensor:
        jet = self.momenta(jet_p4)
        return correct(jet, self.head(torch.cat([features, jet], dim=-1)), self.momenta.pt_scale)


def embedded(embed: nn.Sequential, jet_image: Tensor) -> Tensor:
    """What a network makes of the energy map of each jet.

    Args:
        embed: ``[J, 3, 16, 16]`` to ``[J, C]``.
        jet_image: ``[E, N, 3, 16, 16]`` in GeV; a pixel enters as ``log(1 + pixel / GeV)``, below 0 as 0.

    Returns:
        ``[E, N, C]``.

    >>> embedded(nn.Sequential(nn.Flatten()), torch.rand(5, 2, 3, 16, 16)).shape
    torch.Size([5, 2, 768])
    """
    maps = log_energy(jet_image).flatten(0, 1)
    if isinstance(embed[0], nn.Conv2d):
        # Convolutions on a CPU are a quarter faster where a pixel's channels are neighbours in memory.
        maps = maps.contiguous(memory_format=torch.channels_last)
    made: Tensor = embed(maps).unflatten(0, jet_image.shape[:2])
    return made


def _calibrate(
    momenta: LogMomentum, embed: nn.Sequential, head: nn.Module, inputs: tuple[Tensor, Tensor, Tensor | None]
) -> Tensor:
    jet_image, jet_p4, tag = inputs
    jet = momenta(jet_p4)
    parts = [embedded(embed, jet_image), jet, *([] if tag is None else [tag.to(jet.dtype)])]
    return correct(jet, head(torch.cat(parts, dim=-1)), momenta.pt_scale)


def _convolutions(
    maps: int, channels: int, kernel: int, activation: str | nn.Module, film: bool
) -> list[nn.Module]:
    if channels < 4:
        msg = f"channels must be 4 or more (the last convolution has a quarter of them), found {channels}"
        raise ValueError(msg)
    half, quarter = channels // 2, channels // 4

    return [
        *(nn.Conv2d(maps, channels, kernel), activate(activation)),
        *(nn.Conv2d(channels, half, kernel), activate(activation)),
        nn.MaxPool2d(2),
        *(nn.Conv2d(half, half, 2), activate(activation)),
        *(nn.Conv2d(half, quarter, 2), activate(activation)),
        *([FiLMSite(quarter)] if film else []),
    ]


def _shrunk(pixels: int, kernel: int) -> int:
    left = (pixels - 2 * (kernel - 1)) // 2 - 2
    if kernel < 1 or left < 1:
        msg = f"kernel must be from 1 to {(pixels - 6) // 2 + 1} on {pixels} pixels, found {kernel}"
        raise ValueError(msg)
    return left
