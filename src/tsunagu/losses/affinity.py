"""The affinity loss: large margins between similarities to the prototypes of classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from tsunagu.losses.labels import check_logits, check_whole
from tsunagu.losses.loss import ClassLoss, register_loss
from tsunagu.losses.parameters import Number, wide

__all__ = ["AffinityMargin"]


@register_loss("affinity")
@final
@dataclass(frozen=True, kw_only=True)
class AffinityMargin(ClassLoss):
    """``sum_{j != y} max(0, margin + d_j - d_y) + R`` of the similarities d to the prototypes of each class.

    The prediction is what the layer ``Affinity`` gives: ``[E, C]`` similarities, and in training a further column with the
    regulariser R of its prototypes, the same for all events (their weighted mean is R). The target is ``[E]``. In evaluation
    R is absent from the layer's output, as dropout is, and so from the validation loss.

    Args:
        margin: lambda.
        classes: C.

    Source: Hayat et al., ICCV 2019, arXiv:1901.07711.

    >>> import torch
    >>> d = torch.tensor([[1.0, 0.5], [0.0, 1.0]])
    >>> AffinityMargin()(d, torch.tensor([0, 1])).tolist()
    [0.25, 0.0]
    """

    parameters: ClassVar[tuple[str, ...]] = ("margin",)
    margin: Number = 0.75
    classes: int = 2

    def __post_init__(self) -> None:
        if self.classes < 2:
            msg = f"classes must be 2 or more, found {self.classes}"
            raise ValueError(msg)

    def __call__(self, prediction: Tensor, target: Tensor) -> Tensor:
        regularised = prediction.ndim == 2 and prediction.shape[1] == self.classes + 1
        similar = prediction[:, : self.classes] if regularised else prediction
        check_logits(similar, target, self.classes)
        own = similar.gather(1, target.long()[:, None])
        # The class itself contributes max(0, margin), a constant.
        loss = (wide(self.margin, similar) + similar - own).clamp(min=0.0).sum(1) - _positive(
            self.margin, own
        )
        return loss + prediction[:, -1] if regularised else loss

    def check(self, target: Tensor) -> str | None:
        return check_whole(target, self.classes)


def _positive(margin: Number, like: Tensor) -> Number:
    return margin.to(like.dtype).clamp(min=0.0) if isinstance(margin, Tensor) else max(0.0, margin)
