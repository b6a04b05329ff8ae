"""Read checkpoints, ours and other projects', and load them into a network without silent gaps."""

from __future__ import annotations

import json
import pickle
import struct
import zipfile
from collections.abc import Collection, Iterable
from importlib import resources
from pathlib import Path
from typing import TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save
from torch import Tensor, nn

from avsieve.errors import ModelError
from avsieve.storage.atomic import atomic_path
from avsieve.storage.torch_files import load_torch, unsafe_globals

Network = TypeVar("Network", bound=nn.Module)

BUILTIN = "builtin"
SAFETENSORS = ".safetensors"
# Where training code nests the weights inside a larger dictionary; `net` is RJCA's, `state_dict_backbone` that of
# arcface_torch's whole states, whose classifier lies in a nest of its own.
NESTS = (
    "state_dict", "state_dict_backbone", "model_state_dict", "model_state", "model", "net", "network", "state_dict_ema",
)  # fmt: skip

# What reading a damaged or strange pickle ends with, torch's own errors among them.
DAMAGED: tuple[type[Exception], ...] = (
    pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError, AssertionError,
    struct.error, zipfile.BadZipFile,
)  # fmt: skip


class _Passed:
    """What stands where a checkpoint has a number of NumPy: it takes what the pickle says of it and does nothing."""

    def __init__(self, *_args: object) -> None:
        pass

    def __setstate__(self, _state: object) -> None:
        pass


