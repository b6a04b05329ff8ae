"""What archives say about themselves before a run: small ones are listed, of large ones only the ends are read."""

from __future__ import annotations

import math
from contextlib import closing

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
from avsieve.lists.layouts import listed
from avsieve.media.index import slice_of
from avsieve.sources.archive.contract import Archive as Settings
from avsieve.sources.archive.locate import BadMemberError, Locator
from avsieve.sources.archive.members import LINK, SPARSE, Member, find_members
from avsieve.sources.archive.names import Naming
from avsieve.sources.archive.parts import Archive, find_archives, joined
from avsieve.sources.archive.zip_end import entries_of
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.layout import Layout
from avsieve.sources.rows import shared_in_words

MANY, LARGE = 200_000, 4_000_000_000
"""Members of a zip, and bytes of a tar, beyond which an archive is not listed beforehand."""
PROBED = 12


def check(settings: Settings, modalities: str) -> SourceFacts:
    """Look at the archives and the list."""
    facts = SourceFacts([], clip_bytes=0)
    clips: dict[str, Member] | None = {}
    archives: list[Archive] = []
    guessed = 0
    speakers: dict[str, set[str]] = {}
    for name in ("video", "audio", "test_video", "test_audio"):
        patterns = getattr(settings, name)
        if not patterns:
            continue
        key = f"source.archive.{name}"
        try:
            found = find_archives(patterns)
            naming = Naming(Layout(settings.layout))
            members, entries = _look(found, naming)
        except AvsieveError as error:
            facts.findings.append(
                Finding("error", key, str(error).removeprefix("source.archive: "), "fix that, or the configuration")
            )
            facts.clip_bytes = clips = None
            continue
        size, parts = sum(a.size for a in found), sum(len(a.parts) for a in found)
        text = f"archives: {len(found)} in {parts} files, {size / 1e9:.1f} GB"
        text += (
            f", {len(members):,} clips" if members is not None else f", about {entries:,} members" if entries else ""
        )
        facts.findings += [Finding("ok", key, text), *naming.findings(key)]
        facts.failing += naming.twice.count
        for packing, what in ((LINK, "lead to no file of their archive"), (SPARSE, "are sparse")):
            if count := sum(m.packing == packing for m in (members or {}).values()):
                text = f"{count:,} clips {what}"
                facts.findings.append(Finding("warning", key, text, "they become rows with a reason"))
        archives += found
        speakers[name] = {utterance.partition("/")[0] for utterance in members or ()}
        facts.clip_bytes = None if facts.clip_bytes is None else facts.clip_bytes + size
        if "audio" not in name:
            guessed += entries
            clips = None if clips is None or members is None else clips | members
    _count(facts, settings, clips, archives, guessed)
    if both := speakers.get("video", set()) & speakers.get("test_video", set()):
        key = "source.archive.test_video"
        text = shared_in_words(both, "source.archive.video", key).removeprefix(f"{key}: ")
        facts.findings.append(Finding("error", key, text, "use clips of other people"))
    return facts


def _look(archives: list[Archive], naming: Naming) -> tuple[dict[str, Member] | None, int]:
    """Return the clips, or None where listing them takes long, and about how many there are (0: unknown)."""
    entries, quick = 0, True
    for archive in archives:
        if archive.is_zip:
            with joined(archive) as view:
                entries += entries_of(archive, view)
        quick = quick and (entries <= MANY if archive.is_zip else archive.size <= LARGE)
    members = find_members(archives, naming.layout, naming) if quick else None
    return members, entries if members is None else len(members)


def _count(
    facts: SourceFacts, settings: Settings, clips: dict[str, Member] | None, archives: list[Archive], guessed: int
) -> None:
    facts.utterances = len(clips) if clips else guessed or None
    if settings.train_list is not None:
        try:
            frame = listed(settings.train_list)
        except AvsieveError as error:
            facts.findings.append(Finding("error", "source.archive.train_list", str(error), "fix the list"))
            return
        names = frame["utterance"].tolist()
        told = named(len(names), frame["speaker"].nunique())
        facts.findings.append(Finding("ok", "source.archive.train_list", f"{settings.train_list}: {told}"))
        if clips and (absent := [name for name in names if name not in clips]):
            level = "error" if len(absent) == len(names) else "warning"
            facts.failing += len(absent)
            text = f"{len(absent)} of {len(names)} listed clips are in no archive, as {absent[0]}"
            facts.findings.append(Finding(level, "source.archive.video", text, "they become rows with a reason"))  # type: ignore[arg-type]
        if not settings.test_video:
            facts.utterances = len(names)
            if (frame["seconds"] != "").all() and frame["seconds"].astype(float).notna().all():
                facts.seconds = float(frame["seconds"].astype(float).sum())
    if clips:
        facts.is_there = clips.__contains__
        if facts.seconds is None and facts.utterances:
            mean_s = _mean_duration_s(list(clips.items()), archives)
            facts.seconds = None if math.isnan(mean_s) else mean_s * facts.utterances


def _mean_duration_s(members: list[tuple[str, Member]], archives: list[Archive]) -> float:
    """Return the mean length by the headers of some clips; NaN where none can be read."""
    try:
        from avsieve.media.isolated import probe_duration_s
    except ImportError:
        return math.nan
    known = []
    with closing(Locator(archives)) as locator:
        for utterance, member in members[:: max(1, len(members) // PROBED)]:
            try:
                duration_s = probe_duration_s(slice_of(locator.place(member, utterance)))
            except BadMemberError:
                continue
            if not math.isnan(duration_s):
                known.append(duration_s)
    return sum(known) / len(known) if known else math.nan
