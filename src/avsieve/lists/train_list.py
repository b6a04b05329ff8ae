"""Training lists: read and write them to the byte.

``train_all.txt``        ``speaker wav seconds``
``train_all_clean.txt``  ``speaker wav seconds audio_sim visual_sim flag`` (flag 1 = clean, 0 = noisy)
``train_clean.txt``      the clean lines of it, three columns

``wav`` is ``speaker/video/utterance.wav``. Durations are kept as text: what came in as ``7.36`` goes out as ``7.36``.
The layout is that of TaoRuijie/AVCleanse, whose loader reads only the first two columns.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from avsieve.errors import ListError
from avsieve.lists.plain_lists import read_plain_list
from avsieve.storage.atomic import write_lines
from avsieve.storage.file_names import IMAGE_ENDINGS
from avsieve.storage.ids import PART, is_valid_id
from avsieve.storage.text_files import read_lines

# Endings of files that utterances come as. What else stands behind a dot belongs to the name.
_ENDINGS = (
    "wav flac m4a aac opus ogg oga mp3 wma aiff aif amr ac3 w64 sph caf mka "
    "mp4 mkv webm avi mpg mpeg mov flv 3gp m4v ts mts m2ts wmv ogv vob asf f4v mxf "
    "npy npz pt txt"
)
ENDINGS = frozenset([*_ENDINGS.split(), *(ending[1:] for ending in IMAGE_ENDINGS)])
# Columns of the files, and below them those of the tables that they are read into.
TRAIN_LAYOUT = ("speaker", "wav", "seconds")
CLEAN_LAYOUT = (*TRAIN_LAYOUT, "audio_sim", "visual_sim", "flag")
TRAIN_COLUMNS = ["utterance", "speaker", "video", "seconds"]
CLEAN_COLUMNS = [*TRAIN_COLUMNS, "audio_similarity", "visual_similarity", "clean"]
# A line as this library writes it; others are taken apart step by step, and errors are told.
_WRITTEN = re.compile(rf"({PART}) ((\1/{PART})/{PART})\.wav ([0-9]+(?:\.[0-9]+)?)")


def utterance_of(wav: str, strip_prefix: str | None = None) -> str:
    """Return the utterance that a name in a list or table stands for: ``id1/vid/00001.wav`` -> ``id1/vid/00001``.

    The ending of a file is no part of an id, whatever its case; other dots are: ``id1/vid/00001.part2`` stays whole.
    Of an absolute path the last three parts are taken.

    Parameters
    ----------
    strip_prefix
        Beginning that is no part of the id, such as ``wav/``; names without it are taken as they are.
    """
    name = wav.replace("\\", "/") if "\\" in wav else wav
    if strip_prefix:
        name = name.removeprefix(strip_prefix.replace("\\", "/")).lstrip("/")
    name = name.removeprefix("./")
    stem, dot, ending = name.rpartition(".")
    if dot and stem and not stem.endswith("/") and ending.lower() in ENDINGS:
        name = stem
    if name.startswith("/") or name[1:3] == ":/":
        name = "/".join(name.split("/")[-3:])
    return name


def wav_of(utterance: str) -> str:
    """Return the second column of a list for ``utterance``."""
    return f"{utterance}.wav"


def read_train_list(path: str | Path, strip_prefix: str | None = None) -> pd.DataFrame:
    """Read ``speaker wav seconds`` lines; further columns are not wanted here.

    Returns
    -------
    pandas.DataFrame
        ``utterance``, ``speaker``, ``video``, ``seconds`` (the text as it stood), in the order of the file.

    Raises
    ------
    ListError
        Naming the line, when it has not three columns, its wav is not ``speaker/video/utterance``, its speaker is not
        the wav's, its duration is no number, or its utterance was listed before.
    """
    plain = read_plain_list(path, TRAIN_LAYOUT, ENDINGS) if strip_prefix is None else None
    if plain is not None:
        return plain.select(TRAIN_COLUMNS).to_pandas()
    rows = []
    for number, line in read_lines(path):
        if strip_prefix is None and (written := _WRITTEN.fullmatch(line)):
            rows.append(written.group(2, 1, 3, 4))
        else:
            rows.append(_train_fields(path, number, _fields(path, number, line, TRAIN_LAYOUT), strip_prefix))
    return _frame(path, rows, TRAIN_COLUMNS)


def read_clean_list(path: str | Path, strip_prefix: str | None = None) -> pd.DataFrame:
    """Read ``speaker wav seconds audio_sim visual_sim flag`` lines.

    Returns
    -------
    pandas.DataFrame
        `read_train_list`'s columns, ``audio_similarity`` and ``visual_similarity`` (float64, NaN where the modality is
        missing), ``clean`` (bool).

    Raises
    ------
    ListError
        As `read_train_list`, and where a similarity is no number or the flag is neither 0 nor 1.
    """
    plain = read_plain_list(path, CLEAN_LAYOUT, ENDINGS) if strip_prefix is None else None
    if plain is not None and pc.all(pc.is_in(plain["flag"], pa.array(["0", "1"]))).as_py():
        return _clean_frame(plain)
    rows = []
    for number, line in read_lines(path):
        fields = _fields(path, number, line, CLEAN_LAYOUT)
        first = _train_fields(path, number, fields[: len(TRAIN_LAYOUT)], strip_prefix)
        named = dict(zip(CLEAN_LAYOUT, fields, strict=True))
        audio, visual = (_number(path, number, name, named[name]) for name in ("audio_sim", "visual_sim"))
        if named["flag"] not in ("0", "1"):
            raise ListError(f"{path}, line {number}: flag {named['flag']!r}; expected 1 (clean) or 0 (noisy)")
        rows.append((*first, audio, visual, named["flag"] == "1"))
    return _frame(path, rows, CLEAN_COLUMNS)


def _clean_frame(plain: pa.Table) -> pd.DataFrame:
    read = plain.select(TRAIN_COLUMNS)
    for column, name in (("audio_similarity", "audio_sim"), ("visual_similarity", "visual_sim")):
        read = read.append_column(column, pc.cast(plain[name], pa.float64()))
    return read.append_column("clean", pc.equal(plain["flag"], "1")).to_pandas()


def write_train_list(path: str | Path, utterances: Sequence[str], seconds: Sequence[str]) -> None:
    """Write ``speaker wav seconds`` lines in the order given."""
    lines = (f"{u.split('/', 1)[0]} {wav_of(u)} {s}\n" for u, s in zip(utterances, seconds, strict=True))
    write_lines(path, lines)


def write_clean_list(
    path: str | Path,
    utterances: Sequence[str],
    seconds: Sequence[str],
    audio_similarity: np.ndarray,
    visual_similarity: np.ndarray,
    clean: np.ndarray,
) -> None:
    """Write six-column lines: similarities with 3 decimals, ``nan`` where a modality is missing, flag 1 = clean."""
    # Plain numbers are formatted several times faster than those of numpy.
    numbers = (x.tolist() for x in (audio_similarity, visual_similarity, clean))
    columns = zip(utterances, seconds, *numbers, strict=True)
    lines = (f"{u.split('/', 1)[0]} {wav_of(u)} {s} {a:.3f} {v:.3f} {c:d}\n" for u, s, a, v, c in columns)
    write_lines(path, lines)


def format_seconds(duration_s: float) -> str:
    """Return a measured duration as lists have it: seconds with 3 decimals, ``nan`` where it is unknown."""
    return f"{duration_s:.3f}"


def _fields(path: str | Path, number: int, line: str, layout: Sequence[str]) -> list[str]:
    fields = line.split()
    if len(fields) != len(layout):
        raise ListError(
            f"{path}, line {number}: {len(fields)} columns ({line.strip()[:200]!r}); "
            f"expected {len(layout)}: {' '.join(layout)}"
        )
    return fields


def _train_fields(
    path: str | Path, number: int, fields: Sequence[str], strip_prefix: str | None
) -> tuple[str, str, str, str]:
    speaker, wav, seconds = fields
    utterance = utterance_of(wav, strip_prefix)
    if not is_valid_id(utterance):
        raise ListError(f"{path}, line {number}: wav {wav!r}; expected speaker/video/utterance.wav")
    owner, video, _ = utterance.split("/")
    if owner != speaker:
        raise ListError(
            f"{path}, line {number}: speaker {speaker!r} but the wav {wav!r} lies in {owner!r}; they must be the same"
        )
    _number(path, number, "seconds", seconds)
    return utterance, speaker, f"{owner}/{video}", seconds


def _number(path: str | Path, number: int, name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ListError(f"{path}, line {number}: {name} is {text!r}; expected a number") from None


def _frame(path: str | Path, rows: list[tuple], columns: list[str]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=columns)
    if len({row[0] for row in rows}) < len(rows):
        twice = frame["utterance"].duplicated()
        name = frame.loc[twice, "utterance"].iloc[0]
        raise ListError(
            f"{path}: utterance {name} is listed {int((frame['utterance'] == name).sum())} times; expected once"
        )
    return frame
