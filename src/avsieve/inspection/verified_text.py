"""What was verified, in words for a terminal."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from avsieve.inspection.verified import Verified
from avsieve.storage import paths as P
from avsieve.storage.file_names import shown

_MOST = 20  # findings of a kind that are shown, and files that a command names
_TITLES = {
    "damaged": "damaged: not what was written",
    "missing": "missing",
    "stale": "stale: made from what has changed since",
}


def remade(found: Verified) -> list[str]:
    """Return the files to make anew, as they are called in the folder that Snakemake runs in."""
    name = Path(found.folder).name or P.RESULTS
    return [f"{name}/{path}" for path in found.remake]


def verified_lines(found: Verified, *, quick: bool = False) -> Iterator[str]:
    """Yield the lines; ``quick`` where no content was read."""
    how = "by their sizes" if quick else "by their checksums"
    yield f"{found.folder}: {found.files:,} files of {found.jobs:,} jobs, {found.bytes / 1e9:,.2f} GB, checked {how}"
    for kind, title in _TITLES.items():
        those = [finding for finding in found.findings if finding.kind == kind]
        if those:
            yield ""
            yield f"{title} ({len(those):,})"
        for finding in those[:_MOST]:
            yield f"  {shown(finding.path)}: {'; '.join(shown(line) for line in finding.why)}"
        if len(those) > _MOST:
            yield f"  and {len(those) - _MOST:,} more (--json has them all)"
    if found.findings:
        yield ""
        yield f"make them anew, in the folder that Snakemake runs in{_following(found)}:"
        yield f"  {_command(found)}"
    else:
        yield "all is what was written, and nothing that it was made from has changed"
    if found.unrecorded:
        checked = "" if quick else ", of which tars and tables were checked by the checksums in them"
        yield f"{found.unrecorded:,} files have no record{checked}"
    if found.unread:
        some = ", ".join(shown(path) for path in found.unread[:3]) + (", …" if len(found.unread) > 3 else "")
        yield f"not here to compare with: {some}"


def _following(found: Verified) -> str:
    return f" ({found.follow:,} jobs that read them follow)" if found.follow else ""


def _command(found: Verified) -> str:
    files = remade(found)
    if len(files) > _MOST:
        return f"snakemake --cores all --forcerun $(avsieve verify {shlex.quote(found.folder)} --remake)"
    return f"snakemake --cores all --forcerun {shlex.join(files)}"
