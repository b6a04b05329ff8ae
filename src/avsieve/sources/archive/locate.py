"""Find the bytes of a member in its archive, and the parts that they lie in."""

from __future__ import annotations

import io
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from pathlib import Path

from avsieve.media.file_identity import Mark
from avsieve.media.index import AS_IT_IS, DEFLATED, PART_SEPARATOR, Place
from avsieve.media.slices import FileSlice, MediaSlice, checksum
from avsieve.sources.archive.members import DEFLATED as DEFLATED_MEMBER
from avsieve.sources.archive.members import ENCRYPTED, LINK, SPARSE, STORED, TAR, TWICE, Member
from avsieve.sources.archive.parts import Archive
from avsieve.sources.archive.zip_end import LOCAL_HEADER, LOCAL_SIGNATURE
from avsieve.storage.reasons import Reason

_SIZES_FOLLOW = 0x8  # the header was written before the content, and its checksum stands behind that
# What stands behind the content then (APPNOTE.TXT, section 4.3.9): most writers begin it with a signature.
DESCRIPTOR, DESCRIPTOR_SIGNATURE = 12, b"PK\x07\x08"
_OPEN = 16


class BadMemberError(Exception):
    """A member that cannot be used; the message goes into its row."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class Locator:
    """Finds the bytes of members; archives are opened as they are asked for, and only the last few stay open."""

    def __init__(self, archives: Iterable[Archive]) -> None:
        self._archives = {a.name: a for a in archives}
        self._views: dict[str, _OpenArchive] = {}

    def close(self) -> None:
        """Close the archives."""
        for view in self._views.values():
            view.close()

    def _open(self, name: str) -> _OpenArchive:
        view = self._views.pop(name, None) or _OpenArchive(self._archives[name])
        self._views[name] = view
        if len(self._views) > _OPEN:
            self._views.pop(next(iter(self._views))).close()
        return view

    def place(self, member: Member, utterance: str) -> Place:
        """Return where the bytes of a member lie, in as few parts as hold them and the header that names them.

        Raises
        ------
        BadMemberError
            If the member is encrypted or packed in another way than by deflate, is sparse, empty, a link that leads
            nowhere, or is not where the plan says.
        """
        where = member.archive
        if member.packing == LINK:
            raise BadMemberError(Reason.MEDIA_MISSING, f"{utterance} is a link to no file of {where}")
        if member.packing == TWICE:
            raise BadMemberError(Reason.CLIP_TWICE, member.archive)
        if member.packing == ENCRYPTED:
            raise BadMemberError(Reason.ARCHIVE_PACKING, f"encrypted in {where}; unpack the archive")
        if member.packing == SPARSE:
            raise BadMemberError(
                Reason.ARCHIVE_PACKING, f"sparse in {where}; unpack the archive, or pack it without --sparse"
            )
        if member.packing not in (TAR, STORED, DEFLATED_MEMBER):
            raise BadMemberError(
                Reason.ARCHIVE_PACKING,
                f"packed in {where} by {member.packing}; stored and deflated members are read in place",
            )
        if where not in self._archives:
            raise BadMemberError(Reason.ARCHIVE_BROKEN, f"{where} existed when the run was planned")
        view = self._open(where)
        start, marks = view.tar_member(member) if member.packing == TAR else view.zip_member(member)
        end = start + member.size
        if end > view.ends[-1]:
            raise BadMemberError(Reason.ARCHIVE_BROKEN, f"bytes {start} to {end} of {where}, which has {view.ends[-1]}")
        if member.size == 0:
            raise BadMemberError(Reason.MEDIA_EMPTY, f"0 bytes in {where}")
        first = bisect_right(view.ends, min([start, *(start + m.at for m in marks)]))
        last = bisect_right(view.ends, max([end, *(start + m.at + m.length for m in marks)]) - 1)
        return Place(
            PART_SEPARATOR.join(self._archives[where].parts[first : last + 1]),
            start - (view.ends[first - 1] if first else 0),
            member.size,
            DEFLATED if member.packing == DEFLATED_MEMBER else AS_IT_IS,
            PART_SEPARATOR.join(view.stamps[first : last + 1]),
            PART_SEPARATOR.join(map(str, marks)),
        )


class _OpenArchive:
    """An archive that is open, and what the system says of its parts."""

    def __init__(self, archive: Archive) -> None:
        files = FileSlice(tuple(Path(p) for p in archive.parts), 0, archive.size)
        self._name = archive.name
        self._view = io.BufferedReader(files)
        self.stamps = files.stamps
        self.ends = files.ends

    def close(self) -> None:
        self._view.close()

    def _read(self, at: int, length: int) -> bytes:
        self._view.seek(at)
        return self._view.read(length)

    def _another(self, at: int) -> BadMemberError:
        return BadMemberError(
            Reason.ARCHIVE_BROKEN,
            f"byte {at} of {self._name}: another member than planned; the archive was repacked, or is damaged",
        )

    def tar_member(self, member: Member) -> tuple[int, list[Mark]]:
        """Return where a tar's member begins, and the mark of the headers before it."""
        begin = member.offset - member.head
        mark = Mark.of(-member.head, self._read(begin, member.head))
        if mark.crc32 != member.crc:
            raise self._another(begin)
        return member.offset, [mark]

    def zip_member(self, member: Member) -> tuple[int, list[Mark]]:
        """Return where a zip's member begins, and the marks of its own header and of what stands behind it.

        Its own header may be longer than the directory's entry. The checksum of the content, by which a member is
        known, stands in it, or behind the content with or without a signature.
        """
        head = self._read(member.offset, LOCAL_HEADER.size)
        if len(head) < LOCAL_HEADER.size or not head.startswith(LOCAL_SIGNATURE):
            raise BadMemberError(
                Reason.ARCHIVE_BROKEN,
                f"no member at byte {member.offset} of {self._name}, where one should begin: the archive was "
                "repacked, or is damaged",
            )
        _, _, flags, _, _, _, crc, _, _, name_length, extra_length = LOCAL_HEADER.unpack(head)
        rest = self._view.read(int(name_length) + int(extra_length))
        start = member.offset + len(head) + len(rest)
        marks = [Mark.of(member.offset - start, head + rest)]
        if crc != member.crc and flags & _SIZES_FOLLOW:
            behind = self._read(start + member.size, DESCRIPTOR)
            marks.append(Mark.of(member.size, behind))
            crc = int.from_bytes(behind.removeprefix(DESCRIPTOR_SIGNATURE)[:4], "little")
        if crc != member.crc:
            raise self._another(member.offset)
        return start, marks


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
        found = checksum(media)
    except zlib.error as error:
        raise BadMemberError(Reason.ARCHIVE_BROKEN, f"cannot be unpacked from {member.archive}: {error}") from error
    if found != member.crc:
        raise BadMemberError(
            Reason.ARCHIVE_BROKEN, f"checksum {found:08x}, the directory of {member.archive} has {member.crc:08x}"
        )
