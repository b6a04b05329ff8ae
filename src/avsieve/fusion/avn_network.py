"""AVN-E: a gate over both embeddings, trained with noise on one of them; see `avsieve.fusion.avn`.

    z = sigmoid(W [a; v] + b)        e = z * tanh(W_a a + b_a) + (1 - z) * tanh(W_v v + b_v)

The gate has the form of a GRU's. Inputs are unit vectors, and stay so when they are perturbed: by their length the gate
would know a perturbed embedding in training, and no real one in scoring.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.evaluation.scoring import Part
from avsieve.fusion.discriminant import class_means, evenly
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.missing import close_gate
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.pairs import TooFewError
from avsieve.fusion.stream_batch import StreamBatch

if TYPE_CHECKING:
    from avsieve.fusion.twins import Twins


class AvnE(NeuralFusion):
    """The gate of AVN-E and its noise.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    noisy
        Share of the training rows of which one modality is perturbed.
    noise
        Size of the perturbation, in units of what damage does to twins, or without twins of how an utterance deviates
        from its speaker's mean; 1 or 2 unless given.
    """

    name = "avn_e"
    centred = False
    from_data = False
    audio_noise: Tensor
    visual_noise: Tensor
    audio_shift: Tensor
    visual_shift: Tensor

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, noisy: float, noise: float | None) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.noisy, self.noise = noisy, noise
        self.audio_projection = nn.Linear(audio_dim, dim)
        self.visual_projection = nn.Linear(visual_dim, dim)
        self.gate_logits = nn.Linear(audio_dim + visual_dim, dim)
        # Square roots of the covariances: a row of independent normal numbers times one is a row of noise.
        self.register_buffer("audio_noise", torch.zeros(audio_dim, audio_dim))
        self.register_buffer("visual_noise", torch.zeros(visual_dim, visual_dim))
        self.register_buffer("audio_shift", torch.zeros(audio_dim))
        self.register_buffer("visual_shift", torch.zeros(visual_dim))
        self._from_twins: set[str] = set()

    @torch.no_grad()
    def learn_damage(self, inputs: Inputs, twins: Twins) -> None:
        """Fit the noise to what damage did to twins, in each modality that enough of them were damaged in."""
        for modality, stream in inputs.streams.items():
            found = damage_moments(stream, twins.inputs.streams[modality], twins.of)
            if found is None:
                continue
            mean, covariance = found
            getattr(self, f"{modality}_shift").copy_(torch.from_numpy(mean.astype(np.float32)))
            getattr(self, f"{modality}_noise").copy_(torch.from_numpy(square_root(covariance)))
            self._from_twins.add(modality)

    @torch.no_grad()
    def start(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Draw the first weights, and fit the noise to the training utterances where no twins told it.

        Raises
        ------
        TooFewError
            If nobody is in two videos with a modality.
        """
        super().start(inputs, labels)
        video = np.array([u.rsplit("/", 1)[0] for u in inputs.utterances])
        for modality, root in (("audio", self.audio_noise), ("visual", self.visual_noise)):
            if modality in self._from_twins:
                continue
            covariance = noise_covariance(inputs.streams[modality], labels, video)
            if covariance is None:
                raise TooFewError(
                    f"{self.name}: no speaker of the list has {modality} embeddings in two videos; its noise is fitted "
                    "to how one person's embeddings differ: leave this model out, or use a longer list"
                )
            root.copy_(torch.from_numpy(square_root(covariance)))

    def augment(self, audio: StreamBatch, visual: StreamBatch) -> tuple[StreamBatch, StreamBatch]:
        """Perturb one modality of some of the rows that have both."""
        both = audio.present & visual.present
        draw = torch.rand(len(both), device=both.device)
        return (
            self._perturb(audio, "audio", both & (draw < self.noisy / 2)),
            self._perturb(visual, "visual", both & (draw >= self.noisy / 2) & (draw < self.noisy)),
        )

    def _perturb(self, batch: StreamBatch, modality: str, chosen: Tensor) -> StreamBatch:
        root, shift = getattr(self, f"{modality}_noise"), getattr(self, f"{modality}_shift")
        size = self.noise or (1.0 if modality in self._from_twins else 2.0)
        noisy = F.normalize(batch.pooled + size * (shift + torch.randn_like(batch.pooled) @ root), dim=1)
        return replace(batch, pooled=torch.where(chosen[:, None], noisy, batch.pooled))

    def gate(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return z (B, dim): 1 is all voice, 0 all face."""
        z = torch.sigmoid(self.gate_logits(torch.cat([audio.pooled, visual.pooled], dim=1)))
        return close_gate(z, audio.present, visual.present)

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        z = self.gate(audio, visual)
        voice, face = self.audio_projection(audio.pooled), self.visual_projection(visual.pooled)
        return z * torch.tanh(voice) + (1 - z) * torch.tanh(face)


def noise_covariance(stream: Stream, labels: np.ndarray, video: np.ndarray) -> np.ndarray | None:
    """Return (D, D) float64: how unit embeddings deviate from the mean of their speaker, of speakers in two videos.

    An even choice of rows decides (`avsieve.fusion.discriminant.evenly`).

    Parameters
    ----------
    stream
        The training utterances.
    labels, video
        (U,) the speaker and the video of each.

    Returns
    -------
    The covariance, or None if nobody has the modality in two videos.
    """
    rows = evenly(stream.present)
    speaker = np.unique(labels[rows], return_inverse=True)[1]
    of_video, first = np.unique(video[rows], return_index=True)
    several = np.bincount(speaker[first], minlength=len(of_video)) > 1
    rows, speaker = rows[several[speaker]], speaker[several[speaker]]
    if not len(rows):
        return None
    unit = Part.of(stream.pooled[rows]).vectors.astype(np.float64)
    people, rank = np.unique(speaker, return_inverse=True)
    deviation = unit - class_means(unit, rank)[rank]
    return deviation.T @ deviation / (len(rows) - len(people))


def damage_moments(stream: Stream, twins: Stream, of: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the mean (D,) and covariance (D, D), float64, of what damage did to unit embeddings.

    An even choice of the twins whose embedding is another than their utterance's decides.

    Parameters
    ----------
    stream, twins
        One modality of the U utterances, and of the M twins.
    of
        (M,) the utterance of each twin.

    Returns
    -------
    The moments, or None where fewer than two twins were damaged in this modality.
    """
    there = np.flatnonzero(twins.present & stream.present[of])
    there = there[(twins.pooled[there] != stream.pooled[of[there]]).any(axis=1)]
    if len(there) < 2:
        return None
    chosen = np.zeros(len(of), dtype=bool)
    chosen[there] = True
    rows = evenly(chosen)
    was, now = Part.of(stream.pooled[of[rows]]).vectors, Part.of(twins.pooled[rows]).vectors
    change = now.astype(np.float64) - was.astype(np.float64)
    return change.mean(axis=0), np.cov(change, rowvar=False)


def square_root(covariance: np.ndarray) -> np.ndarray:
    """Return the symmetric square root (D, D) float32 of a covariance."""
    values, vectors = np.linalg.eigh(covariance)
    return ((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T).astype(np.float32)
