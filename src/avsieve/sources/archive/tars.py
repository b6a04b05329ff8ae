"""The members of a tar: what each is, where its bytes lie, and what its header says."""

from __future__ import annotations

import logging
import posixpath
import tarfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

from avsieve.errors import AvsieveError
from avsieve.sources.archive.parts import Archive, joined

logger = logging.getLogger(__name__)
_CHUNK = 1 << 20
_MANY_ZEROS = 16 << 20
"""Zeros behind the end of a tar that no record is as long as: space that a download reserved and did not fill?"""
_LONGEST_CHAIN = 8


class TarMember(NamedTuple):
    """A file in a tar, or a link to one."""

    name: str
    offset: int
    """Where its bytes begin."""
    head: int
    """Bytes of its headers, which lie right before."""
    head_crc: int
    """CRC-32 of them: a tar has no checksum of the content, and the header has name, size and time."""
    size: int
    kind: str
    """``file``, ``sparse`` (which is not read in place), ``link`` (that leads to no file of the tar) or ``other``."""


def tar_members(archive: Archive, wanted: Callable[[str], bool]) -> Iterator[TarMember]:
    """Yield the members whose names are ``wanted``; a link is given as the file that it leads to.

    Raises
    ------
    AvsieveError
        If the tar is cut off or damaged, or something else follows its end.
    """
    links: dict[str, str] = {}
    for info, member in _walk(archive, wanted):
        if info.islnk():
            links[member.name] = clean_name(info.linkname)
        elif info.issym():
            links[member.name] = clean_name(posixpath.join(posixpath.dirname(member.name), info.linkname))
        else:
            links.pop(member.name, None)  # what was written last counts
            yield member
    if links:
        yield from _resolved(archive, links)


def _resolved(archive: Archive, links: dict[str, str]) -> Iterator[TarMember]:
    """Yield each link as the file that it leads to; the tar is read once more, since nobody keeps a million names."""
    targets = {}
    by_name = {clean_name(name): target for name, target in links.items()}
    for name, target in links.items():
        for _ in range(_LONGEST_CHAIN):
            target = by_name.get(target, target)
        targets[name] = target
    needed = set(targets.values())
    found = {
        clean_name(m.name): m for _, m in _walk(archive, lambda name: clean_name(name) in needed) if m.kind != "link"
    }
    for name, target in targets.items():
        there = found.get(target)
        yield there._replace(name=name) if there else TarMember(name, 0, 0, 0, 0, "link")


def clean_name(name: str) -> str:
    """Return a member's name as links name it: without `./`, `..` and a leading slash."""
    return posixpath.normpath(name).lstrip("/")


def _kind(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "link"
    if info.issparse():
        return "sparse"
    return "file" if info.isreg() else "other"


def _walk(archive: Archive, wanted: Callable[[str], bool]) -> Iterator[tuple[tarfile.TarInfo, TarMember]]:
    done = 0
    try:
        with joined(archive) as view, joined(archive) as heads, tarfile.open(fileobj=view, mode="r:") as tar:
            for info in tar:
                tar.members = []  # type: ignore[attr-defined]  # else a million of them stay in memory
                done = info.offset_data + info.size
                if info.isdir() or not wanted(info.name):
                    continue
                head = info.offset_data - info.offset
                heads.seek(info.offset)
                crc = zlib.crc32(heads.read(head))
                yield info, TarMember(info.name, info.offset_data, head, crc, info.size, _kind(info))
            _check_end(archive, heads, tar.offset)
    except tarfile.TarError as error:
        raise AvsieveError(
            f"source.archive: {archive.name} cannot be read beyond byte {done} of {archive.size} ({error}): its last "
            "part is incomplete, or one of its parts is damaged or missing; fetch it again"
        ) from error


def _check_end(archive: Archive, view: IO[bytes], end: int) -> None:
    """Look behind the end: tarfile takes whatever is no header for it. Behind a true one there are zeros alone."""
    view.seek(end)
    while chunk := view.read(_CHUNK):
        if any(chunk):
            raise AvsieveError(
                f"source.archive: {archive.name} ends at byte {end} of {archive.size}, and what follows is no "
                "tar: a part is missing, damaged or in the wrong place, or these are several tars, whose names "
                "should end with .tar"
            )
    if archive.size - end > _MANY_ZEROS:
        logger.warning(
            "%s ends at byte %d of %d, and zeros follow: if it was downloaded, compare its checksum, since the rest "
            "may not have come", archive.name, end, archive.size,
        )  # fmt: skip
