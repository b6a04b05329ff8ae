"""A folder with one ``.npy`` per utterance, named by its path: ``id1/video/00001.npy``."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from avsieve.embedding_files.places import Place, files_of
from avsieve.embedding_files.raw import Options, Raw, decoding, stack
from avsieve.errors import AvsieveError


def read(place: Place, options: Options) -> Raw:
    """Read every ``.npy`` under a folder, sorted by path.

    An empty file, as an interrupted program leaves it, is an utterance without a vector.

    Raises
    ------
    AvsieveError
        If there is none, or one cannot be read.
    """
    paths = files_of(place.path)
    if not paths:
        raise AvsieveError(f"{place.text}: a folder without .npy files; expected one per utterance")
    names, vectors = [], []
    for path in paths:
        names.append(path.relative_to(place.path).as_posix())
        vectors.append(_load(path))
    return stack(place.text, names, vectors, unit="file", several=options.several)


def _load(path: Path) -> np.ndarray | None:
    with decoding(str(path), "an npy of plain numbers"):
        if not path.stat().st_size:
            return None
        return np.load(path, allow_pickle=False)
