"""Weights as their authors published them: state dicts, trainers' dictionaries around them, and modules saved whole.

Nothing in a file is run or imported (`avsieve.encoders.torch_data`), so a whole module needs no code of its author.
Networks take such weights through a mapping from the published names to theirs (`avsieve.fusion.start`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from avsieve.encoders import torch_data
from avsieve.encoders.checkpoint import DAMAGED, NESTS, SAFETENSORS, read_metadata, read_state, strip_prefixes
from avsieve.encoders.torch_records import Described, Record, is_module, tensors_of
from avsieve.errors import ModelError
from avsieve.storage.data_pickle import RefusedError

Fact = str | int | float | bool

_PREFIXES = ("module.", "_orig_mod.")  # what DataParallel and torch.compile put before the names
_STRANGE: tuple[type[Exception], ...] = (*DAMAGED, ArithmeticError, OSError, MemoryError)


@dataclass(frozen=True)
class Published:
    """What a file of weights holds.

    Attributes
    ----------
    tensors
        Name -> tensor, on the CPU, half precision raised to float32; without the prefix of a parallel training.
    facts
        What stands beside the weights in a trainer's dictionary, as far as it is a number or a text: epoch, EER.
    kind
        Class of a module that was saved whole, as the file names it; empty for others.
    """

    tensors: dict[str, Tensor]
    facts: dict[str, Fact] = field(default_factory=dict)
    kind: str = ""


def read_published(path: str | Path, prefixes: Collection[str] = _PREFIXES) -> Published:
    """Read weights from safetensors, a torch state dict, a dictionary around one, or a module saved whole.

    Parameters
    ----------
    path
        The file. The suffix means nothing, but for ``.safetensors``.
    prefixes
        Leading parts of names that are taken off.

    Raises
    ------
    ModelError
        If there is no such file, it is damaged, it asks for code to be run, or it holds no tensors by name.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path}: no such file of weights; fix the path")
    facts: dict[str, Fact] = {}
    kind = ""
    if path.suffix == SAFETENSORS:
        tensors = read_state(path)
        facts.update(read_metadata(path))
    else:
        try:
            described, facts, kind = _named(torch_data.load(path), path)
            tensors = {name: _plain(value.tensor()) for name, value in described.items()}
        except RefusedError as error:
            raise ModelError(
                f"{path}: {error}. Use weights of a source that you trust, saved as a state dict"
            ) from None
        except _STRANGE as error:
            about = str(error).splitlines()[0][:100] if str(error) else type(error).__name__
            raise ModelError(f"{path}: no file of weights, or damaged ({about}); fetch or save it again") from error
    short = strip_prefixes(tensors, prefixes)
    if len(set(short.values())) < len(short):
        twice = next(name for name, n in Counter(short.values()).items() if n > 1)
        raise ModelError(f"{path}: two tensors for {twice}; keep one of them in the file")
    return Published({short[name]: tensor for name, tensor in tensors.items()}, facts, kind)


def _plain(tensor: Tensor) -> Tensor:
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor


def _named(value: Any, path: Path, depth: int = 0) -> tuple[dict[str, Described], dict[str, Fact], str]:
    """Return the tensors of a state dict, of a module, or of the dictionary that either is nested in."""
    if is_module(value):
        found = dict(tensors_of(value))
        if found:
            return found, {}, str(value.kind)
    elif isinstance(value, dict):
        facts = {
            str(n): held for n, held in value.items() if isinstance(held, str | int | float) and len(str(held)) < 80
        }
        # A state dict holds no others: tensors beside a nest are a trainer's own, such as a loss.
        for nest in NESTS:
            if isinstance(value.get(nest), dict | Record) and depth < len(NESTS):
                tensors, inner, kind = _named(value[nest], path, depth + 1)
                return tensors, facts | inner, kind
        tensors = {str(name): held for name, held in value.items() if isinstance(held, Described)}
        if tensors:
            return tensors, facts, ""
    if isinstance(value, dict):
        held = f"a dictionary with keys {', '.join(sorted(map(str, value))[:5])}"[:200]
    else:
        held = f"a {value.kind if isinstance(value, Record) else type(value).__name__}"
    raise ModelError(f"{path}: holds {held}; expected weights: a state dict, name -> tensor, or a module of torch")
