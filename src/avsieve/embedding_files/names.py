"""The names in a table as text, and those of pictures."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

_IMAGE = re.compile(r"\.(?:jpe?g|png|bmp|webp|tiff?)$", re.IGNORECASE)


def text_of(name: Any) -> str:
    """Return a name as text: bytes are UTF-8 or, failing that, Latin-1; null and not-a-number are no name, ``''``."""
    if isinstance(name, str):
        return name.strip()
    if isinstance(name, bytes):
        try:
            return name.decode("utf-8").strip("\0 ")
        except UnicodeDecodeError:
            return name.decode("latin-1").strip("\0 ")
    # A file may hold an array where a name should stand, of which `isna` tells for each item.
    return "" if np.ndim(name) == 0 and pd.isna(name) else str(name)


def is_image(name: str) -> bool:
    """Tell whether a name is that of a picture, which is no utterance by itself."""
    return _IMAGE.search(name) is not None


def image_parts(name: str, strip_prefix: str | None = None) -> list[str]:
    """Return the folders of an image and its name without the ending."""
    return _IMAGE.sub("", _stripped(name, strip_prefix)).split("/")


def _stripped(name: str, prefix: str | None) -> str:
    name = name.replace("\\", "/")
    return name.removeprefix(prefix.replace("\\", "/")).lstrip("/") if prefix else name
