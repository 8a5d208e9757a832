"""What the core can do at best, and how much arithmetic a step of training is."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch
from torch import Tensor, nn

from benchmarks.chain import BATCH, Chain
from benchmarks.measure import Clock

__all__ = ["flops_of_pass", "flops_of_step", "gemm_peak"]

SIZES = (128, 256, 512, 1024, 2048)
"""Of the square matrices; the best size is the one that fits the caches best."""
ROUNDS = 5
LEAST_SECONDS = 0.02


def gemm_peak(sizes: tuple[int, ...] = SIZES, clock: Clock = time.process_time) -> float:
    """The most floating-point operations a second of float32 matrix products, by CPU time on the threads that are set.

    >>> gemm_peak((64, 128)) > 1e8
    True
    """
    return max(_rate(size, clock) for _ in range(ROUNDS) for size in sizes)


def _rate(size: int, clock: Clock) -> float:
    a, b = torch.rand(2, size, size, generator=torch.Generator().manual_seed(1))
    made, done, start = torch.empty(size, size), 0, clock()
    while done < 2 or clock() - start < LEAST_SECONDS:
        torch.mm(a, b, out=made)
        done += 1
    return done * 2 * size**3 / (clock() - start)


def flops_of_step(chain: Chain) -> int:
    """Floating-point operations of one step at the suite's batch size in dense layers, convolutions and LSTMs.

    A product of ``[m, k]`` and ``[k, n]`` is 2 m k n. Going back there are two of that size, for the weights and for the
    inputs; the second is not needed where a layer reads the table. All else (activations, losses, the optimiser)
    is not counted.

    >>> from benchmarks.chain import mlps
    >>> first, second = 8 * 64 + 64 * 64 + 64 * 6, 6 * 64 + 64 * 64 + 64
    >>> flops_of_step(mlps()) == 2 * 100 * (3 * (first + second) - 8 * 64)
    True
    """
    rows = chain.events(BATCH).columns
    return flops_of_pass(chain.graph(), {name: rows[name] for name in chain.inputs})


def flops_of_pass(graph: nn.Module, batch: Mapping[str, Tensor]) -> int:
    """The same of a graph of tasks forward and back on a batch ``[E, ...]`` by column.

    >>> from benchmarks.resnet import pipeline
    >>> from tsunagu.tasks import build_graph
    >>> flops_of_pass(build_graph(pipeline(), seed=1), {"jet_image": torch.zeros(2, 3, 16, 16)}) // 2
    8565427200
    """
    counted: list[int] = []

    def count(module: nn.Module, inputs: tuple[Any, ...], made: Any) -> None:
        forward = 2 * _products(module, inputs[0], made)
        counted.append(forward * (3 if inputs[0].requires_grad else 2))

    with ExitStack() as hooks:
        for module in graph.modules():
            if isinstance(module, nn.Linear | nn.Conv2d | nn.LSTM):
                hooks.callback(module.register_forward_hook(count).remove)
        graph(batch)
    return sum(counted)


def _products(module: nn.Module, x: Tensor, made: Any) -> int:
    """Multiplications of the forward pass."""
    if isinstance(module, nn.Linear):
        return x.numel() * module.out_features
    if isinstance(module, nn.Conv2d):
        return int(made.numel()) * module.weight[0].numel()
    assert isinstance(module, nn.LSTM)
    steps = x.numel() // x.shape[-1]
    return steps * sum(weight.numel() for weights in module.all_weights for weight in weights[:2])
