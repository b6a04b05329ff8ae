"""torch's ``.pt``: one tensor per name, or names and one tensor of vectors; nothing but tensors is unpickled."""

from __future__ import annotations

from typing import Any

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.mapping import from_mapping
from avsieve.embedding_files.places import Place, short
from avsieve.embedding_files.raw import Options, Raw, decoding, needed
from avsieve.errors import AvsieveError
from avsieve.storage.torch_files import load_torch


def read(place: Place, options: Options) -> Raw:
    """Read what ``torch.save`` wrote, with ``weights_only=True``; bfloat16 becomes float32.

    Raises
    ------
    AvsieveError
        If it is no such file, is damaged, or holds more than tensors, text and containers.
    """
    label = place.text
    torch = needed("torch", label)
    try:
        with decoding(label, FORMATS["torch"].name):
            value = load_torch(place.path)
    except AvsieveError as error:
        if "weights" in str(error.__cause__).lower():
            raise AvsieveError(
                f"{label}: holds more than tensors and text, which could run code, or is damaged; save "
                "{name: tensor} with torch.save, or names and vectors as npz"
            ) from error
        raise

    def plain(held: Any) -> Any:
        if not isinstance(held, torch.Tensor):
            return held
        if held.layout is not torch.strided or held.is_quantized or held.is_complex():
            raise AvsieveError(
                f"{label}: a tensor of {short(str(held.dtype), 30)}, {held.layout}; expected plain floats"
            )
        held = held.detach()
        with decoding(label, FORMATS["torch"].name):
            return (held.float() if held.dtype == torch.bfloat16 else held).numpy()

    if isinstance(value, torch.Tensor):
        raise AvsieveError(f"{label}: a tensor without names; expected {{name: tensor}}")
    if isinstance(value, dict):
        value = {key: [plain(v) for v in held] if isinstance(held, list | tuple) else plain(held)
                 for key, held in value.items()}  # fmt: skip
    return from_mapping(label, value, options)
