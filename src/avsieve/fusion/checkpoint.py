"""Trained fusion models as safetensors that carry all that scoring needs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from avsieve.errors import ConfigError, ModelError
from avsieve.fusion.base import LENGTHS, TrainedModel
from avsieve.fusion.metadata import check_length, check_shapes, shapes_of, told
from avsieve.fusion.trained_models import trained_model
from avsieve.settings import filled
from avsieve.storage.atomic import atomic_path

_KEY = "avsieve_fusion"  # one key: the order of several would change from run to run, and with it the bytes


@dataclass(frozen=True)
class Trained:
    """A model and where it comes from.

    Attributes
    ----------
    trained_on
        Name of the list (``all``, ``clean``).
    seed
        Of the training.
    speakers
        Whom it was trained on: the evaluation refuses trials with them.
    facts
        Everything else that was recorded: list digest, recipe, counts, versions.
    """

    model: TrainedModel
    trained_on: str
    seed: int
    speakers: list[str]
    facts: dict[str, Any]


def save_fusion(path: str | Path, trained: Trained) -> None:
    """Write the model; equal models give equal bytes."""
    metadata = {
        "model": trained.model.name,
        "settings": trained.model.shape,
        "trained_on": trained.trained_on,
        "seed": trained.seed,
        "speakers": trained.speakers,
        "facts": trained.facts,
    }
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in trained.model.network.state_dict().items()}
    with atomic_path(path) as partial:
        partial.write_bytes(save(state, {_KEY: json.dumps(metadata, sort_keys=True)}))


def load_fusion(path: str | Path, device: torch.device | None = None) -> Trained:
    """Read a model, in evaluation mode.

    Raises
    ------
    ModelError
        If the file is absent, is not one of these, or its tensors do not fit its settings.
    """
    if not Path(path).is_file():
        raise ModelError(f"{path}: no such fusion model; train it first")
    try:
        with safe_open(path, framework="pt") as handle:
            text = (handle.metadata() or {}).get(_KEY)
            state = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118 - not a dict
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error}); train it again") from error
    if text is None:
        raise ModelError(f"{path}: no fusion model: its metadata has no {_KEY}; expected a file of train_fusion")
    found = told(path, _KEY, text, _KINDS)
    for name in LENGTHS:
        check_length(path, name, found["settings"].get(name))
    # On the device "meta" a network has shapes and takes no memory: settings may claim any size.
    with torch.device("meta"):
        new = _model(path, found["model"], found["settings"]).network.state_dict()
        check_shapes(path, shapes_of(new), shapes_of(state))
    model = _model(path, found["model"], found["settings"])
    try:
        model.network.load_state_dict(state)
    except RuntimeError as error:
        raise ModelError(f"{path}: its tensors do not fit its settings ({error}); train it again") from error
    model.network.to(device or torch.device("cpu")).eval()
    return Trained(model, found["trained_on"], found["seed"], found["speakers"], found["facts"])


_KINDS: dict[str, type] = {
    "model": str,
    "settings": dict,
    "trained_on": str,
    "seed": int,
    "speakers": list,
    "facts": dict,
}


def _model(path: str | Path, name: str, shape: dict[str, Any]) -> TrainedModel:
    """Return a new model of the shape that a file tells."""
    own = {key: value for key, value in shape.items() if key not in LENGTHS}
    try:
        kind = trained_model(name)
        settings = filled(kind.settings, own, name)
        return kind(shape["audio_dim"], shape["visual_dim"], shape["dim"], settings)
    except ConfigError as error:
        raise ModelError(f"{path}: {error}; train it again") from None
    except (RuntimeError, ValueError, ArithmeticError) as error:  # settings that fit each other in no network
        raise ModelError(f"{path}: no network has its settings ({error}); train it again") from None


def save_left_out(path: str | Path, reason: str) -> None:
    """Write in place of a model why there is none: a run whose list is too short to train on ends well all the same."""
    with atomic_path(path) as partial:
        partial.write_bytes(save({"left_out": torch.zeros(1)}, {"left_out": reason}))


def left_out(path: str | Path) -> str | None:
    """Return why a model was not trained, as `save_left_out` wrote it; None for a model."""
    with safe_open(path, framework="pt") as handle:
        return (handle.metadata() or {}).get("left_out")
