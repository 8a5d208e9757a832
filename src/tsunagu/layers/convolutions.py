"""Residual blocks of convolutions, as the ResNet of the talk is made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from tsunagu.layers.dense import activate
from tsunagu.layers.init import initialise
from tsunagu.layers.registry import register
from tsunagu.layers.sites import FiLMSite

__all__ = ["ConvResBlock", "FiLMedConvResBlock"]

_THREE: Sequence[Mapping[str, Any]] = ({"kernel_size": 3, "padding": 1, "bias": False},) * 2


@register
@final
class ConvResBlock(nn.Module):
    """Two convolutions beside a shortcut: ``act(bn(conv(act(bn(conv(x))))) + conv1x1(x))``.

    As the ResNet of He et al. (arXiv:1512.03385) with a projection in every block, also where the planes stay the same: that
    is what the 5,583,360 parameters of the talk's network say.

    Args:
        in_plane: channels that come in.
        out_plane: channels that go out, of both convolutions.
        activation: a class of ``torch.nn`` by name, or a module to copy.
        conv_args: of the two ``torch.nn.Conv2d``, beside the channels; by default 3 x 3 that keep the size.
        film: whether there is a site for a condition before the sum; by itself where the pipeline has one.

    Shapes: ``[E, in_plane, H, W]`` to ``[E, out_plane, H', W']``.

    Raises:
        ValueError: not two convolutions.

    >>> ConvResBlock(3, 8, "GELU")(torch.rand(5, 3, 16, 16)).shape
    torch.Size([5, 8, 16, 16])
    """

    def __init__(
        self,
        in_plane: int,
        out_plane: int,
        activation: str | nn.Module = "ReLU",
        conv_args: Sequence[Mapping[str, Any]] = _THREE,
        film: bool = False,
    ) -> None:
        super().__init__()
        site: list[nn.Module] = [FiLMSite(out_plane)] if film else []
        self.layers, self.shortcut = _paths(in_plane, out_plane, activation, conv_args, site)
        self.activation = activate(activation)

    def forward(self, x: Tensor) -> Tensor:
        return _residual(self.layers, self.shortcut, self.activation, x)


@final
class FiLMedConvResBlock(nn.Module):
    """A :class:`ConvResBlock` with a site for a condition before the sum; the key is ``FiLMed_ConvResBlock``.

    Arguments and shapes are those of :class:`ConvResBlock`.
    """

    def __init__(
        self,
        in_plane: int,
        out_plane: int,
        activation: str | nn.Module = "ReLU",
        conv_args: Sequence[Mapping[str, Any]] = _THREE,
    ) -> None:
        super().__init__()
        site = FiLMSite(out_plane)
        self.layers, self.shortcut = _paths(in_plane, out_plane, activation, conv_args, [site])
        self.activation = activate(activation)

    def forward(self, x: Tensor) -> Tensor:
        return _residual(self.layers, self.shortcut, self.activation, x)


register(FiLMedConvResBlock, "FiLMed_ConvResBlock")


def _paths(
    planes: int,
    out: int,
    activation: str | nn.Module,
    settings: Sequence[Mapping[str, Any]],
    site: list[nn.Module],
) -> tuple[nn.Sequential, nn.Conv2d]:
    if len(settings) != 2:
        msg = f"conv_args are the arguments of two convolutions, found {len(settings)}"
        raise ValueError(msg)
    first, second = nn.Conv2d(planes, out, **settings[0]), nn.Conv2d(out, out, **settings[1])
    stride = (first.stride[0] * second.stride[0], first.stride[1] * second.stride[1])
    layers = (first, nn.BatchNorm2d(out), activate(activation), second, nn.BatchNorm2d(out), *site)
    shortcut = nn.Conv2d(planes, out, 1, stride, bias=False)
    return initialise(nn.Sequential(*layers)), initialise(shortcut)


def _residual(layers: nn.Sequential, shortcut: nn.Conv2d, activation: nn.Module, x: Tensor) -> Tensor:
    # Convolutions and normalisation are faster where the channels of a pixel are neighbours; what comes out stays so.
    x = x.contiguous(memory_format=torch.channels_last)
    made: Tensor = activation(layers(x) + shortcut(x))
    return made
