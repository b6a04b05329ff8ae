"""The clips in archives: where each begins, and how it is packed."""

from __future__ import annotations

import logging
import os
import stat
import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from avsieve.sources.archive.names import Naming
from avsieve.sources.archive.parts import Archive, joined
from avsieve.sources.archive.tars import clean_name, tar_members
from avsieve.sources.archive.zip_end import LOCAL_HEADER, check_whole
from avsieve.sources.containers import TwiceError, choose
from avsieve.sources.layout import Layout
from avsieve.storage.file_names import shown

logger = logging.getLogger(__name__)
TAR, STORED, DEFLATED, ENCRYPTED, SPARSE, LINK = "tar", "stored", "deflated", "encrypted", "sparse", "link"
TWICE = "twice"
_ENCRYPTED_FLAG, _UTF8_FLAG = 0x1, 0x800
_UNIX = 3
_LONGEST_LINK = 4096


class Member(NamedTuple):
    """A clip in an archive."""

    packing: str
    """``tar`` and ``stored``: bytes as they are; ``deflated``; what is not read: ``encrypted``, ``sparse``, ``link``
    (to what is not in the archive), ``method N``; ``twice`` where two members are the utterance, which ``archive``
    then names."""
    offset: int
    """Where its header begins (zip) or its bytes (tar), in the archive's parts joined."""
    size: int
    """Bytes in the archive."""
    crc: int
    """CRC-32 of the unpacked bytes (zip), or of the headers before them (tar)."""
    archive: str
    """The archive's name."""
    head: int = 0
    """Bytes of the headers before the content of a tar's member."""

    def to_text(self) -> str:
        """Return the member as a line, which a plan holds."""
        packing = self.packing.replace(" ", "-")
        return f"{packing} {self.offset} {self.head} {self.size} {self.crc:08x} {self.archive}"

    @classmethod
    def from_text(cls, text: str) -> Member:
        """Read such a line."""
        packing, offset, head, size, crc, archive = text.split(" ", 5)
        return cls(packing.replace("-", " "), int(offset), int(size), int(crc, 16), archive, int(head))


def _name_of(info: zipfile.ZipInfo) -> str:
    """Return a member's name: the bytes that stand there, which are UTF-8 more often than what zip files began with."""
    if info.flag_bits & _UTF8_FLAG:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a name in Unicode that stood beside it was taken
        return info.filename


def _zip_members(archive: Archive, naming: Naming) -> Iterator[tuple[str, Member]]:
    methods = {zipfile.ZIP_STORED: STORED, zipfile.ZIP_DEFLATED: DEFLATED}
    with joined(archive) as view:
        infos = check_whole(archive, view)
        for info in infos:
            info.filename = _name_of(info)
        links = {i.filename: _link_target(i, view) for i in infos if _is_link(i) and naming.is_clip(i.filename)}
    wanted = set(links.values())
    targets = {
        clean_name(i.filename): i for i in infos if wanted and clean_name(i.filename) in wanted and not _is_link(i)
    }
    infos.reverse()
    while infos:
        info = infos.pop()  # a million of them take half a gigabyte, which goes as the clips come
        name = info.filename
        if not naming.is_clip(name):
            continue
        if name in links:
            if links[name] not in targets:
                yield name, Member(LINK, info.header_offset, 0, 0, archive.name)
                continue
            info = targets[links[name]]
        packing = methods.get(info.compress_type, f"method {info.compress_type}")
        if info.flag_bits & _ENCRYPTED_FLAG:
            packing = ENCRYPTED
        yield name, Member(packing, info.header_offset, info.compress_size, info.CRC, archive.name)


def _is_link(info: zipfile.ZipInfo) -> bool:
    return info.create_system == _UNIX and stat.S_ISLNK(info.external_attr >> 16)


def _link_target(info: zipfile.ZipInfo, view: IO[bytes]) -> str:
    """Return the name that a link in a zip leads to, empty where it cannot be read: it is the member's content."""
    if info.compress_type != zipfile.ZIP_STORED or info.compress_size > _LONGEST_LINK:
        return ""
    view.seek(info.header_offset)
    *_, name_length, extra_length = LOCAL_HEADER.unpack(view.read(LOCAL_HEADER.size))
    view.seek(name_length + extra_length, os.SEEK_CUR)
    target = view.read(info.compress_size).decode(errors="replace")
    folder = info.filename.rpartition("/")[0]
    return clean_name(f"{folder}/{target}")


def _tar_members(archive: Archive, naming: Naming) -> Iterator[tuple[str, Member]]:
    packings = {"file": TAR, "sparse": SPARSE, "link": LINK}

    for name, offset, head, crc, size, kind in tar_members(archive, naming.is_clip):
        if kind in packings:
            yield name, Member(packings[kind], offset, size, crc, archive.name, head)
        else:
            naming.pass_over("devices or pipes", name)


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
        for name, member in _zip_members(archive, naming) if archive.is_zip else _tar_members(archive, naming):
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
    for packing in (LINK, SPARSE):
        if bad := [utterance for utterance, (_, member) in found.items() if member.packing == packing]:
            what = "lead to no file of their archive" if packing == LINK else "are sparse"
            logger.warning("%d clips %s and become rows with a reason: %s, …", len(bad), what, bad[0])
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