# Trainers store results such as an EER beside the weights, and NumPy's scalars are pickled as a call of one of these.
# Stand-ins under their names are allowed, and not NumPy's own functions: the numbers are of no use here, and so nothing
# outside torch's list of harmless calls ever runs. NumPy 2 writes another name than NumPy 1.
_PASSED = [
    type(name, (_Passed,), {"__module__": module})
    for module, name in (("numpy", "dtype"), ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"))
]


def resolve(checkpoint: str | Path, builtin: str) -> Path:
    """Return the path of ``checkpoint``; the word ``builtin`` names the file ``builtin`` shipped in `avsieve.models`.

    Raises
    ------
    ModelError
        If there is no such file.
    """
    if str(checkpoint) == BUILTIN:
        path = Path(str(resources.files("avsieve"))) / "models" / builtin
    else:
        path = Path(checkpoint)
    if not path.is_file():
        raise ModelError(f"{path}: no such checkpoint; give a .safetensors or torch file, or 'builtin'")
    return path


def read_metadata(path: str | Path) -> dict[str, str]:
    """Return the metadata of a safetensors file; empty for other files."""
    if Path(path).suffix != SAFETENSORS:
        return {}
    try:
        with safe_open(path, framework="pt") as handle:
            return dict(handle.metadata() or {})
    except SafetensorError as error:
        raise ModelError(f"{path}: not a safetensors file ({error}); fetch or train it again") from error


def read_state(path: str | Path) -> dict[str, Tensor]:
    """Read the tensors of a safetensors or torch checkpoint, on the CPU, half precision raised to float32.

    A torch file is read with ``weights_only=True``: code in a pickle never runs. NumPy's scalars beside the weights, as
    RJCA's and other trainers leave them, are passed over.

    Raises
    ------
    ModelError
        If the file is damaged, or is a pickle with more than tensors in it.
    """
    path = Path(path)
    if path.suffix == SAFETENSORS:
        try:
            state = load_file(path)
        except SafetensorError as error:
            raise ModelError(f"{path}: not a safetensors file ({error}); fetch or train it again") from error
    else:
        state = _tensors(_unpickled(path), path)
    return {k: v.float() if v.dtype in (torch.float16, torch.bfloat16) else v for k, v in state.items()}


def _unpickled(path: Path) -> object:
    try:
        with torch.serialization.safe_globals([*_PASSED]):
            return load_torch(path)
    except DAMAGED as error:
        raise ModelError(
            f"{path}: not readable as tensors alone ({_refused(path) or _first_line(error)}); expected a safetensors "
            f"file or a torch state dict: save model.state_dict() and give that"
        ) from error


def _refused(path: Path) -> str:
    """Return which objects of a torch file are not read, in words; empty where the file itself is damaged."""
    passed = {f"{f.__module__}.{f.__qualname__}" for f in _PASSED}
    try:
        names = sorted(set(unsafe_globals(path)) - passed)
    except DAMAGED:
        return ""
    return f"it holds {', '.join(names[:3])}{' and others' * (len(names) > 3)}" if names else ""


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def write_state(path: str | Path, state: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write a safetensors file, atomically; equal content gives equal bytes.

    The safetensors library writes the metadata in a random order, so the header is put in order before it is stored.
    """
    content = save({k: v.detach().cpu().contiguous() for k, v in state.items()}, metadata)
    size = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + size])
    header["__metadata__"] = dict(sorted(metadata.items()))
    names = [n for n in header if n != "__metadata__"]
    ordered = {n: header[n] for n in ["__metadata__", *sorted(names, key=lambda n: header[n]["data_offsets"])]}
    text = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)  # the tensors begin at a multiple of 8 bytes
    with atomic_path(path) as partial:
        partial.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + size :])


def _tensors(loaded: object, path: Path) -> dict[str, Tensor]:
    """Return the tensors of a state dict, or of the dictionary that it is nested in."""
    if isinstance(loaded, dict):
        tensors = {str(k): v for k, v in loaded.items() if isinstance(v, Tensor)}
        if tensors:
            return tensors
        for nest in NESTS:
            if isinstance(loaded.get(nest), dict):
                return _tensors(loaded[nest], path)
    kind = f"a dictionary with keys {sorted(map(str, loaded))[:5]}" if isinstance(loaded, dict) else f"a {type(loaded)}"
    raise ModelError(f"{path}: holds {kind}; expected a state dict, name -> tensor")


def strip_prefixes(names: Iterable[str], prefixes: Collection[str]) -> dict[str, str]:
    """Map each name to itself without leading ``prefixes``, however they are nested.

    >>> strip_prefixes(["module.speaker_encoder.conv1.weight"], ["module.", "speaker_encoder."])
    {'module.speaker_encoder.conv1.weight': 'conv1.weight'}
    """
    found = {}
    for name in names:
        short = name
        while prefix := next((p for p in prefixes if short.startswith(p)), None):
            short = short[len(prefix) :]
        found[name] = short
    return found


def is_within(name: str, group: Collection[str]) -> bool:
    """Tell whether ``name`` is one of ``group``, or begins as one of it that ends in a dot.

    >>> is_within("loss.weight", ["loss."]), is_within("weight", ["weight"]), is_within("weights", ["weight"])
    (True, True, False)
    """
    return any(name.startswith(g) if g.endswith(".") else name == g for g in group)


def load_into(
    network: Network,
    state: dict[str, Tensor],
    *,
    source: str | Path,
    prefixes: Collection[str] = ("module.",),
    beside: Collection[str] = (),
    optional: Collection[str] = (),
) -> Network:
    """Load ``state`` into ``network``, in evaluation mode, and account for every key.

    Parameters
    ----------
    network
        The network; its own state dict says which keys and shapes are expected.
    state
        Name -> tensor.
    source
        What the messages call the checkpoint.
    prefixes
        Leading parts that other projects put before the names.
    beside
        Names, or beginnings of names that end in a dot, that lie in the file without belonging to this network: loss
        weights, the other modality's encoder. Matched with and without the prefixes.
    optional
        Beginnings of names that may be absent or present: constants that the network computes itself.

    Raises
    ------
    ModelError
        Listing the keys that are missing, unexpected or misshapen.
    """
    expected = network.state_dict()
    given: dict[str, Tensor] = {}
    unexpected: list[str] = []
    for name, short in strip_prefixes(state, prefixes).items():
        if short in expected:
            if short in given and not torch.equal(given[short], state[name]):
                raise ModelError(f"{source}: two different tensors for {short}; keep one of them in the file")
            given[short] = state[name]
        elif not is_within(name, beside) and not is_within(short, (*beside, *optional)):
            unexpected.append(name)
    # The count of batches is no weight, and files of other tools leave it out.
    missing = [
        k for k in expected if k not in given and not is_within(k, optional) and not k.endswith("num_batches_tracked")
    ]
    misshapen = [
        f"{k} {tuple(v.shape)} instead of {tuple(expected[k].shape)}"
        for k, v in given.items()
        if v.shape != expected[k].shape
    ]
    if missing or unexpected or misshapen:
        parts = [("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen)]
        told = "; ".join(f"{len(keys)} {word}: {_listed(keys)}" for word, keys in parts if keys)
        raise ModelError(
            f"{source}: does not fit {type(network).__name__} ({len(expected)} keys expected, {len(state)} found): "
            f"{told}. Is it a checkpoint of another architecture?"
        )
    network.load_state_dict({**expected, **given})
    return network.eval()


def _listed(keys: list[str], most: int = 8) -> str:
    return ", ".join(keys[:most]) + (f", … and {len(keys) - most} more" if len(keys) > most else "")
