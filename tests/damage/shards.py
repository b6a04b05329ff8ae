"""A small shard of voices and faces, and tables of damages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.damage.damaged_tars import ShardFiles
from avsieve.damage.kinds import KINDS
from avsieve.damage.manifest import Wanted
from avsieve.faces.tables import DETECTION_SCHEMA
from avsieve.faces.template import TEMPLATE
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.tables import write_table
from avsieve.storage.wav import wav_bytes
from avsieve.synthetic.voices.corpus import person_voice
from avsieve.synthetic.voices.person import sample_channel, synthesise

N = 24_000


def wanted_of(kind: str, *, seed: int = 1, utterance: str = "a/v/1", **parameters: Any) -> Wanted:
    modality = next(modality for modality, kinds in KINDS.items() if kind in kinds)
    return Wanted(f"{utterance}@x", utterance, kind, KINDS[modality][kind](**parameters), seed)


def speech_like(n: int = N, seed: int = 0) -> np.ndarray:
    """Noise that rises and falls as syllables do, at a level of speech; int16."""
    rng = np.random.default_rng(seed)
    syllables = np.abs(np.sin(np.pi * 4 * np.arange(n) / 16_000)) ** 3
    return np.round(rng.standard_normal(n) * syllables * 2500).astype(np.int16)


def voice(person: int, seed: int, seconds: float = 1.5) -> np.ndarray:
    """A synthetic person's; int16."""
    rng = np.random.default_rng(seed)
    wave, _ = synthesise(person_voice(7, person), sample_channel(rng), seconds, rng)
    return np.round(wave * 32767).astype(np.int16)


def face(seed: int) -> np.ndarray:
    """Blotches with fine detail, (112, 112, 3) uint8."""
    rng = np.random.default_rng(seed)
    blotches = rng.uniform(40, 200, (7, 7, 3)).repeat(16, 0).repeat(16, 1)
    return np.clip(blotches + rng.normal(0, 12, (112, 112, 3)), 0, 255).astype(np.uint8)


def write_shard(
    folder: Path, voices: dict[str, np.ndarray], faces: dict[str, Sequence[np.ndarray]], **codes: str
) -> ShardFiles:
    """Write a shard as extraction and alignment do; ``codes``: utterances ``x/v/<name>`` that failed in both."""
    folder.mkdir(exist_ok=True)
    files = files_of(folder)
    with TarWriter(files.wav) as wavs:
        for utterance, samples in voices.items():
            wavs.add(utterance, f"{utterance}.wav", wav_bytes(samples))
    rows = []
    with TarWriter(files.faces) as tar:
        for utterance, images in faces.items():
            for i, image in enumerate(images):
                frame = f"{10 * (i + 1):04d}"
                tar.add(utterance, f"{utterance}/{frame}.jpg", jpeg_of(image, 95))
                empty = dict.fromkeys(DETECTION_SCHEMA.names)
                found = {"n_faces": 1, "score": 0.8, "size_px": 90.0, "landmarks": TEMPLATE.reshape(-1).tolist()}
                rows.append(empty | found | {"utterance": utterance, "frame": frame, "quality": 0.5, "code": "ok"})
    write_table(files.detections, pa.Table.from_pylist(rows, DETECTION_SCHEMA))
    failed = {f"x/v/{name}": code for name, code in codes.items()}
    for path, present in ((files.extracted, voices), (files.aligned, faces)):
        known = dict.fromkeys(present, "ok") | failed
        write_table(path, pd.DataFrame({"utterance": list(known), "code": list(known.values()), "detail": "why"}))
    return files


def files_of(folder: Path) -> ShardFiles:
    return ShardFiles(
        folder / "000.wav.tar",
        folder / "000.extracted.parquet",
        folder / "000.faces.tar",
        folder / "000.detections.parquet",
        folder / "000.aligned.parquet",
    )


def row(condition: str, utterance: str, modality: str, kind: str, seed: int = 1, **parameters: Any) -> dict[str, Any]:
    """A row of the table of damages."""
    return {
        "condition": condition, "utterance": utterance, "side": "test", "modality": modality, "kind": kind,
        "parameters": json.dumps(parameters), "seed": seed, "level": "signal", "version": f"{utterance}@{condition}",
    }  # fmt: skip


def write_rows(path: Path, *rows: dict[str, Any]) -> Path:
    write_table(path, pd.DataFrame(list(rows)).astype({"seed": "int64"}))
    return path
