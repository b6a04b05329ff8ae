from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avsieve.evaluation.conditions.stand_ins import STAND_INS
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.sequences import write_sequences
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from avsieve.storage.tables import read_table

WORLD = WorldSpec(speakers=4, outsiders=2, videos_per_speaker=3, utterances_per_video=2)


@pytest.fixture(scope="module")
def corpus() -> SimulatedCorpus:
    return simulate(WORLD, NoiseSpec(rate=0.1), 0)


def cosines(found, corpus: SimulatedCorpus, whole: np.ndarray) -> np.ndarray:
    row = {u: k for k, u in enumerate(corpus.plan["utterance"])}
    vectors = np.stack(found["embedding"].to_numpy()).astype(np.float64)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=2e-3)
    return np.einsum("ij,ij->i", vectors, whole[[row[u] for u in found["utterance"]]])


def test_pieces_are_like_their_utterance_the_longer_the_more(corpus: SimulatedCorpus, tmp_path: Path) -> None:
    write_sequences(corpus, tmp_path / "s.parquet", tmp_path / "f.parquet", 0)
    segments, faces = read_table(tmp_path / "s.parquet"), read_table(tmp_path / "f.parquet")
    segments["cosine"] = cosines(segments, corpus, corpus.audio)
    mean = segments.groupby("segmentation")["cosine"].mean()
    assert mean["eighths"] < mean["hops"] <= mean["centre"]
    wanted = [STAND_INS["short"].similarity({"seconds": length}) for length in segments["length_s"]]
    assert (segments["cosine"] - wanted).groupby(segments["segmentation"]).mean().abs().max() < 0.03
    assert cosines(faces, corpus, corpus.visual).mean() == pytest.approx(0.95, abs=0.01)
    count = segments.groupby(["segmentation", "utterance"]).size()
    assert set(count["eighths"]) == {8}
    assert set(count["centre"]) == {1}
    assert len(count["hops"]) == len(corpus.plan)
    seconds = corpus.plan.set_index("utterance")["seconds"].astype(float)
    shown = faces.groupby("utterance").size()
    assert (shown - seconds[shown.index] / 0.4).abs().max() <= 1
    assert faces.groupby("utterance")["frame"].is_monotonic_increasing.all()


def test_equal_seeds_give_equal_bytes(corpus: SimulatedCorpus, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_sequences(corpus, tmp_path / f"{name}.s.parquet", tmp_path / f"{name}.f.parquet", seed)
    for kind in ("s", "f"):
        a, b, c = ((tmp_path / f"{name}.{kind}.parquet").read_bytes() for name in "abc")
        assert a == b != c
