"""Look at folders before a run as the run itself will: the same scan, the same search for files, the same words."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.sources.containers import TwiceError
from avsieve.sources.findings import Finding, Level
from avsieve.sources.layout import Layout
from avsieve.sources.rows import is_of_sound, merged
from avsieve.sources.scan import Scan, in_order, scan_folder
from avsieve.sources.scan_report import findings_of
from avsieve.sources.tree.scan import Finder
from avsieve.storage.file_names import path_from_text, path_to_text, shown
from avsieve.storage.reasons import Reason

LOOK_S = 20.0
"""How long folders are read, or listed clips looked for, before the rest is estimated."""
PROBED = 12
MEASURED = 200


@dataclass
class Looked:
    """What was found out about one part (training or test) of a source."""

    count: int = 0
    """Number of utterances, estimated where not all was seen."""
    paths: dict[str, str] = field(default_factory=dict)
    """Id -> what the plan says of its path, of those that were seen."""
    speakers: set[str] = field(default_factory=set)
    is_whole: bool = True


def absent_folders(roots: dict[str, Path | None]) -> list[Finding]:
    """Return an error for each folder that is none."""
    return [
        Finding("error", key, f"{root} is not a folder",
                "give the folder that holds the speakers' folders; paths start where Snakemake runs")
        for key, root in roots.items() if root is not None and not root.is_dir()
    ]  # fmt: skip


def look_at_folders(roots: dict[str, Path], layout: Layout, look_s: float = LOOK_S) -> tuple[Looked, list[Finding]]:
    """Scan folders as planning does, for at most about ``look_s`` seconds each.

    Returns
    -------
    tuple
        What there is, and what is to be said: an error where planning would stop.
    """
    scans = [scan_folder(root, layout, sound=is_of_sound(key), look_s=look_s) for key, root in roots.items()]
    findings = []
    for key, scan in zip(roots, scans, strict=True):
        findings += findings_of(scan, key)
        if not scan.is_whole:
            text = f"{scan.root}: {scan.seen:,} of {len(scan.top):,} folders were read in {look_s:.0f} s"
            findings.append(Finding("note", key, f"{text}; counts are estimated from them"))
    looked = Looked(is_whole=all(scan.is_whole for scan in scans))
    try:
        looked.paths = merged(scans, list(roots))
    except AvsieveError as error:
        key = next(iter(roots))
        findings.append(Finding("error", key, str(error).removeprefix(f"{key}: "), "fix that, or the configuration"))
        return looked, findings
    times = max((_times(scan) for scan in scans), default=1.0)
    looked.count = round(len(looked.paths) * times)
    looked.speakers = {utterance.partition("/")[0] for utterance in looked.paths}
    return looked, findings


def _times(scan: Scan) -> float:
    return scan.estimate / len(scan.clips) if scan.clips else 1.0


@dataclass
class Searched:
    """What a search for the files of utterances has brought."""

    asked: int = 0
    codes: Counter[Reason] = field(default_factory=Counter)
    """Of those that are not as they should be."""
    examples: dict[Reason, str] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    """Some of the files that are there."""
    sizes: list[int] = field(default_factory=list)
    """Their bytes."""

    def findings(self, key: str, root: Path, what: str, *, known: bool = False) -> list[Finding]:
        """Return what there is to say about the files of ``what``.

        Parameters
        ----------
        known
            A scan has told already what is there twice.
        """
        found = []
        bad = self.codes.total()
        for code, count in self.codes.most_common():
            if known and code is Reason.CLIP_TWICE and count < self.asked:
                continue
            level: Level = "error" if bad == self.asked else "warning"
            text = f"{count:,} of {self.asked:,} {what} that were looked for: {_WORDS.get(code, code.value)}"
            remedy = "they become rows with a reason" if level == "warning" else _REMEDIES.get(code, _NAME_IT)
            found.append(Finding(level, key, f"{shown(str(root))}: {text}, as {self.examples[code]}", remedy))
        if not bad and self.asked:
            found.append(Finding("ok", key, f"{root}: all {self.asked:,} {what} that were looked for are there"))
        return found


_NAME_IT = "name the folder that holds the speakers' folders"
_WORDS = {
    Reason.MEDIA_MISSING: "not there",
    Reason.ENDING_UNKNOWN: "there under an ending that is not taken",
    Reason.CLIP_TWICE: "there as two files",
    Reason.MEDIA_EMPTY: "without bytes",
}
_REMEDIES = {
    Reason.ENDING_UNKNOWN: "convert them, or name them by their true endings",
    Reason.CLIP_TWICE: "keep one of each",
    Reason.MEDIA_EMPTY: "fetch them again",
}


def search(finder: Finder, paths: Sequence[tuple[str, str]], look_s: float = LOOK_S) -> Searched:
    """Look for the files of utterances as fetching does, in leaps, for at most about ``look_s`` seconds.

    Parameters
    ----------
    paths
        Id and path of each, as the plan has them.
    """
    done = Searched()
    until = time.monotonic() + look_s
    stride = max(1, len(paths) // MEASURED)
    for first in range(stride):
        for utterance, path in paths[first::stride]:
            _search_one(done, finder, utterance, path, keep=first == 0)
        if time.monotonic() > until:
            break
    return done


def _search_one(done: Searched, finder: Finder, utterance: str, path: str, *, keep: bool) -> None:
    done.asked += 1
    try:
        file = finder.find(path, utterance)
        code = None if file is not None else finder.why_missing(path)[0] or Reason.MEDIA_MISSING
    except TwiceError:
        file, code = None, Reason.CLIP_TWICE
    if file is not None:
        if file.size == 0:
            code = Reason.MEDIA_EMPTY
        if keep:
            done.files.append(finder.root / path_from_text(file.name))
            done.sizes.append(file.size)
    if code is not None:
        done.codes[code] += 1
        done.examples.setdefault(code, utterance)


def is_there(finders: Sequence[tuple[Finder, Layout, dict[str, str]]]) -> Callable[[str], bool]:
    """Return what tells whether one of some folders has an utterance.

    Parameters
    ----------
    finders
        For each: what finds its files, how they lie, and the paths that are known.
    """

    def there(utterance: str) -> bool:
        for finder, layout, known in finders:
            path = known.get(utterance)
            if path is None:
                real = None if finder.exact else layout.path_of(utterance)
                if real is None:
                    continue
                path = path_to_text(real)
            try:
                if finder.find(path, utterance) is not None:
                    return True
            except TwiceError:
                return True
        return False

    return there


def mean_duration_s(files: Sequence[Path], sizes: Sequence[int]) -> float:
    """Return the mean length by the headers of some files; NaN where none can be read."""
    try:
        from avsieve.media.isolated import probe_duration_s
    except ImportError:
        return math.nan
    usable = [file for file, size in zip(files, sizes, strict=True) if size]
    chosen = usable[:: max(1, len(usable) // PROBED)]
    known = [d for file in chosen if not math.isnan(d := probe_duration_s(file))]
    return sum(known) / len(known) if known else math.nan


def ordered(paths: dict[str, str]) -> list[tuple[str, str]]:
    """Return id and path of each utterance in the order of the ids."""
    return [(utterance, paths[utterance]) for utterance in in_order(paths)]
