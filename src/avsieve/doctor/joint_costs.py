"""How long joint models take to train, and to embed the trials: passes of their encoders.

A step forward and back takes some three times a pass forward, whose rate is that of the embedding stage with the same
architecture (`avsieve.doctor.rates`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.doctor.rates import FACES, LARGEST_FACE_FILE, VOICES
from avsieve.fusion.recipe import Recipe
from avsieve.joint.settings import JointSettings

if TYPE_CHECKING:
    from avsieve.config.model import Config

TRAINED, FROZEN = 3.0, 1.0
"""Passes forward that a step of training takes, where the encoders learn and where they do not."""
FIXED_S = 3.0
VOICE_S = 7.8
"""Mean of VoxCeleb2's utterances, in seconds."""


def training_s(config: Config, name: str, utterances: int) -> float:
    """Return the seconds of a core of one training on a list of so many utterances."""
    own = config.joint_settings(name)
    passes = TRAINED if own.encoders == "trained" else FROZEN
    return FIXED_S + Recipe.of(config.fusion, own).epochs * utterances * passes * _pass_s(own, own.crop_s)


def embedding_s(config: Config, name: str) -> float:
    """Return the seconds of a core to embed an utterance; one whose length is not cut has `VOICE_S`."""
    own = config.joint_settings(name)
    return _pass_s(own, own.test_crop_s or VOICE_S)


def _pass_s(own: JointSettings, voice_s: float) -> float:
    """Return the seconds of a core for a pass forward over a voice and all faces."""
    voice_core_s, _ = VOICES.get(own.audio_arch, VOICES["onnx"])
    face_core_s, _ = FACES.get(own.visual_arch, LARGEST_FACE_FILE)
    return voice_core_s * voice_s + face_core_s * own.faces
