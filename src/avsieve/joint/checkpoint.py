"""Joint models as safetensors that carry all that embedding needs: both encoders, the fusion and their settings."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from avsieve.encoders.face_input import CHANNELS
from avsieve.errors import AvsieveError, ConfigError, ModelError
from avsieve.fusion.metadata import check_length, check_shapes, shapes_of, told
from avsieve.joint.base import JointModel
from avsieve.joint.encoders import empty_encoders
from avsieve.joint.models import joint_model
from avsieve.joint.network import JointNetwork
from avsieve.joint.reading import Channels
from avsieve.joint.settings import FIRST_WEIGHTS, JointSettings
from avsieve.settings import filled
from avsieve.storage.atomic import atomic_path

_KEY = "avsieve_joint"  # one key: the order of several would change from run to run, and with it the bytes
_KINDS: dict[str, type] = {
    "model": str,
    "settings": dict,
    "dim": int,
    "channels": str,
    "trained_on": str,
    "seed": int,
    "speakers": list,
    "facts": dict,
}


@dataclass(frozen=True)
class TrainedJoint:
    """A joint model and where it comes from.

    Attributes
    ----------
    kind, own, dim, channels
        What builds it again: the model, its settings without `same`, the length that `fusion.dim` asks for, and the
        order of the colours that its face encoder is fed with.
    network
        With its weights.
    trained_on, seed, speakers, facts
        As `avsieve.fusion.checkpoint.Trained` has them.
    """

    kind: type[JointModel]
    own: JointSettings
    dim: int
    channels: Channels
    network: JointNetwork
    trained_on: str
    seed: int
    speakers: list[str]
    facts: dict[str, Any]


def save_joint(path: str | Path, trained: TrainedJoint) -> None:
    """Write the model; equal models give equal bytes."""
    metadata = {
        "model": trained.kind.name,
        "settings": trained.own.model_dump(exclude=set(FIRST_WEIGHTS)),
        "dim": trained.dim,
        "channels": trained.channels,
        "trained_on": trained.trained_on,
        "seed": trained.seed,
        "speakers": trained.speakers,
        "facts": trained.facts,
    }
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.network.state_dict().items()}
    with atomic_path(path) as partial:
        save_file(state, partial, {_KEY: json.dumps(metadata, sort_keys=True)})


def load_joint(path: str | Path, device: torch.device | None = None) -> TrainedJoint:
    """Read a model, in evaluation mode.

    Raises
    ------
    ModelError
        If the file is absent, is not one of these, or its tensors do not fit its settings.
    """
    if not Path(path).is_file():
        raise ModelError(f"{path}: no such joint model; train it first")
    try:
        with safe_open(path, framework="pt") as handle:
            text = (handle.metadata() or {}).get(_KEY)
            if text is None:
                raise ModelError(f"{path}: no joint model: its metadata has no {_KEY}; expected a file of train_joint")
            found = told(path, _KEY, text, _KINDS)
            check_length(path, "dim", found["dim"])
            if found["channels"] not in CHANNELS:
                raise ModelError(
                    f"{path}: channels {found['channels']!r}; expected {' or '.join(CHANNELS)}: train it again"
                )
            kind, own = _described(path, found)
            # On the device "meta" a network has shapes and takes no memory: settings may claim any size.
            with torch.device("meta"):
                expected = shapes_of(_network(path, kind, own, found["dim"]).state_dict())
            given = {name: tuple(handle.get_slice(name).get_shape()) for name in handle.keys()}  # noqa: SIM118
            check_shapes(path, expected, given)
            state = {name: handle.get_tensor(name) for name in given}
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error}); train it again") from error
    network = _network(path, kind, own, found["dim"])
    network.load_state_dict(state)
    network.to(device or torch.device("cpu")).eval()
    return TrainedJoint(
        kind, own, found["dim"], found["channels"], network,
        found["trained_on"], found["seed"], found["speakers"], found["facts"],
    )  # fmt: skip


def _described(path: str | Path, found: dict[str, Any]) -> tuple[type[JointModel], JointSettings]:
    try:
        kind = joint_model(found["model"])
        own = filled(kind.settings, found["settings"], kind.name)
    except ConfigError as error:
        raise ModelError(f"{path}: {error}; train it again") from None
    assert isinstance(own, JointSettings)
    return kind, own


def _network(path: str | Path, kind: type[JointModel], own: JointSettings, dim: int) -> JointNetwork:
    """Return a new network of the settings that a file tells."""
    try:
        return kind.build(own, *empty_encoders(own), dim)
    except AvsieveError as error:
        raise ModelError(f"{path}: {error}; train it again") from None
    except (RuntimeError, ValueError, ArithmeticError) as error:  # settings that fit each other in no network
        raise ModelError(f"{path}: no network has its settings ({error}); train it again") from None
