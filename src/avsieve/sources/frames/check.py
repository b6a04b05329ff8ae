"""What the folders of images and sound say before a run."""

from __future__ import annotations

from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.folder_check import Looked, absent_folders, look_at_folders, mean_duration_s, ordered, search
from avsieve.sources.frames.contract import Frames
from avsieve.sources.frames.folders import ImageFolders
from avsieve.sources.frames.names import read_names
from avsieve.sources.frames.plan import with_name
from avsieve.sources.layout import Layout
from avsieve.sources.rows import shared_in_words
from avsieve.sources.tree.scan import Finder
from avsieve.storage.file_names import path_to_text

KEY = "source.frames"
MOST_FOLDERS = 2000
"""Folders of images that are looked into, about; each costs a listing with the sizes of its files."""


def check(settings: Frames, modalities: str) -> SourceFacts:
    """Look at the folders, the list and the table of names; a few utterances stand for all."""
    facts = SourceFacts()
    names: dict[str, str] = {}
    if settings.names is not None:
        try:
            names = read_names(Path(settings.names))
            facts.findings.append(Finding("ok", "source.frames.names", f"{settings.names}: {len(names):,} names"))
        except AvsieveError as error:
            facts.findings.append(Finding("error", "source.frames.names", str(error), "name vox1_meta.csv"))
    parts = (
        ("", settings.wavs, settings.faces, settings.train_list),
        ("test_", settings.test_wavs, settings.test_faces, None),
    )
    layout = Layout(settings.layout)
    looked = [
        _look(facts, prefix, Path(wavs), Path(faces) if faces and modalities == "both" else None, train_list, names,
              layout)
        for prefix, wavs, faces, train_list in parts if wavs is not None
    ]  # fmt: skip
    if len(looked) == 2 and (both := looked[0].speakers & looked[1].speakers):
        key = f"{KEY}.test_wavs"
        text = shared_in_words(both, f"{KEY}.wavs", key).removeprefix(f"{key}: ")
        facts.findings.append(Finding("error", key, text, "use sound of other people"))
    return facts


def _look(
    facts: SourceFacts,
    prefix: str,
    wavs: Path,
    faces: Path | None,
    train_list: str | None,
    names: dict[str, str],
    layout: Layout,
) -> Looked:
    key, looked = f"{KEY}.{prefix}wavs", Looked()
    absent = absent_folders({key: wavs, f"{KEY}.{prefix}faces": faces})
    facts.findings += absent
    if absent:
        return looked
    seconds = None
    if train_list is not None:
        try:
            listed = read_corpus_list(train_list)
        except AvsieveError as error:
            facts.findings.append(Finding("error", f"{KEY}.train_list", str(error), "fix the list"))
            return looked
        lengths = listed["seconds"]
        seconds = float(lengths.astype(float).sum()) if (lengths != "").all() else None
        known: dict[str, str] = {}
        if layout.path_of("a/b/b") is None:
            known = look_at_folders({key: wavs}, layout)[0].paths
        told = {name: layout.path_of(name) for name in listed["utterance"]}
        paths = {n: known.get(n, n) if path is None else path_to_text(path) for n, path in told.items()}
        looked = Looked(len(listed), paths, set(listed["speaker"]))
    else:
        looked, findings = look_at_folders({key: wavs}, layout)
        facts.findings += findings
        if not looked.paths:
            return looked
    rows = ordered(looked.paths)
    sounds = search(Finder(wavs, sound=True), rows)
    about = "" if looked.is_whole else "about "
    text = f"{wavs}: {about}{named(looked.count, len(looked.speakers))}"
    facts.findings += [Finding("ok", key, text), *sounds.findings(key, wavs, "sounds")]
    facts.utterances = (facts.utterances or 0) + looked.count
    mean_s = mean_duration_s(sounds.files, sounds.sizes)
    if seconds is not None or mean_s == mean_s:
        facts.seconds = (facts.seconds or 0.0) + (mean_s * looked.count if seconds is None else seconds)
    if sounds.sizes:
        mean_bytes = sum(sounds.sizes) / len(sounds.sizes)
        facts.clip_bytes = (facts.clip_bytes or 0) + round(mean_bytes * looked.count)
    failing = sounds.codes.total() / max(1, sounds.asked)
    if faces is not None:
        without = _look_at_images(facts, f"{KEY}.{prefix}faces", faces, [with_name(p, layout, names) for _, p in rows])
        failing = max(failing, without)
    facts.failing += round(failing * looked.count)
    return looked


def _look_at_images(facts: SourceFacts, key: str, faces: Path, paths: list[str]) -> float:
    """Look for the images of some utterances; return the share of those that have none."""
    folders = ImageFolders(faces)
    asked = paths[:: max(1, len(paths) // MOST_FOLDERS)]
    bare = [path for path in asked if folders.find(path) is None]
    if not bare:
        text = f"{faces}: images; all {len(asked):,} utterances that were looked for have some"
        facts.findings.append(Finding("ok", key, text))
        return 0.0
    text = f"{faces}: {len(bare):,} of {len(asked):,} utterances that were looked for have nothing there, as {bare[0]}"
    if len(bare) < len(asked):
        facts.findings.append(Finding("warning", key, text, "they become rows with a reason"))
    else:
        remedy = "name the folder that holds the speakers' folders, and `names` where they bear names"
        facts.findings.append(Finding("error", key, text, remedy))
    return len(bare) / len(asked)
