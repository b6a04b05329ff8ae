"""Write the damaged voices and faces of a shard, as extraction and alignment write the undamaged ones.

The version takes the place of the utterance in all names, so the scripts that embed a shard embed a damaged one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.damage.faces import damaged_faces, measured_again
from avsieve.damage.manifest import Wanted, wanted
from avsieve.damage.sounds import damaged_voice
from avsieve.damage.surroundings import Surroundings
from avsieve.errors import TarError
from avsieve.faces.tables import DETECTION_SCHEMA
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import TarReader, TarWriter
from avsieve.storage.jpeg import image_of
from avsieve.storage.reasons import Reason
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import open_table, read_table, write_table
from avsieve.storage.wav import SAMPLE_RATE, samples_of, wav_bytes

# Lossless, so that a face is damaged as it was asked for and not by a second JPEG besides; the fastest level.
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1]


@dataclass(frozen=True)
class ShardFiles:
    """The files of a shard: those to read, or the damaged ones to write."""

    wav: Path
    """Tar of wavs."""
    extracted: Path
    """Status table of the extraction."""
    faces: Path
    """Tar of aligned faces."""
    detections: Path
    """A row per frame."""
    aligned: Path
    """Status table of the alignment."""


def damage_shard(
    table: Path, clean: ShardFiles, damaged: ShardFiles, *, noise: Sequence[Path] = (), rooms: Sequence[Path] = ()
) -> dict[str, Any]:
    """Write the damaged versions of a shard's utterances that a table asks for.

    What cannot be damaged, since there is no voice or no face, is a row of the status table with the code that it had.

    Parameters
    ----------
    table
        The table of damages, see `avsieve.damage.manifest.wanted`.
    clean, damaged
        To read, and to write.
    noise, rooms
        Folders of recordings and of impulse responses, at 16 kHz.

    Returns
    -------
    dict
        What the provenance says of it: versions by modality and kind, and numbers of recordings.

    Raises
    ------
    AvsieveError
        If the table asks for what is not known, a recording is wanted and there is none, or a face is no image.
    """
    cv2.setNumThreads(1)
    columns = ["utterance", "code", "detail"]
    extracted, aligned = (read_table(path, columns) for path in (clean.extracted, clean.aligned))
    asked = wanted(table, {*extracted["utterance"], *aligned["utterance"]})
    with TarReader(clean.wav) as wavs:
        around = Surroundings(wavs, noise, rooms)
        damage_voices(asked["audio"], wavs, around, damaged.wav, _known(extracted)).write(damaged.extracted)
    with TarReader(clean.faces) as faces:
        rows = FrameRows(clean.detections)
        damage_faces(asked["visual"], faces, rows, damaged.faces, _known(aligned)).write(damaged.aligned)
    rows.write(damaged.detections)
    counts = {modality: dict(Counter(version.kind for version in versions)) for modality, versions in asked.items()}
    return {"packages": ["numpy", "scipy", "opencv-python", "soundfile"], "versions_made": counts, **around.facts}


def _known(status: pd.DataFrame) -> dict[str, tuple[Reason, str]]:
    """Return what came of each utterance in a stage."""
    codes = (Reason(code) for code in status["code"])
    return dict(zip(status["utterance"], zip(codes, status["detail"], strict=True), strict=True))


def damage_voices(
    versions: Sequence[Wanted],
    wavs: TarReader,
    around: Surroundings,
    tar: Path,
    known: dict[str, tuple[Reason, str]],
) -> StatusTable:
    """Write a wav per version; return a row for each, with ``audio_s``."""
    status = StatusTable("damage_shard", audio_s="float64")
    with TarWriter(tar) as writer:
        for version in progress(versions, "damaged voices"):
            name = f"{version.utterance}.wav"
            if name not in wavs:
                status.add(version.version, *_lacking(version, known, Reason.NO_AUDIO), audio_s=np.nan)
                continue
            try:
                samples = samples_of(wavs.read(name), name)
            except TarError as error:
                status.add(version.version, Reason.AUDIO_UNDECODABLE, str(error), audio_s=np.nan)
                continue
            # Without a sample there is nothing to damage: the encoder tells of it, as of the undamaged one.
            voice = damaged_voice(samples, version, around) if len(samples) else samples
            writer.add(version.version, f"{version.version}.wav", wav_bytes(voice))
            status.add(version.version, *known[version.utterance], audio_s=len(voice) / SAMPLE_RATE)
    return status


def damage_faces(
    versions: Sequence[Wanted],
    faces: TarReader,
    rows: FrameRows,
    tar: Path,
    known: dict[str, tuple[Reason, str]],
) -> StatusTable:
    """Write the faces of each version and note the rows of their frames; return a row for each, with ``n_faces``."""
    status = StatusTable("damage_shard", n_faces="int64")
    with TarWriter(tar) as writer:
        for version in progress(versions, "damaged faces"):
            stored = {Path(name).stem: _image(faces, name, content) for name, content in faces.of(version.utterance)}
            if not stored:
                status.add(version.version, *_lacking(version, known, Reason.NO_FACES), n_faces=0)
                continue
            names = list(stored)
            damaged = {names[i]: face for i, face in damaged_faces(list(stored.values()), version).items()}
            for frame, face in damaged.items():
                writer.add(version.version, f"{version.version}/{frame}.png", _png(face))
            rows.add(version, damaged)
            status.add(version.version, n_faces=len(damaged))
    return status


def _lacking(version: Wanted, known: dict[str, tuple[Reason, str]], reason: Reason) -> tuple[Reason, str]:
    """Return why an utterance has nothing to damage, as its own stage said."""
    code, detail = known.get(version.utterance, (reason, ""))
    return (reason, "") if code is Reason.OK else (code, detail)


def _image(faces: TarReader, name: str, content: bytes) -> np.ndarray:
    image = image_of(content)
    if image is None:
        raise TarError(f"{faces.path}: member {name} is not an image; run align_faces again")
    return image


def _png(face: np.ndarray) -> bytes:
    done, png = cv2.imencode(".png", face, _PNG)
    if not done:
        raise RuntimeError(f"OpenCV could not encode an image of shape {face.shape}")
    return png.tobytes()


class FrameRows:
    """The rows of the table of detections that damaged faces have, with their sharpness and quality measured again."""

    def __init__(self, detections: Path) -> None:
        with open_table(detections, DETECTION_SCHEMA.names) as file:
            self._clean = file.read(columns=DETECTION_SCHEMA.names)
        frames = zip(*(self._clean[name].to_pylist() for name in ("utterance", "frame")), strict=True)
        self._row_of = {frame: row for row, frame in enumerate(frames)}
        self._rows: list[int] = []
        self._measures: dict[str, list[Any]] = {"utterance": [], "sharpness": [], "quality": []}

    def add(self, version: Wanted, faces: dict[str, np.ndarray]) -> None:
        """Note the rows of a version: frame -> its damaged face."""
        for frame, face in faces.items():
            row = self._row_of[version.utterance, frame]
            score, size_px, landmarks = (self._clean[n][row].as_py() for n in ("score", "size_px", "landmarks"))
            sharp, quality = measured_again(face, score, size_px, np.asarray(landmarks, np.float64))
            self._rows.append(row)
            for name, value in zip(self._measures, (version.version, sharp, quality), strict=True):
                self._measures[name].append(value)

    def write(self, path: Path) -> None:
        """Write the table."""
        table = self._clean.take(pa.array(self._rows, pa.int64()))
        for name, values in self._measures.items():
            at, field = table.schema.get_field_index(name), DETECTION_SCHEMA.field(name)
            table = table.set_column(at, field, pa.array(values, field.type))
        write_table(path, table.cast(DETECTION_SCHEMA))
