"""Lists that name a corpus, in the layouts that the field has: a source takes any of them as its training list.

``speaker wav seconds``                                 ours and AVCleanse's ``train_all.txt``
``speaker wav seconds audio_sim visual_sim flag``       a cleansed list; every line counts, clean or noisy
``speaker wav``                                         voxceleb_trainer's ``train_list.txt``; lengths are not known
``1 wav``, ``2 wav``, ``3 wav``                         VoxCeleb1's ``iden_split.txt``: the lines of part 1 train
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from pathlib import Path

import pandas as pd

from avsieve.errors import ListError
from avsieve.ids import is_valid_id
from avsieve.lists import TRAIN_COLUMNS, read_clean_list, read_train_list, utterance_of

PARTS = {"1": "train", "2": "validation", "3": "test"}


def layout_of(path: str | Path) -> str:
    """Tell the layout of a list by its first lines: ``train``, ``clean``, ``pairs``, ``split``, ``trials`` or ``meta``.

    Raises
    ------
    ListError
        If the file is absent, empty or no text, or its first line has another number of columns.
    """
    path = Path(path)
    if not path.is_file():
        raise ListError(f"{path}: no such list")
    try:
        with path.open(encoding="utf-8") as handle:
            lines = [line for line in islice(handle, 200) if line.strip()]
    except UnicodeDecodeError as error:
        raise ListError(f"{path}: no text in UTF-8 ({error.reason}); expected lines of speaker wav seconds") from None
    if not lines:
        raise ListError(f"{path}: no lines; expected speaker wav seconds")
    if "gender" in lines[0].lower():
        return "meta"
    rows = [line.split() for line in lines]
    first = {row[0] for row in rows}
    width = len(rows[0])
    if width == 3 and first <= {"0", "1"} and "/" in rows[0][2]:
        return "trials"
    if width == 2:
        return "split" if all(part.isdigit() for part in first) else "pairs"
    if width in (3, 6):
        return "train" if width == 3 else "clean"
    raise ListError(f"{path}: {width} columns ({lines[0].strip()!r}); expected 3: speaker wav seconds")


def read_corpus_list(path: str | Path) -> pd.DataFrame:
    """Read a list of any of these layouts.

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
        return read_train_list(path)
    if layout == "clean":
        return read_clean_list(path)[TRAIN_COLUMNS]
    return _read_pairs(Path(path), split=layout == "split")


def _read_pairs(path: Path, *, split: bool) -> pd.DataFrame:
    rows, seen = [], set()
    expected = "part wav, part being 1, 2 or 3" if split else "speaker wav"
    with path.open(encoding="utf-8") as handle:
        for number, line in enumerate(handle, start=1):
            fields = line.split()
            if not fields:
                continue
            if len(fields) != 2 or (split and fields[0] not in PARTS):
                raise ListError(f"{path}, line {number}: {line.strip()!r}; expected {expected}")
            utterance = utterance_of(fields[1])
            if not is_valid_id(utterance):
                raise ListError(f"{path}, line {number}: wav {fields[1]!r}; expected speaker/video/utterance.wav")
            speaker, video, _ = utterance.split("/")
            if not split and fields[0] != speaker:
                raise ListError(
                    f"{path}, line {number}: speaker {fields[0]!r} but the wav {fields[1]!r} lies in {speaker!r}; "
                    "they must be the same"
                )
            if utterance in seen:
                raise ListError(f"{path}, line {number}: utterance {utterance} is listed twice; expected once")
            seen.add(utterance)
            if not split or fields[0] == "1":
                rows.append((utterance, speaker, f"{speaker}/{video}", ""))
    if not rows:
        raise ListError(f"{path}: no line of part 1 (train); name a list with training utterances")
    return pd.DataFrame(rows, columns=TRAIN_COLUMNS)


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
