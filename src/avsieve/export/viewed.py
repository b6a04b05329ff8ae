"""Tables about exported files, for programs that show them: a row per utterance, or per face."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from avsieve.export.folders import FOLDERS
from avsieve.storage.atomic import write_text

_FACTS = [
    "utterance",
    "speaker",
    "video",
    "seconds",
    "flag",
    "kind",
    "audio_similarity",
    "visual_similarity",
    "p_wrong",
]


def facts_table(table: pd.DataFrame) -> pd.DataFrame:
    """Return what is known of each utterance, in the order of the list.

    Parameters
    ----------
    table
        From `avsieve.export.selection.select`.

    Returns
    -------
    pandas.DataFrame
        Its columns but the shard and the label; ``seconds`` as float, and ``flag`` as ``clean``, ``noisy`` (or lacking
        a voice or a face) or empty, since a viewer counts and colours words.
    """
    told = table[_FACTS].copy()
    told["seconds"] = pd.to_numeric(told["seconds"], errors="coerce")
    told["flag"] = told["flag"].map({1: "clean", 0: "noisy"}).fillna("")
    return told.reset_index(drop=True)


def pictures(out: Path, utterance: str) -> list[str]:
    """Return the paths, below ``out``, of an utterance's faces, or of its frames where no faces were exported."""
    for kind in ("faces", "frames"):
        folder = out / FOLDERS[kind] / utterance
        if folder.is_dir():
            return [f"{FOLDERS[kind]}/{utterance}/{path.name}" for path in sorted(folder.glob("*.jpg"))]
    return []


def voice(out: Path, utterance: str) -> str:
    """Return the path, below ``out``, of an utterance's sound; empty where there is none."""
    name = f"{FOLDERS['wav']}/{utterance}.wav"
    return name if (out / name).is_file() else ""


def write_csv(path: Path, table: pd.DataFrame) -> None:
    """Write a table, atomically; what is not known is empty."""
    write_text(path, table.to_csv(index=False, lineterminator="\n", float_format="%.6g"))
