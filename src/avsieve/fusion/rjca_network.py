"""RJCA: recursive joint cross-attention between parts of a voice and faces; see `avsieve.fusion.rjca`.

A BLSTM over each modality, blocks of joint cross-attention, a BLSTM over both side by side, attentive statistics
pooling, and a linear layer. What does not exist is masked throughout (`avsieve.fusion.rjca_layers`): the source pads
voices with silence and faces with black, and attends to both. Items come in the order of time; in the source in that of
the file system, though its BLSTMs rely on one.

The published weights fit (`avsieve.fusion.start`): with eight parts of the voice and eight faces nothing is masked, and
the outputs are those of the source.

An utterance with fewer items than parts has them at the first places. Where a modality is missing altogether, the other
one attends to itself, and the embedding is what it says alone; the BLSTM over both is given zeros for the missing one.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from avsieve.fusion.missing import items_of
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.published_layout import PublishedLayout
from avsieve.fusion.rjca_layers import AttentivePooling, Blstm, JointCrossAttention
from avsieve.fusion.sequences import Reading
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.storage.sequence_names import EIGHTHS, FRAMES

_MODALITY_DROPOUT = 0.1
_MOST_BLOCKS = 5  # as many as the settings allow


def _layout() -> PublishedLayout:
    """Return the names of the published file; of its blocks those of any depth.

    What the source builds and does not use lies below ``JCA_model.video_attn`` and ``JCA_model.predict``.
    """
    layers = {
        "JCA_model.audio_extract": "audio_blstm",
        "JCA_model.video_extract": "visual_blstm",
        "JCA_model.Joint": "joint_blstm",
        "asp.attention.0": "pooling.first",
        "asp.attention.2": "pooling.norm.norm",
        "asp.attention.4": "pooling.second",
        "linear": "linear",
    }
    parts = {
        "dense_coattn.query_linear": "joint",
        "dense_coattn.key1_linear": "visual_key",
        "dense_coattn.key2_linear": "audio_key",
        "dense_coattn.value1_linear": "visual_value",
        "dense_coattn.value2_linear": "audio_value",
        "linears.0.0": "visual_out",
        "linears.1.0": "audio_out",
    }
    for block in range(_MOST_BLOCKS):
        layers |= {f"JCA_model.coattn.dcn_layers.{block}.{p}": f"blocks.{block}.{own}" for p, own in parts.items()}
    return PublishedLayout(
        {theirs: (own,) for theirs, own in layers.items()},
        beside=("JCA_model.video_attn.", "JCA_model.predict."),
        settings=("length", "parts", "depth", "blstm"),
    )


class Rjca(NeuralFusion):
    """The network of RJCA.

    For embeddings of 192 and 512, a fused length of 512, eight parts and depth 2, 14,822,624 parameters: BLSTMs
    520,128 (voice), 3,680,768 (faces) and 6,953,408 (both), attention 2 x 1,292,496, pooling 361,920, linear layer
    721,408.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    parts
        How many items of each modality it reads.
    depth
        How many blocks of attention.
    blstm
        Whether each modality has a BLSTM before them.
    dropout
        Share that is dropped in the blocks in training; the BLSTM of a modality drops 0.1, that of both nothing.
    """

    name = "rjca"
    centred = False
    from_data = False
    published = _layout()
    rows_at_once = 256  # the attention of 4096 would take 8 GB

    def __init__(
        self, audio_dim: int, visual_dim: int, dim: int, *, parts: int, depth: int, blstm: bool, dropout: float
    ) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.parts = parts
        self.audio_blstm = Blstm(audio_dim, _MODALITY_DROPOUT) if blstm else None
        self.visual_blstm = Blstm(visual_dim, _MODALITY_DROPOUT) if blstm else None
        self.blocks = nn.ModuleList(
            JointCrossAttention(audio_dim, visual_dim, parts, dropout) for _ in range(depth)
        )  # fmt: skip
        self.joint_blstm = Blstm(audio_dim + visual_dim, 0.0)
        self.pooling = AttentivePooling(audio_dim + visual_dim)
        self.linear = nn.Linear(2 * (audio_dim + visual_dim), dim)

    @property
    def readings(self) -> Mapping[str, Reading]:
        """As many parts of the voice as of faces."""
        return {"audio": Reading(EIGHTHS, self.parts), "visual": Reading(FRAMES, self.parts)}

    def draw(self) -> None:
        """Draw the weights: those of the linear layers before the pooling by Xavier's uniform rule, without bias."""
        super().draw()
        for part in (self.audio_blstm, self.visual_blstm, self.blocks, self.joint_blstm):
            for module in [] if part is None else part.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        (voice, has_voice), (face, has_face) = items_of(audio), items_of(visual)
        if self.audio_blstm is not None and self.visual_blstm is not None:
            voice, face = self.audio_blstm(voice, has_voice), self.visual_blstm(face, has_face)
        for block in self.blocks:
            voice, face = block(voice, face, has_voice, has_face)
        either = has_voice | has_face
        both = self.joint_blstm(torch.cat([face, voice], dim=2), either)
        return self.linear(self.pooling(both, either))
