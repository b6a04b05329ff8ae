"""The network of `vut_video_frames`; see `avsieve.joint.vut`."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.encoders.states import InnerStates, chosen
from avsieve.encoders.wavlm import MHFA
from avsieve.joint.network import mean_look
from avsieve.joint.signal_batch import SignalBatch
from avsieve.joint.vut_network import ByLayers, freeze_front
from avsieve.storage.wav import SAMPLE_RATE


class VutFrames(ByLayers):
    """Frame-wise weights of voice and face, inside the pooling of the voice.

    Parameters
    ----------
    audio, visual, trained, encoder_rate
        As `avsieve.joint.network.JointNetwork` has them; the speaker encoder has inner states. That of WavLM is pooled
        by its own MHFA, which learns along; any other by a new one.
    states
        Inner states of the speaker encoder, all of one width and rate.
    dim
        Length of the fused embedding.
    heads
        Of a new pooling.
    by_layers
        Whether the encoders' learning rates rise from layer to layer.
    """

    def __init__(
        self,
        audio: nn.Module,
        visual: nn.Module,
        states: list[str],
        dim: int,
        *,
        heads: int = 64,
        trained: bool,
        encoder_rate: float = 1.0,
        by_layers: bool = True,
    ) -> None:
        super().__init__(audio, visual, trained=trained, encoder_rate=encoder_rate)
        self.by_layers = by_layers
        freeze_front(audio)
        assert isinstance(audio, InnerStates)
        layers = chosen(audio.offers, states, type(audio).__name__)
        self.states, self.widths = states, (dim,)
        self.start_s, self.step_s = layers[0].start / SAMPLE_RATE, layers[0].step / SAMPLE_RATE
        inputs, audio_dim, visual_dim = layers[0].channels, int(audio.dim), int(visual.dim)  # type: ignore[arg-type]
        own = getattr(audio, "backend", None)
        # A new pooling is a part of this network; WavLM's stays where it is, and is not counted twice.
        self.pooling = None if isinstance(own, MHFA) else MHFA(heads, len(layers), inputs, outputs=audio_dim)
        self.layer_weights = nn.Parameter(torch.ones(len(layers)))
        self.quality = nn.Linear(inputs + visual_dim, 2)
        self.frame_projection = nn.Linear(visual_dim, visual_dim)
        self.audio_projection = nn.Linear(audio_dim, dim)
        self.visual_projection = nn.Linear(visual_dim, dim)

    def fuse(self, batch: SignalBatch) -> list[Tensor]:
        """Return the embedding."""
        _, heard, frames = self.voices_with(batch, self.states)
        layers = torch.stack([state.float() for state in heard])
        looks = F.normalize(self.looks(batch).float(), dim=-1)
        alpha, beta, faces = self.weights(layers, frames, looks, batch)
        pooled = self._pooled(layers, frames, alpha)
        audio = F.normalize(pooled, dim=1) * batch.has_audio[:, None]
        # Without a voice there are no frames: every face counts alike.
        alone = ~batch.has_audio & batch.has_visual
        weight = (beta * frames)[..., None]
        over = self.frame_projection(faces) * weight
        seen = over.sum(dim=1) / frames.sum(dim=1, keepdim=True).clamp(min=1)
        seen = torch.where(alone[:, None], self.frame_projection(mean_look(looks, batch.face_mask)), seen)
        visual = F.normalize(seen, dim=1) * batch.has_visual[:, None]
        return [
            self.audio_projection(audio) * batch.has_audio[:, None]
            + self.visual_projection(visual) * batch.has_visual[:, None]
        ]

    def weights(
        self, layers: Tensor, frames: Tensor, looks: Tensor, batch: SignalBatch
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weights of voice and face (B, T) in every frame, and the face of its time (B, T, Dv).

        Where a modality is missing the other one has all the weight.

        Parameters
        ----------
        layers, frames
            (L, B, T, C) inner states, and (B, T) which frames exist.
        looks
            (B, F, Dv) unit vectors of the faces.
        batch
            When they are seen.
        """
        q = F.normalize(torch.einsum("lbtc,l->btc", layers, self.layer_weights.softmax(dim=0)), dim=-1)
        place = self.nearest(batch, frames.shape[1])
        faces = looks.gather(1, place[..., None].expand(-1, -1, looks.shape[2]))
        logits = self.quality(torch.cat([q, faces], dim=-1))
        alpha, beta = torch.softmax(logits, dim=-1).unbind(dim=-1)
        seen = batch.has_visual[:, None]
        return torch.where(seen, alpha, torch.ones_like(alpha)), beta * seen, faces

    def nearest(self, batch: SignalBatch, frames: int) -> Tensor:
        """Return which face (B, T) is nearest in time to each frame, among those that exist; the earlier of two."""
        times = self.start_s + self.step_s * torch.arange(frames, device=batch.waves.device)
        distance = (times[None, :, None] - batch.face_times[:, None, :]).abs()
        return distance.masked_fill(~batch.face_mask[:, None, :], float("inf")).argmin(dim=2)

    def _pooled(self, layers: Tensor, frames: Tensor, alpha: Tensor) -> Tensor:
        """Return the embedding of the voice (B, Da), of any number where there is none."""
        own = self.pooling if self.pooling is not None else self.audio.backend
        assert isinstance(own, MHFA)
        # A row without frames would be a softmax over nothing.
        some = frames | ~frames.any(dim=1, keepdim=True)
        return own(layers, some, alpha)
