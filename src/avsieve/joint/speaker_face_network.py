"""The network and the loss of `avsieve.joint.speaker_face`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.joint.network import JointNetwork, mean_look
from avsieve.joint.signal_batch import SignalBatch
from avsieve.training.criterion import Criterion
from avsieve.training.margin import AAMSoftmax


class SpeakerFace(JointNetwork):
    """Two encoders that share nothing but their batches; parameters as `JointNetwork` has them."""

    def __init__(self, audio: nn.Module, visual: nn.Module, *, trained: bool, encoder_rate: float = 1.0) -> None:
        super().__init__(audio, visual, trained=trained, encoder_rate=encoder_rate)
        self.widths = (int(audio.dim), int(visual.dim))  # type: ignore[arg-type]

    def fuse(self, batch: SignalBatch) -> list[Tensor]:
        """Return the embedding of the voice, and the mean of those of the faces at length 1."""
        looks = F.normalize(self.looks(batch).float(), dim=-1)
        return [self.voices(batch).float(), mean_look(looks, batch.face_mask)]

    def present(self, batch: SignalBatch) -> list[Tensor]:
        """Tell of which rows there is a voice, and a face."""
        return [batch.has_audio, batch.has_visual]


class TwoLosses(Criterion):
    """The sum of two AAM-softmax losses over embeddings that stand side by side, each with centres of its own.

    Parameters
    ----------
    widths
        Lengths of both embeddings.
    classes
        Speakers.
    scales
        Of the two losses.
    margins
        Their margins in radians, at full size.
    """

    def __init__(
        self, widths: tuple[int, ...], classes: int, *, scales: tuple[float, float], margins: tuple[float, float]
    ) -> None:
        super().__init__()
        self.widths, self.margins = widths, margins
        self.losses = nn.ModuleList(
            AAMSoftmax(width, classes, margin=0.0, scale=scale) for width, scale in zip(widths, scales, strict=True)
        )

    def set_margin(self, margin: float, risen: float = 1.0) -> None:
        """Use the share of each margin that the schedule has risen to; ``margin`` is the first one's."""
        share = margin / self.margins[0] if self.margins[0] else risen
        for loss, full in zip(self.losses, self.margins, strict=True):
            loss.set_margin(share * full, risen)  # type: ignore[operator]

    def judge(self, embeddings: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Return the sum of the mean losses, and how many voices are nearest to their own class."""
        found = [
            loss.judge(part, labels)  # type: ignore[operator]
            for loss, part in zip(self.losses, embeddings.split(self.widths, dim=1), strict=True)
        ]
        return torch.stack([loss for loss, _ in found]).sum(), found[0][1]
