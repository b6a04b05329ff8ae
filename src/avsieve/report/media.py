"""Faces and voices of single utterances, read from the tars by byte range, as data URIs."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from avsieve.report.clip_files import Box, ClipFiles, Place, frame_time
from avsieve.report.sound import compressed
from avsieve.storage.indexed_tar import TarReader
from avsieve.storage.jpeg import image_of, jpeg_of


def shard_name(tar: str | Path) -> str:
    """Return the shard of a tar: ``align/003.faces.tar`` -> ``003``."""
    return Path(tar).name.split(".", 1)[0]


@dataclass(frozen=True)
class Face:
    """A face of an utterance.

    Attributes
    ----------
    uri
        The image.
    name
        The frame: its member's name in the tar, without the ending.
    box
        Where it lies in that frame; None where it was not asked for, or is not known.
    """

    uri: str
    name: str
    box: Box | None = None

    @property
    def time_s(self) -> float | None:
        """When it is seen; None where the frame's name does not tell it."""
        return frame_time(self.name.rpartition("/")[2])

    @property
    def place(self) -> str:
        """Which frame it is from, and where in it."""
        frame = self.name.rpartition("/")[2]
        when = f" ({self.time_s:.2f} s)" if self.time_s is not None else ""
        return f"frame {frame}{when}{f': {self.box.words}' if self.box else ''}"

    @property
    def words(self) -> str:
        """The same, and of which utterance."""
        return f"{self.name.rpartition('/')[0]}, {self.place}"


class Media:
    """Open tars as they are needed; none of those given need hold an utterance that is asked for.

    Parameters
    ----------
    faces, wavs
        The tars of aligned faces and of wavs.
    shard_of
        The shard of each utterance (the plan's).
    clips, boxes, roots
        See `avsieve.report.clip_files.ClipFiles`.
    """

    def __init__(
        self,
        faces: Sequence[Path],
        wavs: Sequence[Path],
        shard_of: Mapping[str, str],
        *,
        clips: Sequence[Path] = (),
        boxes: Sequence[Path] = (),
        roots: Sequence[Path] = (),
    ) -> None:
        self._tars = {"face": {shard_name(p): p for p in faces}, "wav": {shard_name(p): p for p in wavs}}
        self._shard_of = shard_of
        self._files = ClipFiles(clips, boxes, shard_of, roots=roots)
        self._open: dict[tuple[str, str], TarReader] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _reader(self, what: str, utterance: str) -> TarReader | None:
        shard = self._shard_of.get(utterance, "")
        tar = self._tars[what].get(shard)
        if tar is None:
            return None
        if (what, shard) not in self._open:
            self._open[what, shard] = self._stack.enter_context(TarReader(tar))
        return self._open[what, shard]

    def faces(self, utterance: str, most: int, size: int = 80, *, boxes: bool = False) -> list[Face]:
        """Return up to ``most`` faces, evenly over the utterance, as JPEG data URIs of ``size`` x ``size`` pixels.

        ``boxes`` looks up where they lie in their frames.
        """
        reader = self._reader("face", utterance)
        members = [] if reader is None else list(reader.of(utterance))
        if len(members) > most:
            members = [members[i] for i in np.linspace(0, len(members) - 1, most).round().astype(int)]
        known = self._files.boxes(utterance) if boxes and members else {}
        found = []
        for member, content in members:
            name = member.removesuffix(".jpg")
            if (uri := _small_jpeg(content, size)) is not None:
                found.append(Face(uri, name, known.get(name.rpartition("/")[2])))
        return found

    def places(self, utterance: str) -> list[Place]:
        """Return the files of an utterance: its clip, its wav and its faces, as far as the run has them."""
        found = self._files.clip(utterance)
        wav, face = self._reader("wav", utterance), self._reader("face", utterance)
        name = f"{utterance}.wav"
        if wav is not None and name in wav:
            found.append(Place("wav", f"{wav.path.as_posix()}: {name}"))
        if face is not None and (members := [member for member, _ in face.of(utterance)]):
            found.append(Place("faces", f"{face.path.as_posix()}: {members[0]} and {len(members) - 1:,} more"))
        return found

    def voice(self, utterance: str, most_s: float) -> str | None:
        """Return the first ``most_s`` seconds of the utterance's sound as a data URI, or None where there is none."""
        if most_s <= 0:
            return None
        reader = self._reader("wav", utterance)
        name = f"{utterance}.wav"
        if reader is None or name not in reader:
            return None
        found = compressed(reader.read(name), most_s)
        return None if found is None else _data_uri(*found)


def _data_uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def _small_jpeg(content: bytes, size: int) -> str | None:
    """Return the image at another size; None where it cannot be decoded (its stage has reported that)."""
    image = image_of(content)
    if image is None:
        return None
    small = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return _data_uri("image/jpeg", jpeg_of(small, 82))
