"""Find the bytes of a member in its archive, and the parts that they lie in."""

from __future__ import annotations

import zlib
from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import IO

from avsieve.media.index import AS_IT_IS, DEFLATED, PART_SEPARATOR, Place
from avsieve.media.slices import MediaSlice, read_slice
from avsieve.reasons import Reason
from avsieve.sources.archive.members import DEFLATED as DEFLATED_MEMBER
from avsieve.sources.archive.members import ENCRYPTED, STORED, TAR, TWICE, Member, joined
from avsieve.sources.archive.parts import Archive
from avsieve.sources.archive.zip_end import LOCAL_HEADER, LOCAL_SIGNATURE

_SIZES_FOLLOW = 0x8  # the header was written before the content, and its checksum stands behind that


class BadMemberError(Exception):
    """A member that cannot be used; the message goes into its row."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Locator:
    """Finds the bytes of members; archives are opened once, as they are asked for."""

    def __init__(self, archives: Iterable[Archive]) -> None:
        self._archives = {a.name: a for a in archives}
        self._ends = {
            a.name: list(accumulate(Path(p).stat().st_size for p in a.parts)) for a in self._archives.values()
        }
        self._views: dict[str, IO[bytes]] = {}

    def close(self) -> None:
        """Close the archives."""
        for view in self._views.values():
            view.close()

    def place(self, member: Member) -> Place:
        """Return where the bytes of a member lie, in as few parts as hold them.

        Raises
        ------
        BadMemberError
            If the member is encrypted or packed in another way than by deflate, is empty, or is not where the archive's
            directory says.
        """
        if member.packing == TWICE:
            raise BadMemberError(Reason.CLIP_TWICE, member.archive)
        if member.packing == ENCRYPTED:
            raise BadMemberError(Reason.ARCHIVE_PACKING, f"encrypted in {member.archive}; unpack the archive")
        if member.packing not in (TAR, STORED, DEFLATED_MEMBER):
            raise BadMemberError(
                Reason.ARCHIVE_PACKING,
                f"packed in {member.archive} by {member.packing}; stored and deflated members are read in place",
            )
        if member.archive not in self._archives:
            raise BadMemberError(Reason.ARCHIVE_BROKEN, f"{member.archive} was there when the run was planned")
        start = member.offset if member.packing == TAR else self._content(member)
        ends = self._ends[member.archive]
        if start + member.size > ends[-1]:
            raise BadMemberError(
                Reason.ARCHIVE_BROKEN,
                f"bytes {start} to {start + member.size} of {member.archive}, which has {ends[-1]}",
            )
        if member.size == 0:
            raise BadMemberError(Reason.MEDIA_EMPTY, f"0 bytes in {member.archive}")
        first, last = bisect_right(ends, start), bisect_right(ends, start + member.size - 1)
        parts = self._archives[member.archive].parts[first : last + 1]
        return Place(
            PART_SEPARATOR.join(parts),
            start - (ends[first - 1] if first else 0),
            member.size,
            DEFLATED if member.packing == DEFLATED_MEMBER else AS_IT_IS,
        )

    def _content(self, member: Member) -> int:
        """Return where a zip member's content begins: its own header may be longer than the directory's entry."""
        if member.archive not in self._views:
            self._views[member.archive] = joined(self._archives[member.archive])
        view = self._views[member.archive]
        view.seek(member.offset)
        head = view.read(LOCAL_HEADER.size)
        if len(head) < LOCAL_HEADER.size or not head.startswith(LOCAL_SIGNATURE):
            raise BadMemberError(
                Reason.ARCHIVE_BROKEN, f"no member at byte {member.offset} of {member.archive}, where one should begin"
            )
        _, _, marks, _, _, _, crc, _, _, name_length, extra_length = LOCAL_HEADER.unpack(head)
        if not marks & _SIZES_FOLLOW and crc != member.crc:
            raise BadMemberError(
                Reason.ARCHIVE_BROKEN,
                f"byte {member.offset} of {member.archive}: another member than planned",
            )
        return member.offset + LOCAL_HEADER.size + int(name_length) + int(extra_length)


def slice_of(place: Place) -> MediaSlice:
    """Return the bytes at a place; paths of archives are kept as the user gave them."""
    parts = tuple(Path(part) for part in place.path.split(PART_SEPARATOR))
    return MediaSlice(parts, place.offset, place.size, place.packing)


def verify(member: Member, media: MediaSlice) -> None:
    """Compare a zip member's checksum; a tar has none.

    Raises
    ------
    BadMemberError
        If it differs, or the packed bytes are damaged.
    """
    if member.packing == TAR:
        return
    try:
        found = zlib.crc32(read_slice(media))
    except zlib.error as error:
        raise BadMemberError(Reason.ARCHIVE_BROKEN, f"cannot be unpacked from {member.archive}: {error}") from error
    if found != member.crc:
        raise BadMemberError(
            Reason.ARCHIVE_BROKEN, f"checksum {found:08x}, the directory of {member.archive} has {member.crc:08x}"
        )
