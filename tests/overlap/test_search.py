from __future__ import annotations

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.overlap.encoders import refuse_other_encoders
from avsieve.overlap.facts import overlap_facts, write_overlap
from avsieve.overlap.people import People, gather
from avsieve.overlap.search import Overlap, overlap
from avsieve.overlap.text import overlap_lines
from tests.overlap.conftest import Two, two


@pytest.fixture(scope="module")
def found(corpora: Two) -> Overlap:
    return overlap(*corpora.people)


def test_shared_people_are_found_and_their_number_is_told(corpora: Two, found: Overlap) -> None:
    right = corpora.right(found.a, found.b)
    likely = found.probability >= 0.5
    assert right[likely].mean() >= 0.9
    assert right[likely].sum() >= len(corpora.shared) - 2
    assert found.shared.mean == pytest.approx(len(corpora.shared), abs=2)
    assert found.shared.low <= likely.sum() <= found.shared.high
    assert (np.diff(found.probability) <= 0).all()
    assert found.compared == len(corpora.people[0]) * len(corpora.people[1])


def test_corpora_that_share_nobody_are_told_so_and_people_with_two_labels_spoil_nothing() -> None:
    made = two(202, shared=0)
    none = overlap(*made.people)
    assert (none.probability < 0.5).all()
    assert none.shared.high <= 1
    double = two(203, twice=3)
    found = overlap(*double.people)
    right = double.right(found.a, found.b)
    assert right[found.probability >= 0.5].sum() >= len(double.shared) - 3
    assert found.together is not None
    assert found.together.duplicates >= 1.5


def test_one_modality_alone_is_enough_and_nothing_in_common_is_refused(corpora: Two) -> None:
    found = overlap(*corpora.people, ["visual"])
    assert list(found.similarity) == ["visual"]
    assert found.together is None
    assert corpora.right(found.a, found.b)[found.probability >= 0.5].mean() >= 0.8
    voices, faces = two(204, only="audio").people[0], two(204, only="visual").people[1]
    with pytest.raises(AvsieveError, match="first corpus has audio, the second visual: nothing to compare"):
        overlap(voices, faces)


def changed(corpora: Two, change: np.ndarray) -> People:
    """Return the second corpus with voices times a matrix."""
    shard = corpora.shards[1]
    voices = shard.embeddings["audio"]
    shard.embeddings["audio"] = (voices @ change).astype(np.float32)
    try:
        return gather(lambda: iter([shard]), "B")
    finally:
        shard.embeddings["audio"] = voices


def test_embeddings_of_other_models_are_refused(corpora: Two) -> None:
    a, b = corpora.people
    for m in ("audio", "visual"):
        refuse_other_encoders(a, b, m)
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((96, 96)))[0]
    with pytest.raises(
        AvsieveError, match=r"the audio embeddings .* of different models; embed both with the same one"
    ):
        refuse_other_encoders(a, changed(corpora, turn), "audio")
    with pytest.raises(AvsieveError, match="audio embeddings have 96 numbers in the first corpus and 40 in the second"):
        overlap(a, changed(corpora, np.eye(96, 40)))


def test_tables_and_words_name_pairs_people_to_leave_out_and_examples(corpora: Two, found: Overlap, tmp_path) -> None:
    a, b = corpora.people
    facts = overlap_facts(("train", "test"), a, b, found)
    write_overlap(tmp_path, facts)
    head, first = (tmp_path / "overlap.csv").read_text("utf-8").splitlines()[:2]
    assert head == (
        "speaker_a,speaker_b,probability,audio_similarity,visual_similarity,utterances_a,utterances_b,examples_a,examples_b"
    )
    pair = facts.pairs[0]
    assert first.startswith(f"{pair.speaker_a},{pair.speaker_b},{pair.probability:.4f},")
    assert first.split(",")[-2].split() == pair.examples_a
    assert all(name.startswith(f"{pair.speaker_a}/") for name in pair.examples_a)
    excluded = (tmp_path / "exclude.txt").read_text("utf-8").split()
    assert excluded == facts.excluded == sorted(excluded)
    assert set(excluded) >= {p.speaker_a for p in facts.pairs if p.probability >= 0.5}
    everybody = overlap_facts(("", ""), a, b, found, at=1e-12).excluded
    assert set(everybody) >= set(excluded)
    assert all(p.probability >= 0.01 for p in facts.pairs)
    lines = overlap_lines(facts)
    assert any(line.startswith("shared people") and "if the probabilities are right" in line for line in lines)
    assert any(pair.speaker_a in line and pair.speaker_b in line for line in lines)
