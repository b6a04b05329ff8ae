"""Lists that name a corpus, in the layouts that the field has: a source takes any of them as its training list.

``speaker wav seconds``                                 ours and AVCleanse's ``train_all.txt``
``speaker wav seconds audio_sim visual_sim flag``       a cleansed list; every line counts, clean or noisy
``speaker wav``                                         voxceleb_trainer's ``train_list.txt``; lengths are not known
``1 wav``, ``2 wav``, ``3 wav``                         VoxCeleb1's ``iden_split.txt``: the lines of part 1 train
``utterance speaker``                                   Kaldi's ``utt2spk``; ``id1-vid-01`` stands for ``id1/vid/01``
``wav``                                                 a bare list, one utterance a line
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

from avsieve.errors import ListError
from avsieve.lists.plain_lists import read_plain_list
from avsieve.lists.train_list import (
    CLEAN_LAYOUT,
    ENDINGS,
    TRAIN_COLUMNS,
    TRAIN_LAYOUT,
    read_clean_list,
    read_train_list,
    utterance_of,
)
from avsieve.storage.ids import is_valid_id
from avsieve.storage.text_files import first_lines, read_lines

PAIRS_LAYOUT = ("speaker", "wav")
_LOOKED_AT = 200
PARTS = {"1": "train", "2": "validation", "3": "test"}


def layout_of(path: str | Path) -> str:
    """Tell the layout of a list by its first lines.

    Returns
    -------
    str
        ``train``, ``clean``, ``pairs``, ``split``, ``utt2spk`` or ``names`` (a bare list), as the module has them; or
        ``trials`` or ``meta`` (a table of speakers), which are no training lists.

    Raises
    ------
    ListError
        If the file is absent, empty or no text, or its first line has another number of columns.
    """
    lines = first_lines(path, _LOOKED_AT)
    if not lines:
        raise ListError(f"{path}: no lines; expected {' '.join(TRAIN_LAYOUT)}")
    if "gender" in lines[0].lower():
        return "meta"
    rows = [line.split() for line in lines]
    first = {row[0] for row in rows}
    width = len(rows[0])
    kaldi = width == 3 and all("/" in side for side in rows[0][:2])
    if kaldi or (width == 3 and first <= {"0", "1"} and "/" in rows[0][2]):
        return "trials"
    if width == 2:
        if all(part.isdigit() for part in first):
            return "split"
        return "pairs" if "/" in rows[0][1] else "utt2spk"
    if width == 1:
        return "names"
    if width in (len(TRAIN_LAYOUT), len(CLEAN_LAYOUT)):
        return "train" if width == len(TRAIN_LAYOUT) else "clean"
    expected = f"{len(TRAIN_LAYOUT)}: {' '.join(TRAIN_LAYOUT)}"
    raise ListError(f"{path}: {width} columns ({lines[0].strip()[:200]!r}); expected {expected}")


def read_corpus_list(path: str | Path, strip_prefix: str | None = None) -> pd.DataFrame:
    """Read a list of any of these layouts.

    Parameters
    ----------
    strip_prefix
        Beginning of the names that is no part of an id.

    Returns
    -------
    pandas.DataFrame
        ``utterance``, ``speaker``, ``video``, ``seconds`` (text; empty where the list has no lengths), in the order of
        the file.

    Raises
    ------
    ListError
        Naming the line that cannot be read; or when the file is a trial list or a table of speakers.
    """
    layout = layout_of(path)
    if layout == "trials":
        raise ListError(f"{path}: a trial list (label enrol test), no training list; name it as evaluation.trials")
    if layout == "meta":
        raise ListError(f"{path}: a table of speakers, no training list; name it as evaluation.sex")
    if layout == "train":
        return read_train_list(path, strip_prefix)
    if layout == "pairs" and strip_prefix is None:
        plain = read_plain_list(path, PAIRS_LAYOUT, ENDINGS)
        if plain is not None:
            return plain.to_pandas().assign(seconds="")[TRAIN_COLUMNS]
    if layout == "clean":
        return read_clean_list(path, strip_prefix)[TRAIN_COLUMNS]
    return _read_short(Path(path), layout, strip_prefix)


def with_seconds(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a list with ``nan`` for lengths that it does not have, as our own lists are written."""
    return frame.assign(seconds=frame["seconds"].replace("", "nan"))


# Layout of one or two columns -> what its lines hold, for the message.
_EXPECTED = {
    "split": "part wav, part being 1, 2 or 3",
    "pairs": "speaker wav",
    "utt2spk": "utterance speaker",
    "names": "speaker/video/utterance.wav, one a line",
}


def _read_short(path: Path, layout: str, strip_prefix: str | None) -> pd.DataFrame:
    rows, seen = [], set()
    for number, line in read_lines(path):
        fields = line.split()
        wrong = len(fields) != (1 if layout == "names" else 2) or (layout == "split" and fields[0] not in PARTS)
        if wrong:
            raise ListError(f"{path}, line {number}: {line.strip()[:200]!r}; expected {_EXPECTED[layout]}")
        name, label = (fields[0], fields[-1]) if layout in ("utt2spk", "names") else (fields[1], fields[0])
        utterance = utterance_of(name, strip_prefix)
        if layout == "utt2spk" and "/" not in utterance:
            utterance = _of_kaldi(utterance, label)
        if not is_valid_id(utterance):
            raise ListError(f"{path}, line {number}: wav {name!r}; expected speaker/video/utterance.wav")
        speaker, video, _ = utterance.split("/")
        if layout in ("pairs", "utt2spk") and label != speaker:
            raise ListError(
                f"{path}, line {number}: speaker {label!r} but the wav {name!r} lies in {speaker!r}; "
                "they must be the same"
            )
        if utterance in seen:
            raise ListError(f"{path}, line {number}: utterance {utterance} is listed twice; expected once")
        seen.add(utterance)
        if layout != "split" or label == "1":
            rows.append((utterance, speaker, f"{speaker}/{video}", ""))
    if not rows:
        raise ListError(f"{path}: no line of part 1 (train); name a list with training utterances")
    return pd.DataFrame(rows, columns=TRAIN_COLUMNS)


def _of_kaldi(name: str, speaker: str) -> str:
    """Return ``speaker/video/utterance`` of ``speaker-video-utterance``; video ids may hold hyphens themselves."""
    rest = name.removeprefix(speaker)
    video, _, utterance = rest[1:].rpartition(rest[:1]) if rest and rest != name else ("", "", name)
    return f"{speaker}/{video}/{utterance}"


def listed(path: str | Path) -> pd.DataFrame:
    """Return `read_corpus_list` of ``path``, read once for all who look at it; not to be changed."""
    path = Path(path)
    if not path.is_file():
        return read_corpus_list(path)  # raises, and says so
    facts = path.stat()
    return _listed(path.resolve(), facts.st_mtime_ns, facts.st_size, path)


@lru_cache(maxsize=4)
def _listed(resolved: Path, changed_ns: int, size: int, path: Path) -> pd.DataFrame:
    return read_corpus_list(path)
