"""Joint networks that end in a head of `avsieve.fusion`: what it is given there as embeddings is computed here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.joint.network import JointNetwork, mean_look
from avsieve.joint.signal_batch import SignalBatch

if TYPE_CHECKING:
    import numpy as np

    from avsieve.fusion.inputs import Inputs


class HeadNetwork(JointNetwork):
    """Two encoders and a head over their embeddings.

    The head is given a voice's embedding, and the mean of the faces' unit vectors with all of them as its sequence.

    Parameters
    ----------
    audio, visual, trained, encoder_rate
        As `JointNetwork` has them.
    head
        A network over embeddings of the encoders' lengths.
    """

    learns_from_embeddings = True

    def __init__(
        self, audio: nn.Module, visual: nn.Module, head: NeuralFusion, *, trained: bool, encoder_rate: float = 1.0
    ) -> None:
        super().__init__(audio, visual, trained=trained, encoder_rate=encoder_rate)
        self.head = head
        self.widths = (head.dim,)
        head.draw()

    def start(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Begin as the head does on embeddings: with its means, its noise or its first weights from the data."""
        self.head.start(inputs, labels)

    def fuse(self, batch: SignalBatch) -> list[Tensor]:
        """Return the head's embedding."""
        return [self.head(*self.streams(batch))]

    def streams(self, batch: SignalBatch) -> tuple[StreamBatch, StreamBatch]:
        """Return what the head is given."""
        voices, looks = self.voices(batch).float(), F.normalize(self.looks(batch).float(), dim=-1)
        mask = batch.face_mask
        faces = StreamBatch(mean_look(looks, mask), batch.has_visual, looks, mask, batch.face_times)
        return StreamBatch(voices, batch.has_audio), faces
