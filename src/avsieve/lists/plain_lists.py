"""Lists of a million lines as tools write them, read in columns: in a second, and in little more memory than they take.

A list that is as it should be, whatever its ends of lines, is read here. Of any other nothing is told: it is read again
line by line, which finds what is wrong and names the line.
"""

from __future__ import annotations

import codecs
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from avsieve.storage.ids import PART
from avsieve.storage.text_files import LONGEST_TEXT, is_plain

_NUMBER = r"^(?:-?[0-9]+(?:\.[0-9]+)?|nan)$"
_BLOCK_BYTES, _AT_ONCE = 4 << 20, 1 << 16
_PARSE = csv.ParseOptions(delimiter=" ", quote_char=False, escape_char=False, newlines_in_values=False)


def read_plain_list(path: str | Path, layout: Sequence[str], endings: Collection[str]) -> pa.Table | None:
    """Read a list whose columns are parted by one blank each.

    Parameters
    ----------
    layout
        Names of the columns: ``speaker`` and ``wav``, and any others, which hold numbers.
    endings
        Those that a ``wav`` may have, in lower case; they are no part of an id.

    Returns
    -------
    pyarrow.Table or None
        ``utterance``, ``speaker``, ``video`` (``speaker/video``), and the columns of ``layout`` behind ``wav`` as the
        text that they are; None where a line is anything else, or an utterance is there twice.
    """
    path = Path(path)
    if not path.is_file():
        return None
    pattern = rf"^{PART}/{PART}/{PART}\.(?i:{'|'.join(sorted(endings))})$"
    try:
        with path.open("rb") as handle:
            if not _is_plain(path, handle):
                return None
            parts = []
            for batch in _batches(handle, layout):
                if (part := _part(batch, pattern)) is None:
                    return None
                parts.append(part)
    except (OSError, pa.ArrowException):
        return None
    if not parts or not all_differ([part["utterance"] for part in parts]):
        return None
    return pa.Table.from_batches(parts)


def _is_plain(path: Path, handle: BinaryIO) -> bool:
    """Tell whether a file is text in UTF-8, and leave it open behind its mark if it has one."""
    has_mark = handle.read(len(codecs.BOM_UTF8)) == codecs.BOM_UTF8
    handle.seek(len(codecs.BOM_UTF8) if has_mark else 0)
    return path.stat().st_size <= LONGEST_TEXT and (has_mark or is_plain(path))


def _batches(handle: BinaryIO, layout: Sequence[str]) -> csv.CSVStreamingReader:
    return csv.open_csv(
        handle,
        read_options=csv.ReadOptions(column_names=list(layout), use_threads=False, block_size=_BLOCK_BYTES),
        parse_options=_PARSE,
        convert_options=csv.ConvertOptions(column_types=dict.fromkeys(layout, pa.string())),
    )


def _part(batch: pa.RecordBatch, pattern: str) -> pa.RecordBatch | None:
    """Return the columns of some lines; None where one of them is not as it should be."""
    others = {name: batch[name] for name in batch.schema.names if name not in ("speaker", "wav")}
    wavs = batch["wav"]
    if not _all_match(wavs, pattern) or not all(_all_match(column, _NUMBER) for column in others.values()):
        return None
    if not pc.replace_substring_regex(wavs, "/.*", "").equals(batch["speaker"]):
        return None
    told = {
        "utterance": pc.replace_substring_regex(wavs, r"\.[^./]*$", ""),
        "speaker": batch["speaker"],
        "video": pc.replace_substring_regex(wavs, "/[^/]*$", ""),
    }
    return pa.RecordBatch.from_pydict(told | others)


def all_differ(texts: Sequence[pa.Array]) -> bool:
    """Tell whether no text is there twice; two of the same hash, which a million never have, count as the same."""
    pieces = [part.slice(at, _AT_ONCE) for part in texts for at in range(0, len(part), _AT_ONCE)]
    hashes = [np.fromiter(map(hash, piece.to_pylist()), np.int64, len(piece)) for piece in pieces]
    if not hashes:
        return True
    sorted_hashes = np.sort(np.concatenate(hashes))
    return not bool((sorted_hashes[1:] == sorted_hashes[:-1]).any())


def _all_match(column: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(column, pattern)).as_py())
