"""What a list alone tells: counts, hours, and, where it has flags, how many."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pcsv

from avsieve.inspection.decided import Coded, videos_of
from avsieve.inspection.overview import FORMAT
from avsieve.lists.layouts import layout_of, read_corpus_list
from avsieve.lists.train_list import CLEAN_LAYOUT, TRAIN_LAYOUT, read_clean_list
from avsieve.storage.ids import PART
from avsieve.storage.text_files import is_plain

_SIMILARITIES = {"audio_sim": "audio_similarity", "visual_sim": "visual_similarity"}
_WAV = rf"^{PART}/{PART}/{PART}\.wav$"


@dataclass(frozen=True)
class Listed:
    """A list in columns.

    Attributes
    ----------
    layout
        As `avsieve.lists.layouts.layout_of` names it.
    utterance
        Ids, an Arrow array (n,) of str.
    speaker, video
        Whose they are, and ``speaker/video``.
    seconds
        Lengths (n,) float64, NaN where the list has none.
    clean
        Flags (n,) bool, None where the list has none.
    similarities
        ``audio_similarity`` and ``visual_similarity``, (n,) float64, NaN where a modality is missing; empty where the
        list has none.
    """

    layout: str
    utterance: pa.Array
    speaker: Coded
    video: Coded
    seconds: np.ndarray
    clean: np.ndarray | None
    similarities: dict[str, np.ndarray]


@dataclass(frozen=True)
class ListFacts:
    """Counts of a list.

    Attributes
    ----------
    path, layout
        The file, and its layout.
    utterances, videos, speakers
        Counts.
    hours
        Length of all, None where no length is known; ``lengths_unknown`` counts the utterances without one.
    flag_0, flag_1
        Lines by flag, None where the list has no flags. Flag 0 is ``noisy`` or ``incomplete``.
    utterances_per_speaker
        Smallest, median and largest number.
    single_utterance_speakers
        Speakers with one utterance: nothing can judge it.
    most_flag_0
        Up to ten speakers with the most lines of flag 0, with these and all their lines.
    """

    path: str
    layout: str
    utterances: int
    videos: int
    speakers: int
    hours: float | None
    lengths_unknown: int
    flag_0: int | None
    flag_1: int | None
    utterances_per_speaker: tuple[int, float, int]
    single_utterance_speakers: int
    most_flag_0: list[tuple[str, int, int]]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it; `docs/formats.md` describes the structure."""
        return {"format": FORMAT, "of": "list", **asdict(self)}


def read_listed(path: str | Path, strip_prefix: str | None = None) -> Listed:
    """Read a list of any layout; lists as this library writes them are read in columns, in about a second a million.

    Raises
    ------
    ListError
        As `avsieve.lists.layouts.read_corpus_list`.
    """
    layout = layout_of(path)
    columns = {"train": TRAIN_LAYOUT, "clean": CLEAN_LAYOUT}.get(layout)
    if columns is not None and strip_prefix is None and is_plain(path):
        found = _in_columns(path, columns)
        if found is not None:
            return found
    clean, similarities = None, {}
    if layout == "clean":
        frame = read_clean_list(path, strip_prefix)
        clean = frame["clean"].to_numpy()
        similarities = {name: frame[name].to_numpy() for name in _SIMILARITIES.values()}
    else:
        frame = read_corpus_list(path, strip_prefix)
    utterance = pa.array(frame["utterance"], pa.string())
    seconds = np.array([float(s) if s else np.nan for s in frame["seconds"]], np.float64)
    speaker = Coded.of(pa.array(frame["speaker"], pa.string()))
    return Listed(layout, utterance, speaker, _video(utterance), seconds, clean, similarities)


def _video(utterance: pa.Array) -> Coded:
    return Coded.of(videos_of(utterance))


def _in_columns(path: str | Path, columns: tuple[str, ...]) -> Listed | None:
    """Read a list whose every line is as this library writes it; None where one is not: the other reader tells why."""
    types = {"speaker": pa.string(), "wav": pa.string(), "flag": pa.string()}
    try:
        table = pcsv.read_csv(
            path,
            read_options=pcsv.ReadOptions(column_names=list(columns)),
            parse_options=pcsv.ParseOptions(delimiter=" ", quote_char=False),
            convert_options=pcsv.ConvertOptions(
                column_types={c: types.get(c, pa.float64()) for c in columns},
                null_values=["nan"],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    wav, speaker = table["wav"].combine_chunks(), table["speaker"].combine_chunks()
    own = pc.equal(pc.replace_substring_regex(wav, r"/.*$", ""), speaker)
    if not len(table) or not pc.all(pc.match_substring_regex(wav, _WAV)).as_py() or not pc.all(own).as_py():
        return None
    clean, similarities = None, {}
    if "flag" in columns:
        if not pc.all(pc.is_in(table["flag"], pa.array(["0", "1"]))).as_py():
            return None
        clean = pc.equal(table["flag"], "1").to_numpy()
        similarities = {name: _numbers(table[column]) for column, name in _SIMILARITIES.items()}
    utterance = pc.utf8_slice_codeunits(wav, 0, -len(".wav"))
    if pc.count_distinct(utterance).as_py() != len(utterance):
        return None
    layout = "train" if clean is None else "clean"
    seconds = _numbers(table["seconds"])
    return Listed(layout, utterance, Coded.of(speaker), _video(utterance), seconds, clean, similarities)


def _numbers(column: pa.ChunkedArray) -> np.ndarray:
    found: np.ndarray = pc.fill_null(column, float("nan")).to_numpy()
    return found


def list_facts(path: str | Path, strip_prefix: str | None = None, *, top: int = 10) -> ListFacts:
    """Count what a list holds.

    Parameters
    ----------
    top
        How many speakers with lines of flag 0.

    Raises
    ------
    ListError
        If it is no list of utterances.
    """
    listed = read_listed(path, strip_prefix)
    per_speaker = np.bincount(listed.speaker.code, minlength=len(listed.speaker.names))
    known = ~np.isnan(listed.seconds)
    most: list[tuple[str, int, int]] = []
    if listed.clean is not None:
        bad = np.bincount(listed.speaker.code[~listed.clean], minlength=len(per_speaker))
        order = np.lexsort((listed.speaker.names.astype(str), -bad))[:top]
        most = [(str(listed.speaker.names[k]), int(bad[k]), int(per_speaker[k])) for k in order if bad[k]]
    return ListFacts(
        path=str(path),
        layout=listed.layout,
        utterances=len(listed.utterance),
        videos=len(listed.video.names),
        speakers=len(per_speaker),
        hours=round(float(listed.seconds[known].sum()) / 3600, 3) if known.any() else None,
        lengths_unknown=int((~known).sum()),
        flag_0=None if listed.clean is None else int((~listed.clean).sum()),
        flag_1=None if listed.clean is None else int(listed.clean.sum()),
        utterances_per_speaker=(int(per_speaker.min()), float(np.median(per_speaker)), int(per_speaker.max())),
        single_utterance_speakers=int((per_speaker == 1).sum()),
        most_flag_0=most,
    )
