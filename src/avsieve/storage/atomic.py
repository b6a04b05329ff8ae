"""Whole or absent: write beside, fsync, rename.

A reader never meets half a file, and a killed job leaves nothing behind but a ``.partial`` that the next run replaces.
A file has one writer at a time.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from avsieve.storage.lock import open_locked

ON_COMMIT: list[Callable[[Path], None]] = []
"""Called with each file that was written, once it has its name (`avsieve.runtime.records`)."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_LONGEST = 255  # bytes of a name on nearly every file system


def _fsync_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def commit(partial: Path, path: Path) -> None:
    """Make ``partial`` durable and give it its final name in one step."""
    with partial.open("rb") as handle:
        os.fsync(handle.fileno())
    partial.replace(path)
    _fsync_directory(path.parent)
    for told in ON_COMMIT:
        told(path)


def _partial_name(path: Path) -> str:
    """Return the name of a file in the making; a digest stands for a name that leaves no room for more."""
    name = f"{path.stem}.partial{path.suffix}"
    if len(os.fsencode(name)) <= _LONGEST:
        return name
    return f"{hashlib.blake2b(os.fsencode(path.name), digest_size=16).hexdigest()}.partial{path.suffix}"


def _refused(error: BaseException) -> OSError | None:
    """Return what the system said in the first place: some libraries wrap a full disk in errors of their own."""
    if isinstance(error, OSError):
        return error
    inner = error.__cause__ or error.__context__
    while inner is not None:
        if isinstance(inner, OSError) and inner.errno in _NO_ROOM:
            return inner
        inner = inner.__cause__ or inner.__context__
    return None


@contextmanager
def atomic_path(path: str | Path) -> Iterator[Path]:
    """Yield a path beside ``path`` to write to; it takes the final name only when the block ends without an error.

    The final suffix is kept (``x.partial.parquet``), since some writers choose their format by it.

    Raises
    ------
    AvsieveError
        If another process is writing the same file.
    OSError
        Of the block or of the system, such as a full disk; it names ``path`` where it named no file.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(_partial_name(path))
    locked = open_locked(partial, path)
    try:
        yield partial
        commit(partial, path)
    except BaseException as error:
        partial.unlink(missing_ok=True)
        refused = _refused(error)
        if refused is None:
            raise
        refused.filename = refused.filename or str(path)
        if refused is error:
            raise
        raise refused from error
    finally:
        os.close(locked)


def write_text(path: str | Path, text: str) -> None:
    """Write ``text`` as UTF-8 with Unix line ends, atomically."""
    with atomic_path(path) as partial:
        partial.write_text(text, encoding="utf-8", newline="\n")


def write_lines(path: str | Path, lines: Iterable[str]) -> None:
    """Write lines, which have their ends, as `write_text` does; a generator's are never in memory all at once."""
    with atomic_path(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as handle:
        handle.writelines(lines)


def write_json(path: str | Path, value: Any) -> None:
    """Write ``value`` as indented JSON with sorted keys, atomically; equal values give equal bytes."""
    write_text(path, json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
