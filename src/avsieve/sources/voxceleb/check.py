"""What the track files, the store and the tools say before a run; the site is not asked."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.lists.layouts import read_corpus_list
from avsieve.media.ffmpeg import ffmpeg_binary
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.ledger import Ledger
from avsieve.sources.scan import in_order, scan_folder
from avsieve.sources.scan_report import findings_of
from avsieve.sources.store import LEDGER, Store
from avsieve.sources.voxceleb.contract import Voxceleb
from avsieve.sources.voxceleb.plan import is_track
from avsieve.sources.voxceleb.site import INSTALL
from avsieve.sources.voxceleb.tracks import TrackError, read_track, track_file

CLIP_BYTES_PER_S = 40_000
"""A clip of 224 x 224 with its sound, at the quality that clips are written in."""
_OLD_DAYS = 90
_LOOK_S = 10.0
_LEDGERS = 200
_RUNTIMES = ("deno", "node", "bun", "qjs")


def check(settings: Voxceleb, modalities: str) -> SourceFacts:
    """Look at the tracks, at what is needed to fetch, and at what the store already holds."""
    facts = SourceFacts()
    add = facts.findings.append
    total, videos, seconds = 0, 0, 0.0
    for key, folder, train_list in (
        ("tracks", settings.tracks, settings.train_list),
        ("test_tracks", settings.test_tracks, None),
    ):
        if folder is not None:
            n, of_videos, mean_s = _look(facts, key, Path(folder), train_list)
            total, videos, seconds = total + n, videos + of_videos, seconds + n * mean_s
    _tools(facts, settings)
    add(
        Finding("note", "max_failed", "videos that are gone count as failed utterances; a fifth of VoxCeleb's and more "
                "are gone", "set max_failed to the share that you can do without, such as 0.5")
    )  # fmt: skip
    if not total:
        return facts
    there, gone = _settled(Path(settings.store))
    facts.utterances, facts.seconds = total, seconds
    share_left = max(0.0, 1 - there / total - gone / videos)
    facts.fetch_bytes = round(share_left * seconds * CLIP_BYTES_PER_S * (settings.size / 224) ** 2)
    if there or gone:
        text = f"{settings.store}: {there:,} clips are there, {gone:,} videos are known to be gone"
        add(Finding("ok", "source.voxceleb.store", text))
    return facts


def _look(facts: SourceFacts, key: str, root: Path, train_list: str | None) -> tuple[int, int, float]:
    """Return the number of utterances and of videos, and the utterances' mean length in seconds."""
    subject = f"source.voxceleb.{key}"
    if not root.is_dir():
        remedy = "give the folder of the track files, such as data/vox2_dev_txt"
        facts.findings.append(Finding("error", subject, f"{root} is not a folder", remedy))
        return 0, 0, 0.0
    found = scan_folder(root, taken=is_track, wanted=".txt", look_s=_LOOK_S)
    if found.unreadable:
        facts.findings.append(
            Finding("error", subject, f"{found.unreadable[0]} cannot be listed", "fix its permissions")
        )
        return 0, 0, 0.0
    names = in_order(found.clips)
    some, count = [found.clips[name] for name in names[:: max(1, len(names) // 12)][:12]], found.estimate
    videos = round(len({name.rpartition("/")[0] for name in names}) / max(1, len(names)) * count)
    text = f"{'' if found.is_whole else 'about '}{count:,} tracks of {len(found.top):,} speakers"
    facts.findings += findings_of(found, subject)
    if train_list is not None:
        try:
            listed = read_corpus_list(train_list)["utterance"].tolist()
        except AvsieveError as error:
            facts.findings.append(Finding("error", "source.voxceleb.train_list", str(error), "fix the list"))
            return 0, 0, 0.0
        some, count = listed[:: max(1, len(listed) // 12)], len(listed)
        videos = len({utterance.rpartition("/")[0] for utterance in listed})
        text = f"{count:,} tracks in {train_list}"
    if not count:
        remedy = "expected speaker/video/utterance.txt below it"
        facts.findings.append(Finding("error", subject, f"no track file under {root}", remedy))
        return 0, 0, 0.0
    lengths, damaged = [], []
    for utterance in some:
        try:
            lengths.append(read_track(track_file(root, utterance)).duration_s)
        except TrackError as error:
            damaged.append(str(error))
    if damaged:
        level = "warning" if lengths else "error"
        text = f"{len(damaged)} of {len(some)} tracks that were looked at cannot be read: {damaged[0]}"
        facts.findings.append(Finding(level, subject, text, "unpack the track files anew"))  # type: ignore[arg-type]
    else:
        facts.findings.append(Finding("ok", subject, f"{root}: {text}"))
    return count, videos, sum(lengths) / len(lengths) if lengths else 0.0


def _tools(facts: SourceFacts, settings: Voxceleb) -> None:
    add = facts.findings.append
    try:
        found = version("yt-dlp")
        year, month, day = map(int, found.split(".")[:3])
        age_days = (datetime.now(UTC) - datetime(year, month, day, tzinfo=UTC)).days
        if age_days > _OLD_DAYS:
            text = f"{found} is {age_days} days old, and sites change"
            add(Finding("warning", "yt-dlp", text, f"{INSTALL} --upgrade"))
        else:
            add(Finding("ok", "yt-dlp", found))
    except PackageNotFoundError:
        add(Finding("error", "yt-dlp", "not installed", INSTALL))
    except ValueError:
        add(Finding("note", "yt-dlp", f"{version('yt-dlp')}: a version that is no date"))
    if "youtube.com" in settings.url and not any(map(shutil.which, _RUNTIMES)):
        add(
            Finding("warning", "yt-dlp", f"none of {', '.join(_RUNTIMES)} is on PATH; without one, the site gives out "
                    "few formats or none", "install deno")
        )  # fmt: skip
    add(Finding("ok", "ffmpeg", Path(ffmpeg_binary()).name))
    if settings.cookies is not None:
        cookies = Path(settings.cookies)
        if not cookies.is_file():
            add(Finding("error", "source.voxceleb.cookies", f"{cookies}: no such file", "export them from a browser"))
        elif "Cookie File" not in cookies.read_text(encoding="utf-8", errors="replace").partition("\n")[0]:
            text = f"{cookies} does not begin as Netscape's format does"
            add(Finding("warning", "source.voxceleb.cookies", text, "export them in that format"))


def _settled(root: Path) -> tuple[int, int]:
    """Count the clips that are there and the videos that are gone; estimated where there are many ledgers."""
    ledgers = sorted((root / LEDGER).glob("*.jsonl"))
    looked = ledgers[:: max(1, len(ledgers) // _LEDGERS)]
    clips = videos = 0
    for path in looked:
        for entry in Ledger(Store(root), path.stem).entries():
            of_utterance = entry.key.count("/") == 2
            clips += of_utterance and entry.outcome == "done"
            videos += not of_utterance and entry.outcome == "gone"
    times = len(ledgers) / len(looked) if looked else 1.0
    return round(clips * times), round(videos * times)
