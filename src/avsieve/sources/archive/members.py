"""The clips in archives: where each begins, and how it is packed."""

from __future__ import annotations

import io
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from avsieve.errors import AvsieveError
from avsieve.file_names import shown
from avsieve.media.slices import FileSlice
from avsieve.sources.archive.names import Naming
from avsieve.sources.archive.parts import Archive
from avsieve.sources.archive.zip_end import check_whole
from avsieve.sources.containers import TwiceError, choose
from avsieve.sources.layout import Layout

TAR, STORED, DEFLATED, ENCRYPTED = "tar", "stored", "deflated", "encrypted"
TWICE = "twice"
_ENCRYPTED_FLAG, _UTF8_FLAG = 0x1, 0x800
_PADDING = 1 << 20


class Member(NamedTuple):
    """A clip in an archive."""

    packing: str
    """``tar`` and ``stored``: bytes as they are; ``deflated``; ``encrypted``; ``method N``, which is not read;
    ``twice`` where two members are the utterance, which ``archive`` then names."""
    offset: int
    """Where its header begins (zip) or its bytes (tar), in the archive's parts joined."""
    size: int
    """Bytes in the archive."""
    crc: int
    """CRC-32 of the unpacked bytes; 0 in a tar, which has none."""
    archive: str
    """The archive's name."""

    def to_text(self) -> str:
        """Return the member as a line, which a plan holds."""
        return f"{self.packing.replace(' ', '-')} {self.offset} {self.size} {self.crc:08x} {self.archive}"

    @classmethod
    def from_text(cls, text: str) -> Member:
        """Read such a line."""
        packing, offset, size, crc, archive = text.split(" ", 4)
        return cls(packing.replace("-", " "), int(offset), int(size), int(crc, 16), archive)


def joined(archive: Archive) -> io.BufferedReader:
    """Open the parts of an archive as one file."""
    return io.BufferedReader(FileSlice(tuple(Path(p) for p in archive.parts), 0, archive.size))


def _name_of(info: zipfile.ZipInfo) -> str:
    """Return a member's name: the bytes that stand there, which are UTF-8 more often than what zip files began with."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a name in Unicode that stood beside it was taken
        return info.filename


def _zip_members(archive: Archive) -> Iterator[tuple[str, Member]]:
    methods = {zipfile.ZIP_STORED: STORED, zipfile.ZIP_DEFLATED: DEFLATED}
    with joined(archive) as view:
        infos = check_whole(archive, view)
    infos.reverse()
    while infos:
        info = infos.pop()  # a million of them take half a gigabyte, which goes as the clips come
        packing = methods.get(info.compress_type, f"method {info.compress_type}")
        if info.flag_bits & _ENCRYPTED_FLAG:
            packing = ENCRYPTED
        yield _name_of(info), Member(packing, info.header_offset, info.compress_size, info.CRC, archive.name)


def _tar_members(archive: Archive) -> Iterator[tuple[str, Member]]:
    done = 0
    try:
        with joined(archive) as view, tarfile.open(fileobj=view, mode="r:") as tar:
            for info in tar:
                tar.members = []  # type: ignore[attr-defined]  # else a million of them stay in memory
                done = info.offset_data + info.size
                if info.isreg() and not info.issparse():
                    yield info.name, Member(TAR, info.offset_data, info.size, 0, archive.name)
            done = tar.offset
            view.seek(done)
            # tarfile takes whatever is no header for the end. Behind a true end there are zeros, and few of them.
            if archive.size - done > _PADDING or any(view.read()):
                raise AvsieveError(
                    f"source.archive: {archive.name} ends at byte {done} of {archive.size}, and what follows is no "
                    "tar: a part is missing, damaged or in the wrong place, or these are several tars, whose names "
                    "should end with .tar"
                )
    except tarfile.TarError as error:
        raise AvsieveError(
            f"source.archive: {archive.name} cannot be read beyond byte {done} of {archive.size} ({error}): its last "
            "part is incomplete, or one of its parts is damaged or missing; bring it anew"
        ) from error


def find_members(
    archives: Iterable[Archive], layout: Layout | None = None, naming: Naming | None = None
) -> dict[str, Member]:
    """Return the clip of each utterance, by id: from the last parts of a member's name, whatever stands before.

    A member that is there twice under one name counts as it was written last, as everywhere. An utterance that is there
    as two members under two names has ``TWICE`` in place of one.

    Parameters
    ----------
    layout
        What the last parts of a name are; VoxCeleb's if not given.
    naming
        Gathers what was passed over, and how names were written.

    Raises
    ------
    AvsieveError
        If an archive is incomplete or holds no clip.
    """
    naming = naming or Naming(layout or Layout())
    found: dict[str, tuple[str, Member]] = {}
    for archive in archives:
        before = len(found)
        for name, member in _zip_members(archive) if archive.is_zip else _tar_members(archive):
            utterance = naming.utterance_of(name)
            if utterance is None:
                continue
            other = found.get(utterance)
            if other is not None and (name, archive.name) != (other[0], other[1].archive):
                found[utterance] = _one_of(other, (name, member), naming)
            else:
                found[utterance] = name, member
        if len(found) == before:
            raise naming.nothing_in(archive.name)
    return {utterance: member for utterance, (_, member) in found.items()}


def _one_of(first: tuple[str, Member], second: tuple[str, Member], naming: Naming) -> tuple[str, Member]:
    """Return the one of two members that is the utterance's clip, or that nobody can tell."""
    if first[1].packing == TWICE:
        return first
    labels = {f"{member.archive}: {name}": (name, member) for name, member in (first, second)}
    try:
        return labels[choose(labels) or ""]
    except TwiceError as error:
        told = " and ".join(map(shown, error.names))
        naming.twice.add(told)
        return "", Member(TWICE, 0, 0, 0, told)
