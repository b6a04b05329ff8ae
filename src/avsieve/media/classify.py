"""What kind of bad a file is: from its first bytes and from what the decoder says."""

from __future__ import annotations

from avsieve.reasons import Reason

# First bytes (offset, magic) of the containers that talking-head data comes in.
_MAGIC: list[tuple[int, bytes]] = [
    (4, b"ftyp"), (4, b"moov"), (4, b"mdat"), (4, b"free"), (4, b"wide"), (4, b"skip"),  # mp4, mov, m4a
    (0, b"\x1aE\xdf\xa3"),  # mkv, webm
    (0, b"RIFF"), (0, b"OggS"), (0, b"fLaC"), (0, b"FLV"), (0, b"ID3"),
    (0, b"\x00\x00\x01\xba"), (0, b"\x00\x00\x01\xb3"),  # MPEG program and video streams
    (0, b"\x30\x26\xb2\x75"),  # asf, wmv
]  # fmt: skip


def looks_like_media(head: bytes) -> bool:
    """Tell whether the first bytes of a file are those of an audio or video container."""
    if any(head[offset : offset + len(magic)] == magic for offset, magic in _MAGIC):
        return True
    if len(head) > 376 and head[0] == head[188] == head[376] == 0x47:  # MPEG transport stream: a sync byte every 188
        return True
    return len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0  # MPEG audio or ADTS frame


def classify_open_error(head: bytes) -> Reason:
    """Return the reason for a file that the decoder could not open."""
    return Reason.CONTAINER_BROKEN if looks_like_media(head) else Reason.NOT_MEDIA
