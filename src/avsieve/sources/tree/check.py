"""What a folder of clips says about itself before a run: read as planning and fetching read it."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.folder_check import (
    Looked,
    absent_folders,
    is_there,
    look_at_folders,
    mean_duration_s,
    ordered,
    search,
)
from avsieve.sources.layout import Layout
from avsieve.sources.list_check import look_at_list
from avsieve.sources.rows import shared_in_words
from avsieve.sources.tree.contract import Tree
from avsieve.sources.tree.scan import Finder
from avsieve.sources.tree.table import read_clip_table
from avsieve.storage.file_names import path_to_text

KEY = "source.tree"


class _Part:
    """The training or the test part of the source."""

    def __init__(self, settings: Tree, prefix: str) -> None:
        root, audio = getattr(settings, f"{prefix}root"), getattr(settings, f"{prefix}audio_root")
        self.key = f"{KEY}.{prefix}root"
        self.audio_key = f"{KEY}.{prefix}audio_root"
        self.root = Path(root or "")
        self.audio_root = None if audio is None else Path(audio)
        self.layout = Layout(settings.layout)
        self.table = None if prefix else settings.table
        self.train_list = None if prefix else settings.train_list
        self.finder = Finder(self.root, exact=self.table is not None)
        self.looked = Looked()
        self.is_used = root is not None or self.table is not None


def check(settings: Tree, modalities: str) -> SourceFacts:
    """Look at the folders, the list and the table."""
    facts = SourceFacts([], 0, 0.0, 0)
    parts = [part for prefix in ("", "test_") if (part := _Part(settings, prefix)).is_used]
    for part in parts:
        absent = absent_folders({part.key: part.root, part.audio_key: part.audio_root})
        facts.findings += absent
        _look(facts, part, can_be_seen=not absent)
    if len(parts) == 2 and (both := parts[0].looked.speakers & parts[1].looked.speakers):
        text = shared_in_words(both, parts[0].key, parts[1].key).removeprefix(f"{parts[1].key}: ")
        facts.findings.append(Finding("error", parts[1].key, text, "use clips of other people"))
    facts.is_there = is_there([(p.finder, p.layout, p.looked.paths) for p in parts if p.root.is_dir()])
    if not facts.utterances:
        facts.utterances = facts.seconds = facts.clip_bytes = None
    return facts


def _look(facts: SourceFacts, part: _Part, *, can_be_seen: bool) -> None:
    """Add what a part of the source has to `facts`."""
    seconds: float | None = None
    try:
        if part.table is not None:
            _read_table(facts, part, part.table)
    except AvsieveError as error:
        facts.findings.append(Finding("error", f"{KEY}.table", str(error), "fix the table"))
        facts.utterances = None
        return
    listed = None
    if part.train_list is not None:
        listed, told = look_at_list(part.train_list, f"{KEY}.train_list")
        facts.findings += told
        if listed is None:
            facts.utterances = None
            return
        seconds = _seconds(listed)
    if can_be_seen and part.table is None and (listed is None or part.layout.path_of("a/b/b") is None):
        roots = {part.key: part.root} | ({part.audio_key: part.audio_root} if part.audio_root else {})
        part.looked, told = look_at_folders(roots, part.layout)
        facts.findings += told
        if part.looked.paths and listed is None:
            about = "" if part.looked.is_whole else "about "
            size = named(part.looked.count, len(part.looked.speakers))
            facts.findings.append(Finding("ok", part.key, f"{part.root}: {about}{size}"))
    if listed is not None:
        _take_list(part, listed)
    count = part.looked.count
    _add(facts, "utterances", count or (0 if listed is None else len(listed)))
    if not can_be_seen or not part.looked.paths:
        facts.clip_bytes = None
        return
    rows = ordered(part.looked.paths)
    found = search(part.finder, rows)
    what = "clips" if listed is None else "listed clips"
    facts.findings += found.findings(part.key, part.root, what, known=listed is None)
    failing = found.codes.total()
    if part.audio_root is not None:
        apart = search(Finder(part.audio_root, sound=True), [(u, _without_ending(p, part)) for u, p in rows])
        facts.findings += apart.findings(part.audio_key, part.audio_root, "sounds")
        failing = max(failing, apart.codes.total())
    facts.failing += round(failing / max(1, found.asked) * count)
    if seconds is None:
        seconds = mean_duration_s(found.files, found.sizes) * count
    _add(facts, "seconds", seconds)
    _add(facts, "clip_bytes", round(sum(found.sizes) / len(found.sizes) * count) if found.sizes else None)


def _without_ending(path: str, part: _Part) -> str:
    return str(Path(path).with_suffix("")) if part.table is not None else path


def _read_table(facts: SourceFacts, part: _Part, table: str) -> None:
    rows = read_clip_table(Path(table))
    part.looked.paths = {utterance: path_to_text(row.path) for utterance, row in rows.items()}
    part.looked.count = len(rows)
    part.looked.speakers = {utterance.partition("/")[0] for utterance in rows}
    text = f"{table}: {named(len(rows), len(part.looked.speakers))}"
    facts.findings.append(Finding("ok", f"{KEY}.table", text))


def _take_list(part: _Part, listed: pd.DataFrame) -> None:
    """Let the list say which utterances there are; where they lie, the layout, the folders or the table have said."""
    names = listed["utterance"].tolist()
    known = part.looked.paths
    told = {name: None if known else part.layout.path_of(name) for name in names}
    part.looked.paths = {
        name: known.get(name, name) if path is None else path_to_text(path) for name, path in told.items()
    }
    part.looked.count = len(names)
    part.looked.speakers = set(listed["speaker"])


def _seconds(listed: pd.DataFrame) -> float | None:
    """Return the length of a list in seconds; None where it gives no lengths."""
    texts = listed["seconds"]
    if not (texts != "").all():
        return None
    values = texts.astype(float)
    return float(values.sum() if values.notna().all() else values.mean() * len(values))


def _add(facts: SourceFacts, name: str, value: float | None) -> None:
    sofar = getattr(facts, name)
    unknown = sofar is None or value is None or math.isnan(value)
    setattr(facts, name, None if unknown else sofar + value)
