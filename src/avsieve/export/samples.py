"""WebDataset: a sample an utterance, in tars of limited size.

``KEY.json`` (who, how long, how similar, clean or not), ``KEY.cls`` (the label), ``KEY.wav``, ``KEY.0010.jpg``, …; KEY
is the utterance's id. WebDataset ends a key at its first dot, so dots of an id are written as ``%2E``; ids hold no
``%``.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pandas as pd

from avsieve.export.contents import Contents
from avsieve.export.parts import write_parts
from avsieve.storage.indexed_tar import TarWriter

# A header and, in the mean, half a block of padding.
OVERHEAD = 768


def key_of(utterance: str) -> str:
    """Return the key of an utterance's sample."""
    return utterance.replace(".", "%2E")


def facts_of(row: Any) -> dict[str, Any]:
    """Return what a sample says about its utterance; None where something is not known."""
    numbers = ("audio_similarity", "visual_similarity", "p_wrong")
    return {
        "utterance": row.utterance,
        "speaker": row.speaker,
        "video": row.video,
        "label": int(row.label),
        "seconds": _number(row.seconds),
        "flag": int(row.flag) if row.flag >= 0 else None,
        "kind": row.kind,
        **{name: _number(getattr(row, name)) for name in numbers},
    }


def _number(value: Any) -> float | None:
    number = float(value) if value not in (None, "") else math.nan
    return None if math.isnan(number) else round(number, 6)


def write_samples(
    table: pd.DataFrame, contents: Contents, out: Path, *, part_bytes: int, shuffle_seed: int | None
) -> dict[str, int]:
    """Write ``out/000000.tar``, …; a broken-off export goes on at its first missing part.

    Parameters and the result are those of `avsieve.export.parts.write_parts`. Beside each tar lies the index of its
    members, as for every shard (`avsieve.storage.indexed_tar`).
    """

    def write(path: Path, part: pd.DataFrame) -> None:
        with TarWriter(path) as shard:
            for row in part.itertuples():
                key = key_of(str(row.utterance))
                told = json.dumps(facts_of(row), sort_keys=True, ensure_ascii=False)
                shard.add(str(row.utterance), f"{key}.json", told.encode())
                shard.add(str(row.utterance), f"{key}.cls", str(row.label).encode())
                for kind in contents.kinds:
                    for member in contents.read(kind, str(row.shard), str(row.utterance)):
                        ending = {"wav": "wav", "faces": member.name, "frames": f"frame.{member.name}"}[kind]
                        shard.add(str(row.utterance), f"{key}.{ending}", member.content)

    return write_parts(
        table, contents, out, form="webdataset", name=lambda i, n: f"{i:06d}.tar", write=write, limit=part_bytes,
        overhead=OVERHEAD, shuffle_seed=shuffle_seed,
    )  # fmt: skip
