"""The encoders of a joint model, with their first weights."""

from __future__ import annotations

import logging
from typing import Any

from torch import nn

from avsieve.encoders import audio, visual
from avsieve.encoders.checkpoint import resolve
from avsieve.encoders.face_input import CHANNELS
from avsieve.encoders.registry import AUDIO, VISUAL, build
from avsieve.errors import ModelError
from avsieve.joint.reading import Channels
from avsieve.joint.settings import NONE, JointSettings
from avsieve.storage.provenance import sha256_of

logger = logging.getLogger(__name__)


def first_encoders(own: JointSettings) -> tuple[nn.Module, nn.Module, Channels, dict[str, Any]]:
    """Return new encoders as settings ask for them.

    Parameters
    ----------
    own
        Settings without `same` (`JointSettings.resolved`).

    Returns
    -------
    The speaker encoder, the face encoder, the order of the colours that it is fed with, and what provenance tells of
    their weights.

    Raises
    ------
    ModelError
        If a file of weights does not fit, or nothing tells the order of the colours.
    """
    speaker, face = empty_encoders(own)
    facts: dict[str, Any] = {}
    if own.audio_weights != NONE:
        speaker = audio.load_weights(speaker, own.audio_arch, own.audio_weights)
        facts["audio_weights_sha256"] = sha256_of(resolve(own.audio_weights, audio.BUILTIN_FILE))
    channels = "rgb"
    if own.visual_weights != NONE:
        face = visual.load_weights(face, own.visual_arch, own.visual_weights)
        facts["visual_weights_sha256"] = sha256_of(resolve(own.visual_weights, visual.BUILTIN_FILE))
        channels = str(face.channels)
    if own.channels != "auto":
        channels = own.channels
    if channels not in CHANNELS:
        raise ModelError(
            f"{own.visual_weights}: does not say whether it was trained on RGB or BGR faces; set channels of the model "
            "in fusion.models to rgb or bgr"
        )
    return speaker, face, "bgr" if channels == "bgr" else "rgb", facts


def empty_encoders(own: JointSettings) -> tuple[nn.Module, nn.Module]:
    """Return encoders with untrained weights."""
    return build(AUDIO, own.audio_arch), build(VISUAL, own.visual_arch)
