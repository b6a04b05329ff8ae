"""The heads of a VUT thesis that read all faces; see `avsieve.fusion.vut_video`.

    (a)  f = mean_t v_t
    (b)  w = softmax_t(u . v_t + c)               f = sum_t w_t (W v_t + b)
    (c)  w = softmax(U [v_1; ...; v_T] + c)       f = sum_t w_t (W v_t + b)

Then f, of length 1, and the voice pass through the soft attention of `vut_soft`. Faces are unit vectors. The factor 1/T
of the source's weighted mean is left out: f is normalised after it. A frame that does not exist has no weight. Weights
sum to 1, so W is applied once, to the weighted mean.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.fusion.missing import items_of, masked_softmax
from avsieve.fusion.sequences import Reading
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.fusion.vut_network import VutSoft
from avsieve.storage.sequence_names import CENTRE, FRAMES


class VutVideoMean(VutSoft):
    """Head (a): 395,778 parameters, as `vut_soft`, for embeddings of 256 and 512 and a fused length of 512.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    audio
        The voice that it reads: ``utterance`` or `CENTRE`.
    """

    name = "vut_video_mean"
    rows_at_once = 256

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, audio: str) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        self.audio = audio
        self.frames = 0  # all

    @property
    def readings(self) -> Mapping[str, Reading]:
        """All faces, or a fixed number, and perhaps the centre of the voice."""
        faces = {"visual": Reading(FRAMES, self.frames)}
        return faces | {"audio": Reading(CENTRE)} if self.audio == CENTRE else faces

    def face(self, faces: Tensor, mask: Tensor) -> Tensor:
        """Return one vector (B, Dv) from ``faces`` (B, T, Dv), those that ``mask`` (B, T) says exist."""
        return _mean(faces, mask)

    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim)."""
        if self.audio == CENTRE:
            audio = replace(audio, pooled=F.normalize(_mean(*items_of(audio)), dim=1))
        visual = replace(visual, pooled=F.normalize(self.face(*items_of(visual)), dim=1))
        return super().fuse(audio, visual)


class VutVideoScalar(VutVideoMean):
    """Head (b): 658,947 parameters for embeddings of 256 and 512 and a fused length of 512.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    audio
        The voice that it reads: ``utterance`` or `CENTRE`.
    """

    name = "vut_video_scalar"

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, audio: str) -> None:
        super().__init__(audio_dim, visual_dim, dim, audio)
        self.frame_score = nn.Linear(visual_dim, 1)
        self.frame_projection = nn.Linear(visual_dim, visual_dim)

    def weights(self, faces: Tensor, mask: Tensor) -> Tensor:
        """Return the weight of each face (B, T): they sum to 1, and are 0 where there is none."""
        return masked_softmax(self.frame_score(faces)[..., 0], mask, dim=1)

    def face(self, faces: Tensor, mask: Tensor) -> Tensor:
        """Return the weighted mean (B, Dv)."""
        return self.frame_projection((self.weights(faces, mask)[..., None] * faces).sum(dim=1))


class VutVideoFixed(VutVideoScalar):
    """Head (c): 3,538,509 parameters for embeddings of 256 and 512, a fused length of 512 and 75 frames.

    Parameters
    ----------
    audio_dim, visual_dim, dim
        Lengths of the embeddings.
    audio
        The voice that it reads: ``utterance`` or `CENTRE`.
    frames
        How many faces it reads.
    """

    name = "vut_video_fixed"

    def __init__(self, audio_dim: int, visual_dim: int, dim: int, audio: str, frames: int) -> None:
        super().__init__(audio_dim, visual_dim, dim, audio)
        self.frames = frames
        self.frame_score = nn.Linear(frames * visual_dim, frames)

    def weights(self, faces: Tensor, mask: Tensor) -> Tensor:
        """Return the weight of each face (B, T): they sum to 1, and are 0 where there is none."""
        return masked_softmax(self.frame_score(faces.flatten(1)), mask, dim=1)


def _mean(items: Tensor, mask: Tensor) -> Tensor:
    """Return the mean (B, D) of the items that exist, zero where there are none."""
    return (items * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True).clamp(min=1)
