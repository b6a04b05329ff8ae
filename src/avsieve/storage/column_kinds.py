"""What the columns of the results hold, by their names: a table that holds something else is refused when it is opened.

The same name means the same in every table of the results, so readers need not look each for themselves. Columns whose
names are not here are those readers' own affair.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from avsieve.errors import AvsieveError
from avsieve.storage.remedies import make_anew


class Kind(NamedTuple):
    """A kind of column: what messages call it, which types are of it, and whether rows may be without a value."""

    words: str
    holds: Callable[[pa.DataType], bool]
    may_lack: bool = True


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _is_vector(kind: pa.DataType) -> bool:
    return bool(pa.types.is_fixed_size_list(kind) and pa.types.is_floating(kind.value_type))


TEXT = Kind("text", _is_text)
NAME = Kind("text", _is_text, may_lack=False)
NUMBER = Kind("numbers", _is_number)
COUNT = Kind("whole numbers", pa.types.is_integer, may_lack=False)
FLOAT = Kind("floating-point numbers", pa.types.is_floating)
FLAG = Kind("true or false", pa.types.is_boolean, may_lack=False)
VECTOR = Kind("lists of floats of one length", _is_vector, may_lack=False)

KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(("utterance", "speaker", "video", "shard", "subset", "code", "condition", "modality"), NAME),
    **dict.fromkeys(("side", "level", "arm", "stratum", "name"), NAME),
    **dict.fromkeys(("detail", "seconds", "kind", "version", "parameters", "segmentation"), TEXT),
    **dict.fromkeys(("decision", "reason", "suggested_speaker", "machine_decision"), TEXT),
    **dict.fromkeys(("start_s", "length_s", "duration_s", "audio_s", "quality", "n_frames", "n_faces"), NUMBER),
    **dict.fromkeys(("p_wrong", "p_audio_wrong", "p_visual_wrong", "p_suggested"), NUMBER),
    **dict.fromkeys(("audio_similarity", "visual_similarity"), NUMBER),
    **dict.fromkeys(("offset", "size", "crc32", "seed"), COUNT),
    "held_out": FLAG,
}


def check_columns(path: str | Path, schema: pa.Schema, kinds: Mapping[str, Kind] = KINDS) -> None:
    """Refuse a table whose columns are not of the kinds that their names say.

    A column without any value may have the type of nothing, as pandas writes it.

    Raises
    ------
    AvsieveError
        Naming the first such column, what it holds and what is expected; or a name that two columns have.
    """
    seen: set[str] = set()
    for field in schema:
        if field.name in seen:
            raise AvsieveError(f"{path}: two columns are called {field.name!r}; {make_anew(path)}")
        seen.add(field.name)
        kind = kinds.get(field.name)
        if kind is not None and not pa.types.is_null(field.type) and not kind.holds(field.type):
            raise AvsieveError(
                f"{path}: column {field.name!r} holds {str(field.type)[:60]}; expected {kind.words}; {make_anew(path)}"
            )


def check_values(
    path: str | Path, name: str, column: pa.Array | pa.ChunkedArray, kinds: Mapping[str, Kind] = KINDS
) -> None:
    """Refuse a column that lacks a value where each row needs one (`AvsieveError`)."""
    kind = kinds.get(name)
    if kind is not None and not kind.may_lack and column.null_count:
        raise AvsieveError(
            f"{path}: column {name!r} has no value in {column.null_count} of {len(column)} rows; expected {kind.words} "
            f"in each; {make_anew(path)}"
        )
