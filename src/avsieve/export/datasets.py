"""Parquet that Hugging Face's `datasets` reads with sound and images as features.

One row an utterance; sound and images are structs of ``bytes`` and ``path``, as `datasets` lays them out, and the
schema's metadata name the features. Anything that reads Parquet reads it too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from avsieve.export.contents import Contents, Member
from avsieve.export.parts import write_parts
from avsieve.export.samples import facts_of
from avsieve.storage.atomic import atomic_path
from avsieve.storage.wav import SAMPLE_RATE

# Bytes of content in a row group: what a reader of one row has to hold.
ROW_GROUP_BYTES = 32_000_000
_FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
_COLUMNS = {
    "utterance": pa.string(), "speaker": pa.string(), "video": pa.string(), "label": pa.int64(),
    "seconds": pa.float64(), "flag": pa.int8(), "kind": pa.string(), "audio_similarity": pa.float64(),
    "visual_similarity": pa.float64(), "p_wrong": pa.float64(),
}  # fmt: skip
_MEDIA = {
    "wav": ("audio", _FILE, {"sampling_rate": SAMPLE_RATE, "_type": "Audio"}),
    "faces": ("faces", pa.list_(_FILE), [{"_type": "Image"}]),
    "frames": ("frames", pa.list_(_FILE), [{"_type": "Image"}]),
}


def schema_of(kinds: tuple[str, ...]) -> pa.Schema:
    """Return the schema, with the features in its metadata."""
    fields = dict(_COLUMNS)
    features: dict[str, Any] = {name: {"dtype": str(t), "_type": "Value"} for name, t in _COLUMNS.items()}
    features |= {name: {"dtype": "float64", "_type": "Value"} for name, t in _COLUMNS.items() if t == pa.float64()}
    for kind in kinds:
        name, layout, feature = _MEDIA[kind]
        fields[name], features[name] = layout, feature
    told = json.dumps({"info": {"features": features}})
    return pa.schema(list(fields.items()), metadata={"huggingface": told})


def write_datasets(
    table: pd.DataFrame, contents: Contents, out: Path, *, part_bytes: int, shuffle_seed: int | None
) -> dict[str, int]:
    """Write ``out/part-00000-of-00012.parquet``, …; a broken-off export goes on at its first missing part.

    Parameters and the result are those of `avsieve.export.parts.write_parts`.
    """
    schema = schema_of(contents.kinds)

    def write(path: Path, part: pd.DataFrame) -> None:
        with (
            atomic_path(path) as partial,
            pq.ParquetWriter(partial, schema, compression="zstd", use_dictionary=False) as file,
        ):
            for rows in _groups(part, contents):
                file.write_table(pa.Table.from_pylist(rows, schema=schema), row_group_size=len(rows))

    return write_parts(
        table, contents, out, form="datasets", name=lambda i, n: f"part-{i:05d}-of-{n:05d}.parquet", write=write,
        limit=part_bytes, overhead=64, shuffle_seed=shuffle_seed,
    )  # fmt: skip


def _groups(part: pd.DataFrame, contents: Contents) -> Iterator[list[dict[str, Any]]]:
    """Yield rows by the group, each of some ``ROW_GROUP_BYTES`` of content."""
    rows: list[dict[str, Any]] = []
    filled = 0
    for row in part.itertuples():
        values = facts_of(row)
        for kind in contents.kinds:
            members = contents.read(kind, str(row.shard), str(row.utterance))
            filled += sum(len(member.content) for member in members)
            files = [_file(str(row.utterance), kind, member) for member in members]
            values[_MEDIA[kind][0]] = (files[0] if files else None) if kind == "wav" else files
        rows.append(values)
        if filled >= ROW_GROUP_BYTES:
            yield rows
            rows, filled = [], 0
    if rows:
        yield rows


def _file(utterance: str, kind: str, member: Member) -> dict[str, Any]:
    path = f"{utterance}.wav" if kind == "wav" else f"{utterance}/{member.name}"
    return {"bytes": member.content, "path": path}
