"""The clips in archives: where each begins, and how it is packed."""

from __future__ import annotations

import logging
import os
import stat
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import IO, NamedTuple

from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id
from avsieve.sources.archive.parts import Archive, joined
from avsieve.sources.archive.tars import clean_name, tar_members
from avsieve.sources.archive.zip_end import LOCAL_HEADER, check_whole
from avsieve.sources.containers import choose, stem_of

logger = logging.getLogger(__name__)
TAR, STORED, DEFLATED, ENCRYPTED, SPARSE, LINK = "tar", "stored", "deflated", "encrypted", "sparse", "link"
_ENCRYPTED_FLAG = 0x1
_UNIX = 3
_LONGEST_LINK = 4096


class Member(NamedTuple):
    """A clip in an archive."""

    packing: str
    """``tar`` and ``stored``: bytes as they are; ``deflated``; what is not read: ``encrypted``, ``sparse``, ``link``
    (to what is not in the archive), ``method N``."""
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


def _zip_members(archive: Archive, passed: Counter[str]) -> Iterator[tuple[str, Member]]:
    methods = {zipfile.ZIP_STORED: STORED, zipfile.ZIP_DEFLATED: DEFLATED}
    with joined(archive) as view:
        infos = check_whole(archive, view)
        links = {i.filename: _link_target(i, view) for i in infos if _is_link(i) and is_clip(i.filename)}
    wanted = set(links.values())
    targets = {
        clean_name(i.filename): i for i in infos if wanted and clean_name(i.filename) in wanted and not _is_link(i)
    }
    infos.reverse()
    while infos:
        info = infos.pop()  # a million of them take half a gigabyte, which goes as the clips come
        name = info.filename
        if not is_clip(name):
            if not info.is_dir():
                passed[kind_of(name)] += 1
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


def _tar_members(archive: Archive, passed: Counter[str]) -> Iterator[tuple[str, Member]]:
    packings = {"file": TAR, "sparse": SPARSE, "link": LINK}

    def wanted(name: str) -> bool:
        if is_clip(name):
            return True
        passed[kind_of(name)] += 1
        return False

    for name, offset, head, crc, size, kind in tar_members(archive, wanted):
        if kind in packings:
            yield name, Member(packings[kind], offset, size, crc, archive.name, head)
        else:
            passed["devices or pipes"] += 1


def is_clip(name: str) -> bool:
    """Tell by a member's name whether it may be a clip."""
    return utterance_of(name) is not None


def kind_of(name: str) -> str:
    """Return what to call a member that is no clip."""
    parts = name.replace("\\", "/").split("/")
    if "__MACOSX" in parts or parts[-1].startswith("."):
        return "hidden"
    return os.path.splitext(parts[-1])[1].lower() or "without ending"  # noqa: PTH122 - a Path for each is slow


def utterance_of(name: str) -> str | None:
    """Return the id that a member's name ends with, None for what is no clip."""
    parts = name.replace("\\", "/").split("/")
    stem = stem_of(parts[-1])
    if stem is None or "__MACOSX" in parts:
        return None
    return "/".join([*parts[-3:-1], stem])


def passed_words(passed: Counter[str]) -> str:
    """Return in words how many members of which kind were passed over."""
    return ", ".join(f"{count:,} {kind}" for kind, count in passed.most_common())


def find_members(archives: Iterable[Archive], passed: Counter[str] | None = None) -> dict[str, Member]:
    """Return the clip of each utterance, by id: the last three parts of a member's name, whatever stands before.

    A member that is there twice under one name counts as it was written last, as everywhere.

    Parameters
    ----------
    archives
        To be listed.
    passed
        Gathers how many members of which kind are no clips; they are logged in one line either way.

    Raises
    ------
    AvsieveError
        If an archive is incomplete, holds no clip, or an utterance is there as two videos under two names.
    """
    found: dict[str, tuple[str, Member]] = {}
    shallow: list[str] = []
    others: Counter[str] = Counter()
    for archive in archives:
        before = len(found)
        for name, member in _zip_members(archive, others) if archive.is_zip else _tar_members(archive, others):
            utterance = utterance_of(name) or ""
            if not is_valid_id(utterance):
                if utterance.count("/") < 2:
                    shallow.append(f"{archive.name}: {name}")
                    continue
                parse_id(utterance)  # raises, and says what is wrong
            other = found.get(utterance)
            if other is not None and (name, archive.name) != (other[0], other[1].archive):
                labels = {f"{m.archive}: {n}": (n, m) for n, m in (other, (name, member))}
                found[utterance] = labels[choose(labels) or ""]
            else:
                found[utterance] = name, member
        if len(found) == before:
            raise AvsieveError(
                f"source.archive: {archive.name} holds no clip of its own; expected …/speaker/video/utterance.mp4"
                + (f"; it has {shallow[0]}" if shallow else "")
            )
    if shallow:
        others["less than two folders deep"] += len(shallow)
        logger.warning("%d members lie in less than two folders and are passed over: %s, …", len(shallow), shallow[0])
    if others:
        logger.info("members passed over: %s", passed_words(others))
    for packing in (LINK, SPARSE):
        if bad := [utterance for utterance, (_, member) in found.items() if member.packing == packing]:
            what = "lead to no file of their archive" if packing == LINK else "are sparse"
            logger.warning("%d clips %s and become rows of reasons: %s, …", len(bad), what, bad[0])
    if passed is not None:
        passed.update(others)
    return {utterance: member for utterance, (_, member) in found.items()}
