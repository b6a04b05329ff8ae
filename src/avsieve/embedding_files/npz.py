"""``.npz``: an array of names and one of vectors, or one array per name."""

from __future__ import annotations

import numpy as np

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.mapping import KEYS, from_columns
from avsieve.embedding_files.places import Place
from avsieve.embedding_files.raw import Options, Raw, decoding, some, stack
from avsieve.errors import AvsieveError
from avsieve.storage.unpacked_size import check_zip

_EXPECTED = FORMATS["npz"].name


def read(place: Place, options: Options) -> Raw:
    """Read an npz; arrays of objects are refused, since they are pickles.

    Raises
    ------
    AvsieveError
        If it is none, is damaged, or holds other arrays.
    """
    label = place.text
    with decoding(label, _EXPECTED):
        check_zip(place.path)
        archive = np.load(place.path, allow_pickle=False)
    with archive:
        files = list(archive.files)
        if not files:
            raise AvsieveError(f"{label}: an npz without arrays; expected names and vectors")
        missing = [key for key in (options.names_key, options.vectors_key) if key not in files]
        if not missing:
            names = _array(label, archive, options.names_key)
            return from_columns(label, names, _array(label, archive, options.vectors_key), options)
        first = _array(label, archive, files[0])
        by_name = "/" in files[0] or (first.dtype.kind == "f" and first.size == max(first.shape, default=0))
        if len(missing) == 1 or not by_name:
            raise AvsieveError(
                f"{label}: no array {' and '.join(map(repr, missing))}; found {some(files)}; tell other names {KEYS}"
            )
        vectors = [first, *(_array(label, archive, key) for key in files[1:])]
    return stack(label, files, vectors, unit="array", several=options.several)


def _array(label: str, archive: np.lib.npyio.NpzFile, key: str) -> np.ndarray:
    try:
        with decoding(label, _EXPECTED):
            array = archive[key]
    except AvsieveError as error:
        if "bject arrays" in str(error.__cause__):
            raise AvsieveError(
                f"{label}: {key!r} is an array of objects, not an npz of plain arrays; save names as strings "
                "(np.array(names, dtype=str)) and vectors as floats"
            ) from error
        raise
    if not isinstance(array, np.ndarray):
        raise AvsieveError(f"{label}: {key!r} is no array; expected an npz of plain arrays")
    return array
