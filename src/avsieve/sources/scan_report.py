"""What a scan has to say to people: what was passed over, which names are odd, and why nothing was found.

The run logs these findings, and the doctor shows the same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding
from avsieve.sources.layout import layouts_of_depth
from avsieve.sources.scan import HIDDEN, SYSTEM, Kind, Scan, kinds_in_words
from avsieve.storage.file_names import shown

_LEVELS = {"ok": logging.INFO, "note": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
# Folders that corpora have above the speakers.
_PARTS = frozenset(
    {"dev", "test", "train", "val", "valid", "eval", "mp4", "m4a", "aac", "wav", "video", "videos", "audio"}
)
logger = logging.getLogger(__name__)


def findings_of(scan: Scan, key: str) -> list[Finding]:
    """Return what there is to say about a folder in which clips were found; nothing where all is plain."""
    findings = []

    def add(level: str, text: str, remedy: str) -> None:
        findings.append(Finding(level, key, f"{shown(str(scan.root))}: {text}", remedy))  # type: ignore[arg-type]

    if scan.passed:
        notable = [kind for name, kind in scan.passed.items() if name not in (HIDDEN, SYSTEM)]
        first = max(notable or scan.passed.values(), key=lambda kind: kind.count).example
        add(
            "note" if notable else "ok",
            f"passed over as no clips: {kinds_in_words(scan.passed)}, such as {shown(first)}",
            f"if they are meant: the endings that are taken are {scan.wanted}" if notable else "",
        )
    if scan.depths and scan.clips:
        total = sum(kind.count for kind in scan.depths.values())
        add("warning", f"{count_of(total, 'clip')} passed over, at another depth than {scan.layout.text}: "
            f"{depths_in_words(scan.depths)}", f"if they are meant: {_layouts(scan, key)}")  # fmt: skip
    if scan.twice.count:
        add("warning", f"{count_of(scan.twice.count, 'utterance')} there twice, as {shown(scan.twice.example)}",
            "keep one file of each; until then they are rows with the reason clip_twice")  # fmt: skip
    if scan.odd.count:
        layout = scan.layout
        name = scan.odd.example.split("/")
        add("note", f"{scan.odd.count:,} with names that no id can have, which are written with =XX: "
            f"{shown(scan.odd.example)} is {layout.id_of(name)}", "")  # fmt: skip
    if scan.empty.count and scan.clips:
        add("note", f"{scan.empty.count:,} of {scan.seen:,} folders hold no clip, as {shown(scan.empty.example)}", "")
    return findings


def count_of(count: int, what: str) -> str:
    """Return a count in words: ``1 clip is``, ``2 clips are``."""
    return f"{count:,} {what} is" if count == 1 else f"{count:,} {what}s are"


def nothing_in(scan: Scan, key: str) -> AvsieveError:
    """Return the error for a folder without clips where the layout says: where they lie, and what would help."""
    root, layout = shown(str(scan.root)), scan.layout
    text = f"{key}: no clip at depth {layout.depth} under {root}, as {layout.text} has it"
    if not scan.depths:
        lies = kinds_in_words(scan.passed) or "no file"
        return AvsieveError(f"{text}, nor at another; it holds {lies}; endings that are taken: {scan.wanted}")
    return AvsieveError(f"{text}; {depths_in_words(scan.depths)}: {_layouts(scan, key)}")


def depths_in_words(depths: dict[int, Kind]) -> str:
    """Return at which depths clips lie, the most first."""
    ordered = sorted(depths.items(), key=lambda item: -item[1].count)
    return ", ".join(
        f"{kind.count:,} {'clip lies' if kind.count == 1 else 'clips lie'} at depth {depth}, as {shown(kind.example)}"
        for depth, kind in ordered[:3]
    )


def _layouts(scan: Scan, key: str) -> str:
    """Return what would take the clips that lie at another depth."""
    depth, kind = max(scan.depths.items(), key=lambda item: item[1].count)
    block = key.rpartition(".")[0]
    ways = []
    down = depth - scan.layout.depth
    parts = scan.too_high
    if 0 < down < depth and not scan.clips and (len(parts) == 1 or all(name.lower() in _PARTS for name in parts)):
        ways.append(f"{_key_word(key)} is {down} level{'s' * (down > 1)} too high: "
                    f"name {shown(str(scan.root / Path(*kind.example.split('/')[:down])))}")  # fmt: skip
    if down < 0:
        ways.append(f"if {shown(str(scan.root))} is one speaker's folder, name the folder above it")
    known = layouts_of_depth(depth)
    if depth == 1:
        ways.append(f"who speaks is not told by folders: name a table of the clips as {block}.table")
    elif known:
        ways.append(f"set {block}.layout: {' or '.join(known)}")
    return "; or ".join(ways)


def _key_word(key: str) -> str:
    return key.rpartition(".")[2]


def log(findings: Iterable[Finding]) -> None:
    """Tell findings in the log of a run."""
    for finding in findings:
        remedy = f"; {finding.remedy}" if finding.remedy else ""
        logger.log(_LEVELS[finding.level], "%s: %s%s", finding.subject, finding.text, remedy)
