"""What kind of bad a file is: from its bytes and from what the decoder says."""

from __future__ import annotations

import os
import zlib
from pathlib import Path

import av

from avsieve.media.slices import MediaSlice, read_slice
from avsieve.storage.reasons import Reason

# First bytes (offset, magic) of the containers that talking-head data comes in.
_MP4: list[tuple[int, bytes]] = [
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"free"), (4, b"wide"), (4, b"skip"),  # mp4, mov, m4a
]  # fmt: skip
_MAGIC: list[tuple[int, bytes]] = [
    *_MP4,
    (0, b"\x1aE\xdf\xa3"),  # mkv, webm
    (0, b"RIFF"), (0, b"OggS"), (0, b"fLaC"), (0, b"FLV"), (0, b"ID3"),
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"),  # MPEG program and video streams
    (0, b"\x30\x26\xb2\x75"),  # asf, wmv
    (0, b"nut/"), (0, b".RMF"), (0, b"FWS"), (0, b"CWS"), (0, b"\xb7\xd8\x00\x20"),  # nut, rm, swf, wtv
    (0, b"\x06\x0e\x2b\x34"), (0, b"\x1f\x07\x00"),  # mxf, dv
    (0, b"riff"), (0, b"RF64"), (0, b"FORM"), (0, b"caff"), (0, b".snd"), (0, b"NIST_1A"), (0, b"Creative Voice"),
    (0, b"\x64\xa3"), (0, b"wvpk"), (0, b"TTA1"), (0, b"#!AMR"),  # ircam, wavpack, true audio, amr
    (0, b"\x0b\x77"), (0, b"\x7f\xfe\x80\x01"),  # ac3, dts
]  # fmt: skip
# How the texts begin that servers send in place of a file: pages, and errors as JSON or XML.
_TEXTS = (b"<!doctype", b"<html", b"<head", b"<body", b"<?xml", b"<error", b'{"', b"{\n")
_HEAD = 4096


def _has(head: bytes, magics: list[tuple[int, bytes]]) -> bool:
    return any(head[offset : offset + len(magic)] == magic for offset, magic in magics)


def looks_like_media(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of an audio or video container."""
    if _has(head, _MAGIC):
        return True
    for first, length in ((0, 188), (4, 192)):  # MPEG transport stream, in m2ts with times: a sync byte a packet
        if len(head) > first + 2 * length and head[first] == head[first + length] == head[first + 2 * length] == 0x47:
            return True
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0  # MPEG audio or ADTS frame


def looks_like_a_page(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of a web page, or of a message in JSON or XML."""
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_TEXTS)


def classify_open_error(head: bytes, words: str = "") -> Reason:
    """Return the reason for a file that the decoder could not open, from its first bytes and the decoder's words."""
    if head and not any(head):
        return Reason.ZERO_FILLED
    if looks_like_a_page(head):
        return Reason.WEB_PAGE
    if _has(head, _MP4) and "moov atom not found" in words:
        return Reason.HEADER_MISSING
    return Reason.CONTAINER_BROKEN if looks_like_media(head) else Reason.NOT_MEDIA


def classify_failure(media: MediaSlice, error: Exception, words: str) -> Reason:
    """Return the reason for a clip that could not be opened or read.

    Parameters
    ----------
    media
        Where the clip lies.
    error
        What was raised: by the system, by zlib for a packed member of an archive, or by the decoder.
    words
        The decoder's messages.
    """
    if isinstance(error, zlib.error):
        return Reason.ARCHIVE_BROKEN
    # The decoder raises the system's errors as its own, and "invalid data" and "end of file" as Python's, too.
    if isinstance(error, OSError) and not isinstance(error, av.error.InvalidDataError | av.error.EOFError):
        return Reason.MEDIA_UNREADABLE
    return classify_open_error(read_slice(media, _HEAD), words)


def missing_part(media: MediaSlice) -> Path | None:
    """Return the first of a clip's files, or its folder, that is not there."""
    # Not `Path.is_file`, which raises where a name is too long for the disk.
    there = os.path.isdir if media.packing == "images" else os.path.isfile
    return next((p for p in media.paths if not there(p)), None)
