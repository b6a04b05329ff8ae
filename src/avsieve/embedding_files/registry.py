"""What reads which format."""

from __future__ import annotations

from collections.abc import Callable

from avsieve.embedding_files import folder, kaldi, npy, npz, parquet, pickles, safe_tensors, text, torch_file
from avsieve.embedding_files.places import Place
from avsieve.embedding_files.raw import Options, Raw

READERS: dict[str, Callable[[Place, Options], Raw]] = {
    "npz": npz.read,
    "npy": npy.read,
    "parquet": parquet.read,
    "text": text.read,
    "pickle": pickles.read,
    "torch": torch_file.read,
    "safetensors": safe_tensors.read,
    "ark": kaldi.read_ark,
    "scp": kaldi.read_scp,
    "folder": folder.read,
}
