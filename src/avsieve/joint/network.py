"""What joint networks share: two encoders, run on the rows that have their modality."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Self

import torch
from torch import Tensor, nn

from avsieve.encoders.states import InnerStates, chosen
from avsieve.joint.signal_batch import SignalBatch
from avsieve.training.rates import Part

if TYPE_CHECKING:
    import numpy as np

    from avsieve.fusion.inputs import Inputs


class JointNetwork(nn.Module, ABC):
    """Both encoders and what fuses them.

    Subclasses give `fuse`, and `rates` where parts of the encoders have learning rates of their own.

    Parameters
    ----------
    audio
        Speaker encoder: (B, samples) float32 at 16 kHz -> (B, dim); one with ``takes_lengths`` is told how many of the
        samples count.
    visual
        Face encoder: (B, 3, H, W) float32 in [-1, 1] -> (B, dim).
    trained
        Whether the encoders learn. If not, they stay in evaluation mode, their statistics included.
    encoder_rate
        Learning rate of the encoders, as a multiple of the others'.

    Attributes
    ----------
    widths
        Length of each part that `fuse` returns.
    drop_modality
        Share of the training rows that lose one modality; none unless set.
    learns_from_embeddings
        Whether `start` wants the first encoders' embeddings of training utterances.
    """

    widths: tuple[int, ...]
    learns_from_embeddings: ClassVar[bool] = False

    def __init__(self, audio: nn.Module, visual: nn.Module, *, trained: bool, encoder_rate: float = 1.0) -> None:
        super().__init__()
        self.audio, self.visual = audio, visual
        self.encoders_learn, self.encoder_rate, self.drop_modality = trained, encoder_rate, 0.0
        if not trained:
            for encoder in self.encoders:
                encoder.requires_grad_(requires_grad=False)

    def start(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Set what the training begins with from embeddings of training utterances, where it wants them.

        Parameters
        ----------
        inputs
            What the encoders make of U utterances before anything is learned.
        labels
            (U,) int64, the class of each.
        """

    @property
    def encoders(self) -> tuple[nn.Module, nn.Module]:
        """Both encoders."""
        return self.audio, self.visual

    def train(self, mode: bool = True) -> Self:
        """Set the mode; frozen encoders stay in evaluation mode."""
        super().train(mode)
        if not self.encoders_learn:
            for encoder in self.encoders:
                encoder.eval()
        return self

    def rates(self) -> Sequence[tuple[Part, float]]:
        """Return the learning rates: one for both encoders, and that of the schedule for the rest."""
        inside = {id(p) for encoder in self.encoders for p in encoder.parameters()}
        rest = [p for p in self.parameters() if p.requires_grad and id(p) not in inside]
        groups: list[tuple[Part, float]] = [(rest, 1.0)] if rest else []
        if self.encoders_learn:
            groups += [("audio", self.encoder_rate), ("visual", self.encoder_rate)]
        return groups

    def forward(self, batch: SignalBatch) -> Tensor:
        """Return the parts side by side, (B, sum of ``widths``), not normalised; training may take modalities away."""
        batch = self.usable(batch)
        if self.training and self.drop_modality:
            both = batch.has_audio & batch.has_visual
            draw = torch.rand(len(both), device=both.device)
            mute = both & (draw < self.drop_modality / 2)
            blind = both & (draw >= self.drop_modality / 2) & (draw < self.drop_modality)
            # Batch normalisation has no statistics of a single voice or face: then all keep what they have.
            if not mute.any() or (batch.has_audio & ~mute).sum() != 1:
                batch = batch.drop_audio(mute)
            if not blind.any() or (batch.face_mask & ~blind[:, None]).sum() != 1:
                batch = batch.drop_visual(blind)
        return torch.cat(self.fuse(batch), dim=1)

    def embed(self, batch: SignalBatch) -> list[tuple[Tensor, Tensor]]:
        """Return the parts (B, width) each, and of which rows (B,) bool there is one."""
        batch = self.usable(batch)
        return list(zip(self.fuse(batch), self.present(batch), strict=True))

    def usable(self, batch: SignalBatch) -> SignalBatch:
        """Take away voices that are too short for the speaker encoder (its ``min_samples``)."""
        return batch.drop_audio(batch.samples < int(getattr(self.audio, "min_samples", 1)))

    @abstractmethod
    def fuse(self, batch: SignalBatch) -> list[Tensor]:
        """Return the parts, (B, width) each; what a missing modality leaves in one of its own is not read."""

    def present(self, batch: SignalBatch) -> list[Tensor]:
        """Tell of which rows there is each part, (B,) bool: by default where there is either modality."""
        return [batch.has_audio | batch.has_visual] * len(self.widths)

    def voices(self, batch: SignalBatch) -> Tensor:
        """Return the embeddings of the voices (B, Da), zero where there is none."""
        there = batch.has_audio
        width = int(self.audio.dim)  # type: ignore[arg-type]
        if not there.any():
            return batch.waves.new_zeros(len(there), width)
        waves, samples = batch.waves[there], batch.samples[there]
        with torch.set_grad_enabled(self.encoders_learn and torch.is_grad_enabled()):
            whole = bool((samples == waves.shape[1]).all())
            takes = getattr(self.audio, "takes_lengths", False)
            found = self.audio(waves) if whole or not takes else self.audio(waves, samples)
        return spread(found, there)

    def voices_with(self, batch: SignalBatch, only: Sequence[str]) -> tuple[Tensor, list[Tensor], Tensor]:
        """Return the embeddings of the voices and inner states of the same pass.

        Parameters
        ----------
        only
            Names of states, all with the same number of frames.

        Returns
        -------
        (B, Da) embeddings, (B, T, C) each state, and (B, T) bool, which frames exist; without a voice all are zero.
        """
        there, encoder = batch.has_audio, self.audio
        assert isinstance(encoder, InnerStates)
        if not there.any():
            layers = chosen(encoder.offers, only, type(encoder).__name__)
            empty = [batch.waves.new_zeros(len(there), 1, layer.channels) for layer in layers]
            return batch.waves.new_zeros(len(there), int(encoder.dim)), empty, there[:, None] & False  # type: ignore[arg-type]
        waves, samples = batch.waves[there], batch.samples[there]
        with torch.set_grad_enabled(self.encoders_learn and torch.is_grad_enabled()):
            whole = bool((samples == waves.shape[1]).all())
            found, states = encoder.forward_states(waves, None if whole else samples, only=only)
        mask = states[0].mask
        assert mask is not None
        return spread(found, there), [spread(state.values, there) for state in states], spread(mask, there)

    def looks_with(self, batch: SignalBatch, only: Sequence[str]) -> tuple[Tensor, list[Tensor]]:
        """Return the embeddings of the faces (B, F, Dv), and maps (B, F, C, H, W) of that pass; zero without a face."""
        there, encoder = batch.face_mask, self.visual
        assert isinstance(encoder, InnerStates)
        if not there.any():
            layers = chosen(encoder.offers, only, type(encoder).__name__)
            empty = [batch.waves.new_zeros(*there.shape, layer.channels, *layer.size) for layer in layers]
            return batch.waves.new_zeros(*there.shape, int(encoder.dim)), empty  # type: ignore[arg-type]
        with torch.set_grad_enabled(self.encoders_learn and torch.is_grad_enabled()):
            found, states = encoder.forward_states((batch.faces[there].float() - 127.5) / 127.5, only=only)
        return spread(found, there), [spread(state.values, there) for state in states]

    def looks(self, batch: SignalBatch) -> Tensor:
        """Return the embeddings of the faces (B, F, Dv), zero where there is none."""
        there = batch.face_mask
        width = int(self.visual.dim)  # type: ignore[arg-type]
        if not there.any():
            return batch.waves.new_zeros(*there.shape, width)
        with torch.set_grad_enabled(self.encoders_learn and torch.is_grad_enabled()):
            found = self.visual((batch.faces[there].float() - 127.5) / 127.5)
        return spread(found, there)


def spread(found: Tensor, there: Tensor) -> Tensor:
    """Put rows (N, ...) where ``there`` (B, ...) bool is set, N times; the others are zero."""
    out = found.new_zeros(*there.shape, *found.shape[1:])
    out[there] = found
    return out


def mean_look(looks: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, D) of the faces (B, F, D) that ``mask`` (B, F) says exist, zero where there are none."""
    return (looks * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
