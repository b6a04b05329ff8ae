"""From a downloaded file to the clips that lie in it: each is kept as it came, or cut out."""

from __future__ import annotations

import errno
import math
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from avsieve.media.cut import CutError, cut_clip
from avsieve.media.isolated import probe_duration_s
from avsieve.sources.containers import EXTENSIONS
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import Store
from avsieve.sources.urls.table import UrlRequest
from avsieve.storage.atomic import atomic_path, commit
from avsieve.storage.file_digest import sha256_of
from avsieve.storage.reasons import Reason

# Beginnings of containers (offset, bytes) -> the extension of a clip whose URL has none.
_CONTAINERS = [
    (8, b"M4A", ".m4a"), (8, b"qt  ", ".mov"), (4, b"ftyp", ".mp4"), (0, b"\x1aE\xdf\xa3", ".mkv"),
    (8, b"AVI ", ".avi"),
    (8, b"WAVE", ".wav"), (0, b"OggS", ".ogg"), (0, b"fLaC", ".flac"), (0, b"\x00\x00\x01\xba", ".mpg"),
    (0, b"\x00\x00\x01\xb3", ".mpg"), (0, b"ID3", ".mp3"),
]  # fmt: skip
SHORT_S = 0.5
"""A clip that is shorter than asked for by more than this is told."""
NO_SPACE = os.strerror(errno.ENOSPC)
"""What ffmpeg says, too, when the disk is full."""


def extension_of(url: str, path: Path) -> str:
    """Return the extension for a downloaded file: its URL's if that is one of a clip, else its container's."""
    named = Path(urlsplit(url).path).suffix.lower()
    if named in EXTENSIONS:
        return named
    with path.open("rb") as handle:
        head = handle.read(16)
    return next((e for offset, magic, e in _CONTAINERS if head[offset:].startswith(magic)), ".mp4")


def _record_done(
    store: Store, ledger: Ledger, utterance: str, request: UrlRequest, extension: str, **facts: Any
) -> None:
    path = store.clip_path(utterance, extension)
    duration_s = probe_duration_s(path)
    asked_s = (request.end_s or math.nan) - (request.start_s or 0)
    if asked_s - duration_s > SHORT_S:
        facts["detail"] = f"the video ends early: {duration_s:.2f} s of the {asked_s:.2f} s that were asked for"
    ledger.record(
        utterance,
        "done",
        request=request.to_text(),
        **facts,
        file=store.clip_name(utterance, extension),
        size=path.stat().st_size,
        duration_s=None if math.isnan(duration_s) else duration_s,
    )


def adopt_clip(store: Store, ledger: Ledger, utterance: str, request: UrlRequest) -> bool:
    """Take a clip that lies in the store and that no ledger knows: the user has put it there, or lost the ledger.

    Returns
    -------
    bool
        False if there is none, or if it does not have the checksum of the table.
    """
    folder = store.clip_path(utterance).parent
    if ledger.outcome(utterance) is not None or not folder.is_dir():
        return False
    for extension in EXTENSIONS:
        path = store.clip_path(utterance, extension)
        if not path.is_file() or not path.stat().st_size:
            continue
        if request.sha256 and not request.is_cut and sha256_of(path) != request.sha256:
            continue
        _record_done(store, ledger, utterance, request, extension)
        return True
    return False


def keep_clip(
    store: Store, ledger: Ledger, utterance: str, request: UrlRequest, source: Path, sha256: str, *, move: bool
) -> None:
    """Put the clip of an utterance into the store, and note it in the ledger.

    Parameters
    ----------
    source
        The whole file.
    sha256
        Its checksum.
    move
        Nobody needs ``source`` any more: where all of it is wanted it is moved, not copied.

    Raises
    ------
    AvsieveError
        If the ledger cannot be written.
    OSError
        If the disk is full.
    """
    extension = ".mp4" if request.is_cut else extension_of(request.url, source)
    path = store.clip_path(utterance, extension)
    for other in (store.clip_path(utterance, e) for e in EXTENSIONS if e != extension):
        other.unlink(missing_ok=True)  # of an earlier request, whose container was another
    try:
        if request.is_cut:
            cut_clip(source, path, request.start_s, request.end_s, fps=None)
        elif move:
            path.parent.mkdir(parents=True, exist_ok=True)
            commit(source, path)
        else:
            with atomic_path(path) as partial:
                shutil.copyfile(source, partial)
    except CutError as error:
        if NO_SPACE in str(error):
            raise OSError(errno.ENOSPC, NO_SPACE) from error
        facts = {"request": request.to_text(), "sha256": sha256, "detail": str(error)}
        ledger.record(utterance, "gone", Reason.CUT_FAILED, **facts)
        return
    _record_done(store, ledger, utterance, request, extension, sha256=sha256)
