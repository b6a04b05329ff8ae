"""The heads of a VUT thesis that read all faces, as the registry knows them; networks in `vut_video_network`.

Bahounek, "Audio-visual person verification", bachelor thesis, FIT VUT Brno, 2024, chapter on video, with his code: the
heads (a) mean, (b) weights from each frame alone, (c) weights from all frames together, before the soft attention of
`vut_soft`. They are trained as there (`avsieve.fusion.vut`). Our choices: the thesis takes the 75 frames of an
utterance's centre 3 s, at 25 frames a second; here frames come from the whole utterance, one every
`media.interval_s`. Where an utterance has fewer than head (c) reads, no weight falls on the places that are empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avsieve.fusion.base import NeuralModel
from avsieve.fusion.vut import VutSettings, thesis_figures
from avsieve.settings import Block, key
from avsieve.storage.sequence_names import CENTRE, FRAMES

if TYPE_CHECKING:
    from avsieve.fusion.vut_video_network import VutVideoFixed, VutVideoMean, VutVideoScalar


class VutVideoSettings(VutSettings):
    """Settings of the heads that read all faces."""

    audio: Literal["utterance", "centre"] = key(
        "utterance",
        "Embedding of the voice: of the whole utterance, or, as in the thesis, of its centre 3 s (the segments "
        "`centre`).",
    )


class VutVideoFixedSettings(VutVideoSettings):
    """Settings of the head with a fixed number of frames."""

    frames: int = key(
        8,
        "Number of frames that are read, spread evenly over those that there are: in training one drawn from each "
        "part, in scoring the middle one. 8 suit utterances of 4 to 8 s with a frame every 0.4 s; the thesis has 75.",
        ge=1,
    )


_PROTOCOL = (
    "58 % of the pairs of Vox1-O, WavLM and MHFA on the centre 3 s and 75 frames, VoxCeleb1-dev, best epoch on the "
    "test trials"
)


class _Video(NeuralModel[VutVideoSettings]):
    """What the three heads share: they read all faces, and the centre of the voice where that is wanted."""

    sequences = (FRAMES,)

    @classmethod
    def reads(cls, own: Block) -> tuple[str, ...]:
        """Return the sequences that it reads."""
        return (FRAMES, CENTRE) if getattr(own, "audio", None) == "centre" else cls.sequences


class VutVideoMeanModel(_Video):
    """The mean of all faces, then the soft attention."""

    name = "vut_video_mean"
    label = "mean of frames (VUT)"
    reported = thesis_figures("EER 0.215 %, minDCF(0.01) 0.018", "EER 0.497 %, minDCF(0.01) 0.034", _PROTOCOL)
    settings = VutVideoSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: VutVideoSettings) -> VutVideoMean:
        """Return a new network."""
        from avsieve.fusion.vut_video_network import VutVideoMean

        return VutVideoMean(audio_dim, visual_dim, own.length or dim, own.audio)


class VutVideoScalarModel(_Video):
    """A weight for each face, from that face alone, then the soft attention."""

    name = "vut_video_scalar"
    label = "weighted frames (VUT)"
    reported = thesis_figures("EER 0.168 %, minDCF(0.01) 0.011", "EER 0.384 %, minDCF(0.01) 0.038", _PROTOCOL)
    settings = VutVideoSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: VutVideoSettings) -> VutVideoScalar:
        """Return a new network."""
        from avsieve.fusion.vut_video_network import VutVideoScalar

        return VutVideoScalar(audio_dim, visual_dim, own.length or dim, own.audio)


class VutVideoFixedModel(_Video):
    """A weight for each of a fixed number of faces, from all of them, then the soft attention."""

    name = "vut_video_fixed"
    label = "jointly weighted frames (VUT)"
    reported = thesis_figures("EER 0.197 %, minDCF(0.01) 0.011", "EER 0.413 %, minDCF(0.01) 0.035", _PROTOCOL)
    settings = VutVideoFixedSettings

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: VutVideoSettings) -> VutVideoFixed:
        """Return a new network."""
        from avsieve.fusion.vut_video_network import VutVideoFixed

        assert isinstance(own, VutVideoFixedSettings)  # the model's own
        return VutVideoFixed(audio_dim, visual_dim, own.length or dim, own.audio, own.frames)
