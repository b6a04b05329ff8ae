"""What the folders of images and sound say before a run."""

from __future__ import annotations

from pathlib import Path

from avsieve.config_source import Frames
from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import AvsieveError
from avsieve.media.decode import probe_duration_s
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.frames.folders import ImageFolders
from avsieve.sources.frames.names import read_names
from avsieve.sources.frames.plan import ENDINGS
from avsieve.sources.layout import count_endings, told


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
    for prefix, wavs, faces, train_list in parts:
        if wavs is not None:
            _look(facts, prefix, Path(wavs), Path(faces) if faces and modalities == "both" else None, train_list, names)
    return facts


def _look(
    facts: SourceFacts, prefix: str, wavs: Path, faces: Path | None, train_list: str | None, names: dict[str, str]
) -> None:
    add = facts.findings.append
    absent = [(key, p) for key, p in (("wavs", wavs), ("faces", faces)) if p is not None and not p.is_dir()]
    for key, path in absent:
        add(Finding("error", f"source.frames.{prefix}{key}", f"{path} is no folder", "mend the path"))
    if absent:
        return
    if train_list is not None:
        try:
            listed = read_corpus_list(train_list)["utterance"].tolist()
        except AvsieveError as error:
            add(Finding("error", "source.frames.train_list", str(error), "mend the list"))
            return
        some, count, text = listed[:: max(1, len(listed) // 12)], len(listed), f"{len(listed):,} listed utterances"
    else:
        found = count_endings(wavs, ENDINGS)
        some, count, text = found.some, found.utterances, told(found, "utterances")
    if not count:
        add(Finding("error", f"source.frames.{prefix}wavs", f"no sound under {wavs}", "expected speaker/video/*.wav"))
        return
    sounds = [p for u in some if (p := _sound(wavs, u)) is not None]
    _tell(facts, f"{prefix}wavs", wavs, text, len(sounds), len(some))
    lengths = [s for p in sounds if (s := probe_duration_s(p)) == s]
    if lengths:
        facts.seconds = (facts.seconds or 0.0) + count * sum(lengths) / len(lengths)
    facts.utterances = (facts.utterances or 0) + count
    if sounds:
        share = sum(p.stat().st_size for p in sounds) / len(sounds)
        facts.clip_bytes = (facts.clip_bytes or 0) + round(share * count)
    if faces is not None:
        folders = ImageFolders(faces)
        paths = [f"{names.get(u.partition('/')[0], u.partition('/')[0])}/{u.partition('/')[2]}" for u in some]
        _tell(facts, f"{prefix}faces", faces, "images", sum(folders.find(p) is not None for p in paths), len(some))


def _sound(root: Path, utterance: str) -> Path | None:
    return next((p for e in ENDINGS if (p := root / f"{utterance}{e}").is_file()), None)


def _tell(facts: SourceFacts, key: str, root: Path, text: str, there: int, looked: int) -> None:
    subject = f"source.frames.{key}"
    if there == looked:
        facts.findings.append(Finding("ok", subject, f"{root}: {text}; all {looked} that were looked for are there"))
        return
    missing = f"{root}: {looked - there} of {looked} utterances that were looked for have nothing there"
    remedy = "name the folder that holds the speakers' folders, and `names` where they bear names"
    facts.findings.append(
        Finding("warning" if there else "error", subject, missing, "they become rows of reasons" if there else remedy)
    )
