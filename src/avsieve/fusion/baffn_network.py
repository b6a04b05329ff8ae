"""BAFFN and the two heads it is compared with; see `avsieve.fusion.baffn`.

Gate and attention:

    a' = Drop(W_a BN(a) + b_a)        v' = Drop(W_v BN(v) + b_v)        s = W BN([a; v]) + b
    gate:       z = sigmoid(s)        e = BN(z * tanh(a') + (1 - z) * tanh(v'))
    attention:  w = softmax(s)        e = BN(w_a a' + w_v v')

Four things are otherwise than in the source, where they are mistakes. Batch normalisation stays in scoring, by its
running statistics; without it the gate is nearly constant. The voice and the fused embedding have layers of their own.
No dropout lies on the gate's logits, where it sets half of the gate to one half. The weights of the attention pass
gradients on; cut off, the attention never learns. A missing modality takes no part in the statistics.

The published weights fit (`avsieve.fusion.start`): our layers take theirs by name, and both layers that the source
shares start as one. They were published with scores that skip batch normalisation; here it stays, in evaluation mode,
unless `published_scoring` asks for the source's way. Its running statistics of the shared layer are a mixture of those
of the voice and of the fused embedding, and right for neither: weights that are not trained on score by them as they
are.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch import Tensor, nn

from avsieve.fusion.missing import PresentNorm, close_gate
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.published_layout import PublishedLayout
from avsieve.fusion.stream_batch import StreamBatch

_FIRST_BIAS = 1e-4
_CLASSIFIER = "fc_out"


def _weighted_layout(score: str) -> PublishedLayout:
    """Return the layout of a head whose layer over both embeddings is called ``score`` in the file."""
    layers = {
        "fc_a": ("audio_projection",),
        "fc_v": ("visual_projection",),
        "bn_a": ("audio_norm.norm", "fused_norm"),
        "bn_v": ("visual_norm.norm",),
        "bn_cat": ("joint_norm.norm",),
        score: ("score",),
    }
    return PublishedLayout(layers, classifier=_CLASSIFIER)


class _Baffn(NeuralFusion):
    centred = False
    from_data = False

    def draw(self) -> None:
        """Draw the weights by Xavier's uniform rule."""
        super().draw()
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                nn.init.constant_(module.bias, _FIRST_BIAS)


class _Weighted(_Baffn):
    """Both modalities, projected and weighted.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    scores
        How many scores are computed from both.
    dropout
        Share of the projected entries that are dropped in training.
    published_scoring
        Whether batch normalisation is skipped outside training, as in the source.
    """

    def __init__(
        self, audio_dim: int, visual_dim: int, dim: int, scores: int, dropout: float, *, published_scoring: bool
    ) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.published_scoring = published_scoring
        self.audio_norm = PresentNorm(audio_dim)
        self.visual_norm = PresentNorm(visual_dim)
        self.joint_norm = PresentNorm(audio_dim + visual_dim)
        self.audio_projection = nn.Linear(audio_dim, dim)
        self.visual_projection = nn.Linear(visual_dim, dim)
        self.score = nn.Linear(audio_dim + visual_dim, scores)
        self.dropout = nn.Dropout(dropout)
        self.fused_norm = nn.BatchNorm1d(dim)

    @abstractmethod
    def share_of_audio(self, scores: Tensor) -> Tensor:
        """Return the share of the voice, (B, dim or 1), from the scores of both, (B, scores)."""

    @abstractmethod
    def activate(self, projected: Tensor) -> Tensor:
        """Return what is weighted, from a projected embedding (B, dim)."""

    @property
    def skips_norms(self) -> bool:
        """Whether batch normalisation is skipped now."""
        return self.published_scoring and not self.training

    def gate(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return the share of the voice, (B, dim or 1); the face has the rest."""
        joint = torch.cat([audio.pooled, visual.pooled], dim=1)
        if not self.skips_norms:
            joint = self.joint_norm(joint, audio.present & visual.present)
        return close_gate(self.share_of_audio(self.score(joint)), audio.present, visual.present)

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        z = self.gate(audio, visual)
        voice, face = audio.pooled, visual.pooled
        if not self.skips_norms:
            voice, face = self.audio_norm(voice, audio.present), self.visual_norm(face, visual.present)
        voice = self.activate(self.dropout(self.audio_projection(voice)))
        face = self.activate(self.dropout(self.visual_projection(face)))
        fused = z * voice + (1 - z) * face
        return fused if self.skips_norms else self.fused_norm(fused)


class BaffnGated(_Weighted):
    """The gate of BAFFN.

    For embeddings of 1024 and 512 and a fused length of 1024: 3,148,800 parameters in linear layers, 3,156,992 with
    batch normalisation.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    dropout
        Share of the projected entries that are dropped in training.
    published_scoring
        Whether batch normalisation is skipped outside training, as in the source.
    """

    name = "baffn_gated"
    published = _weighted_layout("fc_att")

    def __init__(
        self, audio_dim: int, visual_dim: int, dim: int, dropout: float, *, published_scoring: bool = False
    ) -> None:
        super().__init__(audio_dim, visual_dim, dim, dim, dropout, published_scoring=published_scoring)

    def share_of_audio(self, scores: Tensor) -> Tensor:
        """Return (B, dim)."""
        return torch.sigmoid(scores)

    def activate(self, projected: Tensor) -> Tensor:
        """Return (B, dim)."""
        return torch.tanh(projected)


class BaffnAttention(_Weighted):
    """The attention that BAFFN is compared with: 1,577,986 parameters in linear layers, 1,586,178 in all.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    dropout
        Share of the projected entries that are dropped in training.
    published_scoring
        Whether batch normalisation is skipped outside training, as in the source.
    """

    name = "baffn_attention"
    published = _weighted_layout("attention")

    def __init__(
        self, audio_dim: int, visual_dim: int, dim: int, dropout: float, *, published_scoring: bool = False
    ) -> None:
        super().__init__(audio_dim, visual_dim, dim, 2, dropout, published_scoring=published_scoring)

    def share_of_audio(self, scores: Tensor) -> Tensor:
        """Return (B, 1)."""
        return torch.softmax(scores, dim=1)[:, :1]

    def activate(self, projected: Tensor) -> Tensor:
        """Return it as it is."""
        return projected


class BaffnConcat(_Baffn):
    """The concatenation that BAFFN is compared with: two layers, each with dropout and ReLU. 5,245,952 parameters.

    The fused embedding has no negative entries, as in the source. Where a modality is missing it adds nothing to the
    first layer.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    hidden
        Width of the first layer.
    dropout
        Share of the entries that are dropped in training, after either layer.
    """

    name = "baffn_concat"
    published = PublishedLayout(
        {"fc1": ("layers.0",), "fc2": ("layers.3",)}, classifier=_CLASSIFIER, settings=("length", "hidden")
    )

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, hidden: int, dropout: float) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.layers = nn.Sequential(
            nn.Linear(audio_dim + visual_dim, hidden),
            nn.Dropout(dropout),
            nn.ReLU(),
            nn.Linear(hidden, dim),
            nn.Dropout(dropout),
            nn.ReLU(),
        )

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        return self.layers(torch.cat([audio.pooled, visual.pooled], dim=1))
