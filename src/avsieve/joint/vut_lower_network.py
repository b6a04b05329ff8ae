"""The network of `vut_lower`; see `avsieve.joint.vut`.

For WavLM Base+ and Inception-ResNet-V1 at 112 pixels, and a fused length of 512, its head has 407,404 parameters.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.encoders.states import InnerStates, chosen
from avsieve.fusion.missing import close_gate
from avsieve.joint.network import mean_look
from avsieve.joint.signal_batch import SignalBatch
from avsieve.joint.vut_network import ByLayers, freeze_front


class VutLower(ByLayers):
    """Two weights from both embeddings and from inner states at three levels.

    Parameters
    ----------
    audio, visual, trained, encoder_rate
        As `avsieve.joint.network.JointNetwork` has them; both have inner states.
    states
        Names of those of the speaker encoder, and as many of the face encoder.
    dim
        Length of the fused embedding.
    by_layers
        Whether the encoders' learning rates rise from layer to layer.
    """

    def __init__(
        self,
        audio: nn.Module,
        visual: nn.Module,
        states: tuple[list[str], list[str]],
        dim: int,
        *,
        trained: bool,
        encoder_rate: float = 1.0,
        by_layers: bool = True,
    ) -> None:
        super().__init__(audio, visual, trained=trained, encoder_rate=encoder_rate)
        self.by_layers = by_layers
        freeze_front(audio)
        assert isinstance(audio, InnerStates)
        assert isinstance(visual, InnerStates)
        self.states, self.widths = states, (dim,)
        heard, seen = (chosen(e.offers, s, type(e).__name__) for e, s in zip((audio, visual), states, strict=True))
        audio_dim, visual_dim = int(audio.dim), int(visual.dim)  # type: ignore[arg-type]
        self.levels = nn.ModuleList(
            nn.Linear(frames.channels + maps.size[0] * maps.size[1], 2)
            for frames, maps in zip(heard, seen, strict=True)
        )
        self.attention = nn.Linear(audio_dim + visual_dim, 2)
        self.audio_projection = nn.Linear(audio_dim, dim)
        self.visual_projection = nn.Linear(visual_dim, dim)

    def gate(self, batch: SignalBatch) -> tuple[Tensor, Tensor, Tensor]:
        """Return the weight of the voice (B, 1), and both embeddings at length 1."""
        voice, heard, frames = self.voices_with(batch, self.states[0])
        looks, seen = self.looks_with(batch, self.states[1])
        audio = F.normalize(voice.float(), dim=1)
        visual = F.normalize(mean_look(F.normalize(looks.float(), dim=-1), batch.face_mask), dim=1)
        logits = [self.attention(torch.cat([audio, visual], dim=1))]
        count = frames.sum(dim=1, keepdim=True).clamp(min=1)
        for level, state, maps in zip(self.levels, heard, seen, strict=True):
            sound = F.normalize((state.float() * frames[..., None]).sum(dim=1) / count, dim=1)
            # Of several faces the mean of their maps, as of their embeddings.
            picture = F.normalize(mean_look(maps.float().mean(dim=2).flatten(2), batch.face_mask), dim=1)
            logits.append(level(torch.cat([sound, picture], dim=1)))
        weights = torch.softmax(torch.stack(logits).mean(dim=0), dim=1)
        return close_gate(weights[:, :1], batch.has_audio, batch.has_visual), audio, visual

    def fuse(self, batch: SignalBatch) -> list[Tensor]:
        """Return the embedding."""
        w, audio, visual = self.gate(batch)
        return [w * self.audio_projection(audio) + (1 - w) * self.visual_projection(visual)]
