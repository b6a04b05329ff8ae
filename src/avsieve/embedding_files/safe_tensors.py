"""safetensors: one tensor per name."""

from __future__ import annotations

from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.places import Place
from avsieve.embedding_files.raw import Options, Raw, brief, decoding, needed, stack
from avsieve.errors import AvsieveError


def read(place: Place, options: Options) -> Raw:
    """Read every tensor as the vector of the utterance that it is named after.

    Raises
    ------
    AvsieveError
        If the file is damaged, holds no tensors or such that NumPy does not have (bfloat16).
    """
    label = place.text
    safetensors = needed("safetensors", label)
    with decoding(label, FORMATS["safetensors"].name):
        try:
            with safetensors.safe_open(place.path, framework="np") as file:
                names = list(file.keys())
                vectors = [file.get_tensor(name) for name in names]
        except safetensors.SafetensorError as error:
            raise ValueError(brief(error)) from error
    if not names:
        raise AvsieveError(f"{label}: holds no tensors; expected a vector for each name")
    return stack(label, names, vectors, unit="tensor", several=options.several)
