"""Kaldi's archives (``.ark``) and script files (``.scp``), as Kaldi, kaldiio and WeSpeaker write them.

Written here, not taken from kaldiio: that library runs commands that a script file names, and unpickles what an archive
calls a pickle. Layouts after Kaldi's ``matrix/kaldi-vector.cc``, ``kaldi-matrix.cc`` and ``compressed-matrix.cc``.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np

from avsieve.embedding_files.places import Place, find_archive, short, split_offset
from avsieve.embedding_files.raw import Options, Raw, stack
from avsieve.embedding_files.text import decode
from avsieve.errors import AvsieveError

_PLAIN = {b"FV": ("<f4", 1), b"DV": ("<f8", 1), b"FM": ("<f4", 2), b"DM": ("<f8", 2)}
# Objects that are no vectors; kaldiio's own among them.
_OTHERS = {
    b"PKL": "a pickle, which could run code", b"NPY": "an npy", b"AUDIO": "sound", b"RIFF": "a wav", b"fLaC": "a flac",
}  # fmt: skip


class DamagedError(Exception):
    """The bytes at this place are no vector; the message says why."""


class Object(NamedTuple):
    """A vector (D,) or a matrix (n, D), and where the next entry begins."""

    value: np.ndarray
    end: int


def read_ark(place: Place, options: Options) -> Raw:
    """Read an archive: names and vectors in turn, binary or text.

    Raises
    ------
    AvsieveError
        If it ends early or holds anything but vectors, naming the entry.
    """
    data = _bytes_of(place.path, place.text)
    names: list[str] = []
    vectors: list[np.ndarray] = []
    at = 0
    while at < len(data):
        gap = data.find(b" ", at, at + 4096)
        if gap < 0:
            if not data[at : at + 4096].strip():
                break  # blank lines at the end
            raise AvsieveError(
                f"{place.text}: no name at byte {at:,} (entry {len(names) + 1:,}); not a Kaldi archive, or damaged"
            )
        name = data[at:gap].lstrip(b"\r\n").decode("utf-8", "replace")
        try:
            found = read_object(data, gap + 1)
        except DamagedError as error:
            raise AvsieveError(
                f"{place.text}: entry {len(names) + 1:,} ({short(name, 60)}): {error}; not a Kaldi archive of "
                "vectors, or damaged"
            ) from error
        names.append(name)
        vectors.append(found.value)
        at = found.end
    return stack(place.text, names, vectors, unit="entry", several=options.several)


def read_scp(place: Place, options: Options) -> Raw:
    """Read a script file: lines of a name and a place in an archive, ``id1/video/00001 some.ark:23``.

    Raises
    ------
    AvsieveError
        If a line names a command (none is ever run), an archive that is not there, or a place where no vector is.
    """
    names, vectors, numbers = [], [], []
    archives: dict[str, bytes | mmap.mmap] = {}
    for number, line in enumerate(decode(place.path).splitlines(), start=1):
        fields = line.split(maxsplit=1)
        if not fields:
            continue
        where = f"{place.text}: line {number}"
        if len(fields) == 1:
            raise AvsieveError(f"{where}: {short(line, 60)!r}; expected a name and a place in an archive (some.ark:23)")
        written = fields[1].strip()
        if written.startswith("|") or written.endswith("|"):
            raise AvsieveError(
                f"{where}: a command ({short(written, 60)!r}); commands are never run: write its output to an archive "
                "and name that"
            )
        name, offset = split_offset(written)
        if written.endswith("]"):
            raise AvsieveError(f"{where}: {short(written, 60)!r} is a part of a matrix; expected whole vectors")
        if name not in archives:
            archives[name] = _archive(place.path, name, where)
        try:
            vectors.append(read_object(archives[name], offset or 0).value)
        except DamagedError as error:
            raise AvsieveError(f"{where}: {short(written, 80)}: {error}; are script and archive of one run?") from error
        names.append(fields[0])
        numbers.append(number)
    return stack(place.text, names, vectors, unit="line", numbers=numbers, several=options.several)


def _archive(script: Path, name: str, where: str) -> bytes | mmap.mmap:
    path = find_archive(script, name)
    if path is None:
        raise AvsieveError(
            f"{where}: no file {short(name, 80)!r}, from here or beside {script.name}; put the archives beside it"
        )
    return _bytes_of(path, where)


def _bytes_of(path: Path, label: str) -> bytes | mmap.mmap:
    try:
        with path.open("rb") as handle:
            return mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) if path.stat().st_size else b""
    except (OSError, ValueError) as error:
        raise AvsieveError(f"{label}: {path} cannot be read ({error}); fix its permissions") from error


def read_object(data: bytes | mmap.mmap, at: int) -> Object:
    """Read the vector or matrix at a place.

    Raises
    ------
    DamagedError
        If there is none, or the file ends within it.
    """
    if at >= len(data):
        raise DamagedError(f"byte {at:,} is behind the end ({len(data):,} bytes)")
    if data[at : at + 2] != b"\0B":
        return _text(data, at)
    at += 2
    if data[at : at + 1] == b"\4":
        raise DamagedError("whole numbers; expected a vector of floats")
    kind = bytes(data[at : at + 4]).partition(b" ")[0]
    at += len(kind) + 1
    if kind in _PLAIN:
        code, dimensions = _PLAIN[kind]
        shape = []
        for _ in range(dimensions):
            (size, value), at = _unpack("<bi", data, at)
            if size != 4 or value < 0:
                raise DamagedError("a length that makes no sense")
            shape.append(value)
        return _numbers(data, at, code, shape)
    if kind in (b"CM", b"CM2", b"CM3"):
        return _compressed(data, at, kind)
    raise DamagedError(f"an object of the kind {kind.decode('ascii', 'replace')!r}; expected a vector")


def _unpack(layout: str, data: bytes | mmap.mmap, at: int) -> tuple[tuple, int]:
    size = struct.calcsize(layout)
    if at + size > len(data):
        raise DamagedError("the file ends early")
    return struct.unpack(layout, data[at : at + size]), at + size


def _numbers(data: bytes | mmap.mmap, at: int, code: str, shape: list[int]) -> Object:
    count = int(np.prod(shape, dtype=object)) if shape else 0
    end = at + count * np.dtype(code).itemsize
    if end > len(data):
        raise DamagedError("the file ends early")
    array = np.frombuffer(data, code, count, at) if count else np.zeros(0, code)
    return Object(array.reshape(shape) if count else array, end)


@np.errstate(all="ignore")  # damaged numbers become rows that are not finite
def _compressed(data: bytes | mmap.mmap, at: int, kind: bytes) -> Object:
    """Unpack a matrix of 8 or 16 bits a number; with ``CM`` each column has four percentiles of its own."""
    (least, span, rows, columns), at = _unpack("<ffii", data, at)
    if rows < 0 or columns < 0:
        raise DamagedError("a length that makes no sense")
    if kind != b"CM":
        code, top = ("<u2", 65535.0) if kind == b"CM2" else ("u1", 255.0)
        packed, end = _numbers(data, at, code, [rows, columns])
        return Object(np.float32(least) + packed.astype(np.float32) * np.float32(span / top), end)
    heads, at = _numbers(data, at, "<u2", [columns, 4])
    packed, end = _numbers(data, at, "u1", [columns, rows])
    if not packed.size:
        return Object(np.zeros(0, np.float32), end)
    p0, p25, p75, p100 = (np.float32(least) + heads.astype(np.float32) * np.float32(span / 65535.0)).T[:, :, None]
    value = packed.astype(np.float32)
    low, middle = p0 + (p25 - p0) * value / 64, p25 + (p75 - p25) * (value - 64) / 128
    high = p75 + (p100 - p75) * (value - 192) / 63
    return Object(np.where(value <= 64, low, np.where(value <= 192, middle, high)).T, end)


def _text(data: bytes | mmap.mmap, at: int) -> Object:
    """Read ``[ 0.1 0.2 ]``, or a matrix with a line for each row."""
    head = bytes(data[at : at + 64])
    for mark, name in _OTHERS.items():
        if head.startswith(mark):
            raise DamagedError(f"{name}; expected a vector")
    start = at + len(head) - len(head.lstrip(b" \t\r\n"))
    end = data.find(b"]", start)
    if data[start : start + 1] != b"[" or end < 0:
        raise DamagedError("no vector here")
    rows = [line.split() for line in bytes(data[start + 1 : end]).splitlines() if line.strip()]
    try:
        values = [np.array([float(word) for word in row], np.float32) for row in rows]
    except ValueError as error:
        raise DamagedError(short(str(error), 60)) from error
    if len({len(row) for row in values}) > 1:
        raise DamagedError("rows of different lengths")
    after = data[end + 1 : end + 3]
    skip = 2 if after == b"\r\n" else int(after[:1] == b"\n")
    return Object(
        np.stack(values) if len(values) > 1 else values[0] if values else np.zeros(0, np.float32), end + 1 + skip
    )
