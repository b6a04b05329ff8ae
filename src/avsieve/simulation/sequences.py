"""Simulated segments and faces: what an encoder makes of a piece of an utterance.

A piece x of an utterance with the embedding e, both of length 1, is

    x = unit(c e + sqrt(1 - c^2) n)

with noise n of length 1 and the cosine c of a piece to the whole. Voices are cut as an embedding run cuts them
(`avsieve.encoders.segmentation`), faces are 0.4 s apart. Segments are the less like the whole the shorter they are, as
was measured of short pieces and single faces (`avsieve.evaluation.conditions.stand_ins`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from avsieve.embedding_files.own_tables import as_table
from avsieve.encoders.segmentation import PRESETS, segmentation_of
from avsieve.evaluation.conditions.stand_ins import STAND_INS
from avsieve.media.frame_names import frame_name, frames_before
from avsieve.simulation.world import unit
from avsieve.storage.tables import write_parts
from avsieve.storage.wav import SAMPLE_RATE

if TYPE_CHECKING:
    from avsieve.simulation.corpus import SimulatedCorpus

INTERVAL_S = 0.4
_UTTERANCES = 1000  # that are drawn and written at a time


def write_sequences(corpus: SimulatedCorpus, audio_segments: Path, visual_frames: Path, seed: int) -> None:
    """Write the segments of all segmentations, and the faces, of a corpus; equal arguments give equal bytes.

    Parameters
    ----------
    corpus
        Embeddings of length 1, with the lengths of utterances.
    audio_segments, visual_frames
        Tables to write, in the layout of a run's own (float16).
    """
    names, seconds = corpus.plan["utterance"].tolist(), corpus.plan["seconds"].astype(float).tolist()
    audio, visual = np.random.default_rng(seed).spawn(2)
    write_parts(audio_segments, _segments(names, seconds, corpus.audio, audio))
    write_parts(visual_frames, _faces(names, seconds, corpus.visual, visual))


def _segments(
    names: Sequence[str], seconds: Sequence[float], whole: np.ndarray, rng: np.random.Generator
) -> Iterator[pa.Table]:
    ways = [segmentation_of(name) for name in PRESETS]
    for begin in range(0, len(names), _UTTERANCES):
        rows = [
            (u, way.name, k, start / SAMPLE_RATE, length / SAMPLE_RATE)
            for u in range(begin, min(begin + _UTTERANCES, len(names)))
            for way in ways
            for k, (start, length) in enumerate(way.how.cut(round(seconds[u] * SAMPLE_RATE), 1))
        ]
        of, segmentation, number, start_s, length_s = zip(*rows, strict=True)
        known = np.array([STAND_INS["short"].similarity({"seconds": s}) for s in length_s])
        own = np.array(of)
        yield as_table(
            pa.array([names[u] for u in of], pa.string()),
            pieces(whole[own], known, rng),
            {
                "segmentation": pa.array(segmentation, pa.string()),
                "segment": np.array(number, np.int32),
                "start_s": np.array(start_s, np.float64),
                "length_s": np.array(length_s, np.float64),
            },
        )


def _faces(
    names: Sequence[str], seconds: Sequence[float], whole: np.ndarray, rng: np.random.Generator
) -> Iterator[pa.Table]:
    similarity = STAND_INS["one_frame"].similarity({})
    for begin in range(0, len(names), _UTTERANCES):
        rows = [
            (u, frame_name(k, INTERVAL_S))
            for u in range(begin, min(begin + _UTTERANCES, len(names)))
            for k in range(1, frames_before(seconds[u], INTERVAL_S) + 1)
        ]
        of, frame = zip(*rows, strict=True)
        yield as_table(
            pa.array([names[u] for u in of], pa.string()),
            pieces(whole[np.array(of)], np.full(len(of), similarity), rng),
            {"frame": pa.array(frame, pa.string()), "quality": rng.uniform(0.3, 1.0, len(of)).astype(np.float32)},
        )


def pieces(whole: np.ndarray, similarity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a piece (N, D) float16, of length 1, of each embedding (N, D) of length 1.

    Parameters
    ----------
    similarity
        (N,) the mean cosine of a piece to the whole.
    """
    noise = unit(rng.standard_normal(whole.shape))
    drawn = similarity[:, None] * whole + np.sqrt(1 - similarity**2)[:, None] * noise
    return unit(drawn).astype(np.float16)
