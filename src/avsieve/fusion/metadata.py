"""What files of models tell of themselves: JSON under one key of a safetensors file's metadata."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from avsieve.errors import ModelError
from avsieve.storage.text_files import parsed_json

LONGEST = 1 << 20
"""Numbers in a vector: more is a damaged number."""


def told(path: str | Path, key: str, text: str, kinds: Mapping[str, type]) -> dict[str, Any]:
    """Return what the metadata say, all of ``kinds`` there and of its kind.

    Raises
    ------
    ModelError
        If something is missing, or no JSON.
    """
    try:
        found = parsed_json(text)
    except ValueError as error:
        raise ModelError(f"{path}: its {key} is not JSON ({error}); train it again") from None
    if not isinstance(found, dict):
        raise ModelError(f"{path}: its {key} is a {type(found).__name__}, expected an object; train it again")
    for name, kind in kinds.items():
        if not isinstance(found.get(name), kind):
            raise ModelError(f"{path}: its {key} has no {name}, a {kind.__name__}; train it again")
    return found


def check_length(path: str | Path, name: str, length: object) -> None:
    """Refuse a length of embeddings that there is not (`ModelError`)."""
    if type(length) is not int or not 0 < length <= LONGEST:
        raise ModelError(f"{path}: {name} {length!r}; expected 1 to {LONGEST}: train it again")


def check_shapes(
    path: str | Path, expected: Mapping[str, tuple[int, ...]], given: Mapping[str, tuple[int, ...]]
) -> None:
    """Refuse tensors that are not those of the network, by name and shape (`ModelError`)."""
    if wrong := sorted(name for name in expected.keys() | given.keys() if expected.get(name) != given.get(name)):
        words = f"{wrong[0]}: {given.get(wrong[0], 'none')}, expected {expected.get(wrong[0], 'none')}"
        raise ModelError(f"{path}: its tensors do not fit its settings ({words}); train it again")


def shapes_of(state: Mapping[str, torch.Tensor]) -> dict[str, tuple[int, ...]]:
    """Return the shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in state.items()}
