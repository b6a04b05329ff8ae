"""A made-up run to review: every person has a face, a voice and a name, and some labels are wrong on purpose.

    results = made_up_results(tmp_path)  # then: avsieve review results

Faces and voices are drawn so that people who look can tell them apart: each person has a colour of skin and hair, a
distance of the eyes and a pitch. A wrong utterance shows and sounds the person who is suggested for it.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pandas as pd
import pyarrow as pa

from avsieve.cleansing.scores import Evidence, Scores, write_scores
from avsieve.cleansing.settings import Cleansing
from avsieve.lists.train_list import write_clean_list, write_train_list
from avsieve.storage import paths as P
from avsieve.storage.atomic import write_json
from avsieve.storage.ids import shard_names, shard_of
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.jpeg import jpeg_of
from avsieve.storage.tables import write_table
from avsieve.storage.wav import SAMPLE_RATE, wav_bytes

SHARDS, FACES = 2, 10
"""Shards of the run, and aligned faces of an utterance: more than a page shows."""


class Row(NamedTuple):
    """An utterance: its label, who is heard and seen, and what was made of it."""

    utterance: str
    speaker: int
    video: int
    heard: int
    seen: int
    kind: str
    p_audio: float
    p_visual: float
    seconds: float

    @property
    def p(self) -> float:
        return max(self.p_audio, self.p_visual)

    @property
    def other(self) -> int:
        """Who it is where the label is wrong, else the label."""
        return self.heard if self.heard != self.speaker else self.seen


def made_up_results(
    folder: str | Path,
    speakers: int = 6,
    videos: int = 4,
    utterances: int = 3,
    faces: bool = True,
    voices: bool = True,
    seed: int = 0,
) -> Path:
    """Write the results of a run that nobody ran; return ``<folder>/results``.

    Parameters
    ----------
    folder
        The folder that Snakemake would have run in.
    speakers, videos, utterances
        How many people, videos of each, and clips of each video. The first video of person 0, 3, 6, ... is the next
        person's whole; of persons 1, 4, ... the first clip has the next person's voice, and of 2, 5, ... the face.
    faces, voices
        Whether tars of aligned faces and of sound are there; with neither it is a run of embeddings alone.
    seed
        Of the numbers; equal seeds give equal bytes.
    """
    results = Path(folder) / P.RESULTS
    rng = np.random.default_rng(seed)
    names = [f"id{k + 1:05d}" for k in range(speakers)]
    rows = _rows(names, videos, utterances, rng)
    ids = [row.utterance for row in rows]
    seconds = [f"{row.seconds:.2f}" for row in rows]
    decision = np.array(["noisy" if row.kind else "clean" for row in rows], dtype=object)
    write_table(P.below(results, P.lists.decisions), _decisions(rows, names, decision, rng))
    similarity = [np.array([1 - getattr(row, f"p_{m}") for row in rows], np.float32) for m in ("audio", "visual")]
    write_clean_list(P.below(results, P.lists.flagged), ids, seconds, *similarity, decision == "clean")
    write_train_list(P.below(results, P.lists.all), ids, seconds)
    summary = {"settings": Cleansing().model_dump(), "estimated": None, "warnings": {}}
    write_json(P.below(results, P.lists.summary), summary)
    _write_scores(results, rows, names, similarity, rng)
    labels = np.array(shard_names(SHARDS), dtype=object)
    plan = pd.DataFrame(
        {
            "utterance": ids,
            "speaker": [names[row.speaker] for row in rows],
            "video": [name.rpartition("/")[0] for name in ids],
            "subset": "train",
            "held_out": False,
            "shard": [labels[shard_of(names[row.speaker], SHARDS)] for row in rows],
            "path": "",
            "seconds": seconds,
        }
    )
    write_table(P.below(results, P.plan.utterances), plan)
    write_json(P.below(results, P.plan.source), {"kind": "tree" if faces or voices else "embeddings"})
    for shard in labels:
        inside = [row for row, place in zip(rows, plan["shard"], strict=True) if place == shard]
        write_table(P.below(results, P.plan.shard, shard=shard), plan[plan["shard"] == shard])
        if faces:
            _write_faces(P.below(results, P.align.faces, shard=shard), inside, seed)
        if voices:
            _write_voices(P.below(results, P.extract.wav, shard=shard), inside, seed)
    return results


def _rows(names: list[str], videos: int, utterances: int, rng: np.random.Generator) -> list[Row]:
    rows = []
    for k, name in enumerate(names):
        other = (k + 1) % len(names)
        for v in range(videos):
            for u in range(utterances):
                kind = ""
                if v == 0 and len(names) > 1:
                    kind = "video" if k % 3 == 0 else "" if u else ("", "audio", "visual")[k % 3]
                heard, seen = (other if kind in ("video", m) else k for m in ("audio", "visual"))
                low, high = 0.45 * rng.random(2) ** 2, 1 - 0.4 * rng.random(2) ** 2
                p_audio, p_visual = (float(high[i] if who != k else low[i]) for i, who in enumerate((heard, seen)))
                length = 2.0 + 0.25 * int(rng.integers(0, 5))
                utterance = f"{name}/v{v}-{name[-2:]}_Aa/{u + 1:05d}"
                rows.append(Row(utterance, k, v, heard, seen, kind, p_audio, p_visual, length))
    return rows


def _decisions(rows: list[Row], names: list[str], decision: np.ndarray, rng: np.random.Generator) -> pa.Table:
    n = len(rows)
    texts = np.array([*names, None], dtype=object)
    suggested = np.array([row.other for row in rows])
    suggested[decision != "noisy"] = -1
    numbers = {"p_audio_wrong": [row.p_audio for row in rows], "p_visual_wrong": [row.p_visual for row in rows]}
    numbers["p_wrong"] = [row.p for row in rows]
    columns = {
        "utterance": pa.array([row.utterance for row in rows]),
        "speaker": pa.array([names[row.speaker] for row in rows]),
        **{name: pa.array(values, pa.float32()) for name, values in numbers.items()},
        "kind": pa.array([row.kind for row in rows]),
        "suggested_speaker": pa.array(texts[suggested], pa.string()),
        "p_suggested": pa.array(np.where(suggested < 0, np.nan, 0.9).astype(np.float32)),
        "decision": pa.array(decision),
        "reason": pa.array([f"wrong_{row.kind}" if row.kind else "ok" for row in rows]),
    }
    for m in ("audio", "visual"):
        similarity = np.array([1 - getattr(row, f"p_{m}") for row in rows], np.float32)
        columns |= {
            f"{m}_similarity": pa.array(similarity),
            f"{m}_nearest_speaker": pa.array(texts[suggested], pa.string()),
            f"{m}_nearest_similarity": pa.array(np.full(n, 0.3, np.float32)),
            f"{m}_margin": pa.array(similarity - np.float32(0.3)),
            f"{m}_fallback": pa.array(np.zeros(n, bool)),
        }
    return pa.table(columns)


def _write_scores(
    results: Path, rows: list[Row], names: list[str], similarity: list[np.ndarray], rng: np.random.Generator
) -> None:
    n = len(rows)
    evidence = {}
    for m, values in zip(("audio", "visual"), similarity, strict=True):
        e = Evidence.empty(n)
        e.similarity, e.agreement, e.quality = values, values, values
        e.other = rng.normal(0.2, 0.05, (n, 3)).astype(np.float32)
        e.other_speaker = np.array(
            [[row.heard if row.heard != row.speaker else row.seen] * 3 for row in rows], np.int32
        )
        e.present = np.ones(n, bool)
        evidence[m] = e
    ids = np.array([row.utterance for row in rows], dtype=object)
    videos = np.array([row.utterance.rpartition("/")[0] for row in rows], dtype=object)
    speaker = np.array([row.speaker for row in rows], np.int32)
    joint = evidence["audio"]
    persons = {name: np.zeros(n, np.float32) for name in ("second", "doubt", "rival")}
    scores = Scores(ids, speaker, videos, names, evidence, evidence, joint.other, joint.other_speaker, **persons)
    write_scores(P.below(results, P.scores.scores), scores)


def _write_faces(tar: Path, rows: list[Row], seed: int) -> None:
    with TarWriter(tar) as writer:
        for row in rows:
            rng = np.random.default_rng([seed, row.seen, row.video, len(row.utterance)])
            for frame in range(1, FACES + 1):
                image = face(row.seen, row.speaker * 31 + row.video, rng)
                writer.add(row.utterance, f"{row.utterance}/{10 * frame:04d}.jpg", jpeg_of(image, 90))


def _write_voices(tar: Path, rows: list[Row], seed: int) -> None:
    with TarWriter(tar) as writer:
        for row in rows:
            samples = voice(row.heard, row.seconds, np.random.default_rng([seed, row.heard, row.video]))
            writer.add(row.utterance, f"{row.utterance}.wav", wav_bytes(samples))


def face(person: int, place: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a person's face, (112, 112, 3) uint8 BGR; ``place`` is the colour behind it, which a video has."""
    own = np.random.default_rng([7, person])
    skin = tuple(int(x) for x in np.array([120, 150, 190]) + own.integers(-60, 60))
    hair = tuple(int(x) for x in own.integers(10, 200, 3))
    eyes, mouth, wide = int(own.integers(14, 22)), int(own.integers(8, 20)), int(own.integers(28, 38))
    behind = tuple(int(x) for x in np.random.default_rng([8, place]).integers(60, 230, 3))
    x, y = (56 + int(v) for v in rng.integers(-3, 4, 2))
    image = np.full((112, 112, 3), behind, np.uint8)
    cv2.ellipse(image, (x, y - 12), (wide + 6, 42), 0, 180, 360, hair, -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y), (wide, 44), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(image, (x + side * eyes, y - 8), 5, (250, 250, 250), -1, cv2.LINE_AA)
        cv2.circle(image, (x + side * eyes, y - 8), 2, (20, 20, 20), -1, cv2.LINE_AA)
    cv2.ellipse(image, (x, y + 22), (mouth, 2 + int(rng.integers(0, 6))), 0, 0, 360, (60, 50, 150), -1, cv2.LINE_AA)
    return image


def voice(person: int, seconds: float, rng: np.random.Generator) -> np.ndarray:
    """Return a person's voice, (n,) int16 at 16 kHz: syllables of a tone with the person's pitch and overtones."""
    own = np.random.default_rng([9, person])
    pitch, slope = 90 + 23.0 * (person % 8), own.uniform(0.8, 1.6)
    t = np.arange(round(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    phase = 2 * np.pi * np.cumsum(pitch * (1 + 0.05 * np.sin(2 * np.pi * 0.7 * t + rng.uniform(0, 6)))) / SAMPLE_RATE
    tone = sum(np.sin(k * phase) / k**slope for k in range(1, 12))
    syllables = np.clip(np.sin(2 * np.pi * 2.3 * t + rng.uniform(0, 6)), 0.02, 1) ** 0.7
    wave = 0.2 * tone * syllables + rng.normal(0, 0.002, len(t))
    return np.clip(np.round(wave * 32767), -32768, 32767).astype(np.int16)
