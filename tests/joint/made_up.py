"""Joint models of small encoders, and batches of signals for them."""

from __future__ import annotations

from dataclasses import replace

import torch

from avsieve.config.model import parse_config
from avsieve.joint.base import JointModel
from avsieve.joint.encoders import first_encoders
from avsieve.joint.models import joint_model
from avsieve.joint.network import JointNetwork
from avsieve.joint.settings import JointSettings
from avsieve.joint.signal_batch import SignalBatch

SMALL = {"visual_arch": "mobileface_small", "visual_weights": "builtin"}


def settings_of(name: str, **own: object) -> JointSettings:
    """Return the settings of a model with small encoders."""
    return parse_config({"fusion": {"models": [{"name": name, **SMALL, **own}]}}).joint_settings(name)


def new_network(name: str, dim: int = 32, **own: object) -> tuple[type[JointModel], JointSettings, JointNetwork]:
    """Return a new network whose encoders are the shipped ones."""
    torch.manual_seed(3)
    kind, settings = joint_model(name), settings_of(name, **own)
    audio, visual, _, _ = first_encoders(settings)
    return kind, settings, kind.build(settings, audio, visual, dim)


def batch_of_five(n: int = 12_000) -> SignalBatch:
    """Return a whole row; one with a short voice and one face; without a voice; without a face; with neither."""
    torch.manual_seed(5)
    samples = torch.tensor([n, n - 3000, 0, n, 0])
    waves = (0.1 * torch.randn(5, n)).masked_fill(torch.arange(n)[None] >= samples[:, None], 0.0)
    mask = torch.tensor([[1, 1, 1], [1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0]], dtype=torch.bool)
    faces = torch.randint(0, 256, (5, 3, 3, 112, 112), dtype=torch.uint8) * mask[:, :, None, None, None]
    return SignalBatch(waves, samples, faces, mask, mask * torch.tensor([0.1, 0.3, 0.6]))


def alone(batch: SignalBatch, row: int) -> SignalBatch:
    """Return a row by itself, without padding."""
    one = batch.rows(slice(row, row + 1))
    n, count = max(1, int(one.samples[0])), max(1, int(one.face_mask.sum()))
    return replace(
        one,
        waves=one.waves[:, :n],
        faces=one.faces[:, :count],
        face_mask=one.face_mask[:, :count],
        face_times=one.face_times[:, :count],
    )
