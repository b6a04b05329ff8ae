"""RJCA: recursive joint cross-attention between parts of a voice and faces; see `avsieve.fusion.rjca`.

A BLSTM over each modality, blocks of joint cross-attention, a BLSTM over both side by side, attentive statistics
pooling, and a linear layer. What does not exist is masked throughout (`avsieve.fusion.rjca_layers`): the source pads
voices with silence and faces with black, and attends to both. Items come in the order of time; in the source in that of
the file system, though its BLSTMs rely on one.

An utterance with fewer items than parts has them at the first places. Where a modality is missing altogether, the other
one attends to itself, and the embedding is what it says alone; the BLSTM over both is given zeros for the missing one.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from avsieve.fusion.missing import items_of
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.rjca_layers import LSTM_LAYERS, AttentivePooling, Blstm, JointCrossAttention
from avsieve.fusion.sequences import Reading
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.storage.sequence_names import EIGHTHS, FRAMES

_MODALITY_DROPOUT = 0.1


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


def published_names(depth: int = 2) -> dict[str, str]:
    """Return where each tensor of a checkpoint of the source belongs: its name there -> its name in `Rjca`.

    Shapes are equal, with embeddings of 192 and 512. What the source builds and does not use, below
    ``JCA_model.video_attn`` and ``JCA_model.predict``, has no place here.
    """
    both = ("weight", "bias")
    found = {}
    for theirs, ours in (("audio_extract", "audio_blstm"), ("video_extract", "visual_blstm"), ("Joint", "joint_blstm")):
        lstm = [
            f"rnn.{part}_l{layer}{back}"
            for layer in range(LSTM_LAYERS)
            for back in ("", "_reverse")
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        for name in ("init_hidden", "linear.weight", "linear.bias", *lstm):
            found[f"JCA_model.{theirs}.{name}"] = f"{ours}.{name}"
    for i in range(depth):
        layers = {
            "dense_coattn.query_linear": "joint",
            "dense_coattn.key1_linear": "visual_key",
            "dense_coattn.key2_linear": "audio_key",
            "dense_coattn.value1_linear": "visual_value",
            "dense_coattn.value2_linear": "audio_value",
            "linears.0.0": "visual_out",
            "linears.1.0": "audio_out",
        }
        for theirs, ours in layers.items():
            found |= {f"JCA_model.coattn.dcn_layers.{i}.{theirs}.{p}": f"blocks.{i}.{ours}.{p}" for p in both}
    for theirs, ours in (("asp.attention.0", "pooling.first"), ("asp.attention.4", "pooling.second"), ("linear",) * 2):
        found |= {f"{theirs}.{p}": f"{ours}.{p}" for p in both}
    statistics = ("running_mean", "running_var", "num_batches_tracked")
    return found | {f"asp.attention.2.{p}": f"pooling.norm.norm.{p}" for p in (*both, *statistics)}
