"""Render people to train the shipped visual models on: frames with landmarks, disjoint from the embedded corpus.

People are drawn from the entropy ``[2, seed, person]``; the embedded corpus draws from ``[1, …]``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.runtime.progress import progress
from avsieve.storage.atomic import write_text
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.status import StatusTable
from avsieve.storage.tables import read_table, write_table
from avsieve.synthetic.faces.person import FPS, FaceRenderer, sample_face, sample_scene

TRAINING_ENTROPY = 2
TRUTH_COLUMNS = ["name", "utterance", "x1", "y1", "x2", "y2", "landmarks"]


class RenderedFrame(NamedTuple):
    """One frame of a training person."""

    utterance: str
    name: str
    jpeg: bytes
    box: np.ndarray
    landmarks: np.ndarray


def render_person(seed: int, person: int, scenes: int, frames: int) -> Iterator[RenderedFrame]:
    """Yield ``frames`` frames, 0.8 s apart, of each of a person's ``scenes`` videos, as JPEGs of varying quality."""
    rng = np.random.default_rng([TRAINING_ENTROPY, seed, person])
    face = sample_face(rng, "m" if person % 2 else "f")
    for scene in range(scenes):
        renderer = FaceRenderer(face, sample_scene(rng, face))
        utterance = f"p{person:05d}/v{scene:03d}/00001"
        start = int(rng.integers(0, 10 * FPS))
        for i in range(frames):
            mouth = float(rng.choice([0.0, rng.uniform(0, 0.5), rng.uniform(0, 1)]))
            lids = float(rng.choice([1.0, 0.5, 0.0], p=[0.9, 0.05, 0.05]))
            grain = (int(rng.integers(64)), int(rng.integers(64)))
            shown = renderer.frame((start + 20 * i) / FPS, mouth, lids, float(rng.normal(0, 0.018)), grain)
            quality = int(rng.integers(45, 98))
            jpeg = cv2.imencode(".jpg", shown.image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()
            yield RenderedFrame(utterance, f"{utterance}/{10 * (i + 1):04d}.jpg", jpeg, shown.box, shown.landmarks)


def render_people(
    tar: Path, truth: Path, train_list: Path, *, seed: int, first: int, people: int, scenes: int, frames: int
) -> StatusTable:
    """Write frames of the people ``first`` to ``first + people - 1`` as a shard, their truth, and a training list.

    Parameters
    ----------
    tar
        Shard of JPEGs, as `extract_media` writes it.
    truth
        Table of `TRUTH_COLUMNS`: box and landmarks (list<float32>[10], x and y in turn) of each frame, in pixels.
    train_list
        ``speaker wav seconds`` of every utterance.

    Returns
    -------
    StatusTable
        As extraction returns it, so that `align_faces` runs on rendered people too.
    """
    status = StatusTable("render_people")
    rows: list[tuple] = []
    lines: dict[str, str] = {}
    with TarWriter(tar) as out:
        for person in progress(range(first, first + people), "people"):
            for item in render_person(seed, person, scenes, frames):
                out.add(item.utterance, item.name, item.jpeg)
                rows.append((item.name, item.utterance, *item.box.tolist(), item.landmarks.reshape(-1)))
                lines[item.utterance] = f"p{person:05d} {item.utterance}.wav {0.8 * frames:.3f}"
    columns = dict(zip(TRUTH_COLUMNS, map(list, zip(*rows, strict=True)), strict=True))
    columns["landmarks"] = pa.array(columns["landmarks"], pa.list_(pa.float32()))
    write_table(truth, pa.table(columns))
    write_text(train_list, "".join(f"{line}\n" for line in lines.values()))
    for utterance in lines:
        status.add(utterance, n_frames=frames)
    return status


def read_truth(path: Path) -> pd.DataFrame:
    """Read the truth beside a shard of rendered people; see `render_people`."""
    return read_table(path, TRUTH_COLUMNS)
