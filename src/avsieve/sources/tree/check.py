"""What a folder of clips says about itself before a run: counted where that is quick, sampled where it is not."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from avsieve.config_source import Tree
from avsieve.recognise import named
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.lists import look_at_list
from avsieve.sources.tree.plan import EXTENSIONS

LOOK_S = 1.0
"""How long a folder is counted before the rest is estimated."""
SAMPLE = 200
PROBED = 12


class Counted(NamedTuple):
    """What a folder holds; estimated where it was not counted to its end."""

    utterances: int
    speakers: int
    clips: list[Path]
    """Some of the clips."""
    is_whole: bool


def check(settings: Tree, modalities: str) -> SourceFacts:
    """Look at the folders and the list."""
    facts = SourceFacts([], 0, 0.0, 0)
    roots: list[Path] = []
    parts = (("root", settings.root, settings.train_list), ("test_root", settings.test_root, None))
    for name, folder, train_list in parts:
        if folder is None:
            continue
        root = Path(folder)
        if not root.is_dir():
            facts.findings.append(
                Finding("error", f"source.tree.{name}", f"{root} is no folder",
                        "give the folder that holds the speakers' folders; paths start where Snakemake runs")
            )  # fmt: skip
        else:
            roots.append(root)
        _look(facts, root, f"source.tree.{name}", train_list)
    for name in ("audio_root", "test_audio_root"):
        folder = getattr(settings, name)
        if folder is not None and not Path(folder).is_dir():
            facts.findings.append(
                Finding("error", f"source.tree.{name}", f"{folder} is no folder", "mend the path, or leave it out")
            )
    if len(roots) == 2 and (both := _speakers(roots[0]) & _speakers(roots[1])):
        text = f"{len(both)} speakers are in both folders, as {min(both)}"
        facts.findings.append(
            Finding("warning", "source.tree.test_root", text, "an id must be unique: name other people's clips")
        )
    if roots:
        facts.is_there = lambda utterance: any(_has(root, utterance) for root in roots)
    if not facts.utterances:
        facts.utterances = facts.seconds = facts.clip_bytes = None
    return facts


def _look(facts: SourceFacts, root: Path, key: str, train_list: str | None) -> None:
    """Add what ``root``, or the list about it, has to ``facts``."""
    seconds, is_there = None, root.is_dir()
    if train_list is not None:
        frame, told = look_at_list(train_list, "source.tree.train_list")
        facts.findings += told
        if frame is None:
            facts.utterances = facts.seconds = facts.clip_bytes = None
            return
        names = frame["utterance"].tolist()
        asked = names[:: max(1, len(names) // SAMPLE)] if is_there else []
        clips = [path for name in asked if (path := _clip(root, name)) is not None]
        absent = len(asked) - len(clips)
        if absent:
            level = "error" if not clips else "warning"
            first = next(name for name in asked if _clip(root, name) is None)
            text = f"{absent} of {len(asked)} listed clips that were looked for are not under {root}, as {first}"
            remedy = "name the folder that holds the speakers' folders" if not clips else "they become rows of reasons"
            facts.findings.append(Finding(level, key, text, remedy))  # type: ignore[arg-type]
        elif is_there:
            facts.findings.append(Finding("ok", key, f"{root}: all {len(asked)} clips that were looked for are there"))
        texts = frame["seconds"]
        if (texts != "").all():
            values = texts.astype(float)
            seconds = float(values.sum() if values.notna().all() else values.mean() * len(values))
        count = len(names)
    elif not is_there:
        facts.clip_bytes = None
        return
    else:
        found = count_clips(root)
        if not found.utterances:
            facts.findings.append(
                Finding("error", key, f"no clip under {root}; expected speaker/video/utterance with one of "
                        f"{', '.join(EXTENSIONS)}", "name the folder that holds the speakers' folders")
            )  # fmt: skip
            return
        about = "" if found.is_whole else "about "
        size = named(found.utterances, found.speakers) if found.is_whole else f"{found.utterances:,} utterances"
        facts.findings.append(Finding("ok", key, f"{root}: {about}{size}"))
        clips, count = found.clips, found.utterances
    if empty := [path for path in clips if path.stat().st_size == 0]:
        text = f"{len(empty)} of {len(clips)} clips that were looked at have no bytes, as {empty[0]}"
        facts.findings.append(Finding("warning", key, text, "fetch them again"))
    if seconds is None and clips:
        seconds = _mean_duration_s(clips) * count
    _add(facts, "utterances", count)
    _add(facts, "seconds", seconds)
    mean_bytes = sum(path.stat().st_size for path in clips) / len(clips) if clips else 0
    _add(facts, "clip_bytes", round(mean_bytes * count) if clips else None)


def _add(facts: SourceFacts, name: str, value: float | None) -> None:
    sofar = getattr(facts, name)
    unknown = sofar is None or value is None or math.isnan(value)
    setattr(facts, name, None if unknown else sofar + value)


def count_clips(root: Path, look_s: float = LOOK_S) -> Counted:
    """Count the clips under ``root``, speakers far apart first; after ``look_s`` seconds the rest is estimated."""
    speakers = sorted(_speakers(root))
    stride = max(1, len(speakers) // 64)
    order = [speaker for first in range(stride) for speaker in speakers[first::stride]]
    end = time.monotonic() + look_s
    count, seen, sample = 0, 0, []
    for speaker in order:
        found = list(_clips_of(root / speaker))
        count += len(found)
        seen += 1
        sample += found[:: max(1, len(found) // 4)]
        if time.monotonic() > end:
            break
    whole = seen == len(speakers)
    total = count if whole else round(count / seen * len(speakers))
    return Counted(total, len(speakers), sample[:: max(1, len(sample) // SAMPLE)], whole)


def _speakers(root: Path) -> set[str]:
    return {e.name for e in os.scandir(root) if e.is_dir() and not e.name.startswith(".")}


def _clips_of(speaker: Path) -> Iterable[Path]:
    for video in os.scandir(speaker):
        if video.is_dir() and not video.name.startswith("."):
            for entry in os.scandir(video.path):
                if not entry.name.startswith(".") and os.path.splitext(entry.name)[1].lower() in EXTENSIONS:  # noqa: PTH122
                    yield Path(entry.path)


def _clip(root: Path, utterance: str) -> Path | None:
    return next((path for e in EXTENSIONS if (path := root / f"{utterance}{e}").is_file()), None)


@lru_cache(maxsize=100_000)
def _stems(folder: Path) -> frozenset[str]:
    if not folder.is_dir():
        return frozenset()
    return frozenset(os.path.splitext(e.name)[0] for e in os.scandir(folder))  # noqa: PTH122


def _has(root: Path, utterance: str) -> bool:
    folder, _, name = utterance.rpartition("/")
    return name in _stems(root / folder)


def _mean_duration_s(clips: list[Path]) -> float:
    """Return the mean length by the headers of some clips; NaN where none can be read."""
    try:
        from avsieve.media.decode import probe_duration_s
    except ImportError:
        return math.nan
    chosen = clips[:: max(1, len(clips) // PROBED)]
    known = [d for path in chosen if path.stat().st_size and not math.isnan(d := probe_duration_s(path))]
    return sum(known) / len(known) if known else math.nan
