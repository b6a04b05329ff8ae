"""The formats of embeddings that are known: their names for help texts and messages. Nothing heavy is imported.

What reads them stands in `avsieve.embedding_files.registry`, under the same keys.
"""

from __future__ import annotations

from typing import NamedTuple


class Format(NamedTuple):
    """One format."""

    name: str
    """As it stands in messages: ``not an npz``."""
    suffixes: tuple[str, ...]
    text: str
    """What a file of it holds, for help texts and the reference of the configuration."""


FORMATS: dict[str, Format] = {
    "npz": Format(
        "an npz of plain arrays", (".npz",), "npz (arrays `utterance` and `embedding`, or one array per name)"
    ),
    "npy": Format(
        "an npy of plain numbers", (".npy",), "`vectors.npy:names.txt`, or a dictionary of arrays saved as .npy"
    ),
    "parquet": Format("a Parquet table", (".parquet", ".pq"), "Parquet (columns `utterance` and `embedding`)"),
    "text": Format("lines of a name and numbers", (".csv", ".tsv", ".txt"), "CSV or TSV (a name, then numbers)"),
    "pickle": Format(
        "a pickle of arrays", (".pk", ".pkl", ".pickle"), "a pickled dictionary of arrays (.pkl; no code in it runs)"
    ),
    "torch": Format("a file of torch tensors", (".pt", ".pth"), "torch's .pt (one tensor per name)"),
    "safetensors": Format("safetensors", (".safetensors",), "safetensors (one tensor per name)"),
    "ark": Format("a Kaldi archive", (".ark",), "Kaldi's .ark"),
    "scp": Format("a Kaldi script file", (".scp",), "Kaldi's .scp (WeSpeaker's `xvector.scp`)"),
    "folder": Format("a folder of .npy files", (), "a folder with one .npy per utterance"),
}

KNOWN = "; ".join(entry.text for entry in FORMATS.values())
"""All of them in a line."""

BY_SUFFIX = {suffix: kind for kind, entry in FORMATS.items() for suffix in entry.suffixes}

NAMES_KEY = "utterance"
VECTORS_KEY = "embedding"

NAMES_HELP = "array, column or key with the names of the utterances, if it has another name"
VECTORS_HELP = "array, column or key with the vectors, if it has another name"
PREFIX_HELP = "prefix to remove from the names of wavs and utterances, such as a folder"
