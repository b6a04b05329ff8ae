from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.evaluation.trials import make_trial_list
from avsieve.fusion.damage import damaged_inputs, stand_in, variants_of
from avsieve.fusion.inputs import Inputs, Stream, join
from avsieve.fusion.sequences import HeldSequences

from .made_up import make_people

PEOPLE, _ = make_people("p", 6)
NAMES = PEOPLE.utterances
MEASURES = {"duration_s": np.linspace(0.5, 9, len(NAMES), dtype=np.float32)}
AUDIO = Stream(3 * PEOPLE.audio.pooled, PEOPLE.audio.present, measures=MEASURES)


class Held:
    """Embeddings in memory: the people's, and versions of some."""

    def __init__(self, **versions: np.ndarray) -> None:
        self.versions = versions

    def stream(self, modality: str, utterances: list[str]) -> Stream:
        return PEOPLE.streams[modality].of(np.array([NAMES.index(u) for u in utterances]))

    def damaged(self, modality: str, versions: list[str]) -> Stream:
        dim = PEOPLE.streams[modality].dim
        rows = [self.versions.get(v, np.zeros(dim)) for v in versions]
        there = np.array([v in self.versions for v in versions])
        return Stream(np.array(rows, np.float32).reshape(-1, dim), there, measures={"noisy": there.astype(np.float32)})


def table(*rows: tuple, kind="noise", modality="audio", level="embedding", **parameters) -> pd.DataFrame:
    """Return rows of the table of damages: (utterance, side) each, with seeds that rise."""
    made = [
        {"utterance": u, "side": side, "modality": modality, "kind": kind, "parameters": parameters, "seed": k}
        | {"level": level, "version": "" if kind == "missing" else f"{u}@c"}
        for k, (u, side) in enumerate(rows)
    ]
    return pd.DataFrame(made)


def cosines(one: Stream, other: Stream) -> np.ndarray:
    a, b = (s.pooled.astype(np.float64) for s in (one, other))
    return np.einsum("ij,ij->i", a, b) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_a_stand_in_has_the_cosine_that_it_should_and_keeps_its_length():
    of = np.arange(20)
    for similarity in (0.9, 0.25, -0.5, 1.0):
        found = stand_in(AUDIO, of, table(*[(NAMES[k], "test") for k in of], similarity=similarity))
        assert cosines(found, AUDIO.of(of)) == pytest.approx(np.full(20, similarity), abs=1e-6)
        assert np.linalg.norm(found.pooled, axis=1) == pytest.approx(
            np.linalg.norm(AUDIO.pooled[:20], axis=1), rel=1e-5
        )


def test_a_stand_in_moves_in_the_corpus_own_directions_and_each_row_in_its_own():
    # Nobody varies in the last half of the dimensions, so no damage does.
    flat = AUDIO.pooled.copy()
    flat[:, 12:] = 0
    of = np.arange(20)
    rows = table(*[(NAMES[k], "test") for k in of], similarity=0.3)
    found = stand_in(Stream(flat, AUDIO.present), of, rows)
    assert np.abs(found.pooled[:, 12:]).max() < 1e-6
    again = stand_in(Stream(flat, AUDIO.present), of, rows)
    assert np.array_equal(found.pooled, again.pooled)
    other = stand_in(Stream(flat, AUDIO.present), of, rows.assign(seed=rows["seed"] + 100))
    assert not np.isclose(found.pooled, other.pooled).all(axis=1).any()
    twice = stand_in(
        Stream(flat, AUDIO.present), np.array([3, 3]), table((NAMES[3], "test"), (NAMES[3], "enrol"), similarity=0.3)
    )
    assert not np.allclose(twice.pooled[0], twice.pooled[1])


def test_two_utterances_alone_are_moved_in_some_direction():
    two = AUDIO.of(np.arange(2))
    found = stand_in(two, np.arange(2), table((NAMES[0], "test"), (NAMES[1], "test"), similarity=0.6))
    assert cosines(found, two) == pytest.approx([0.6, 0.6], abs=1e-6)


def test_who_has_no_embedding_gets_none_from_a_stand_in():
    gone = AUDIO.without(np.arange(len(NAMES)) == 1)
    found = stand_in(gone, np.arange(3), table(*[(NAMES[k], "test") for k in range(3)], similarity=0.6))
    assert found.present.tolist() == [True, False, True]
    assert not found.pooled[1].any()


def test_a_short_piece_has_its_length_as_a_quality_measure_unless_it_was_shorter():
    of = np.array([0, 5, 40])
    short = table(*[(NAMES[k], "test") for k in of], kind="short", similarity=0.5, seconds=1.0)
    assert stand_in(AUDIO, of, short).measures["duration_s"].tolist() == [0.5, 1.0, 1.0]
    noise = table(*[(NAMES[k], "test") for k in of], similarity=0.5)
    assert np.array_equal(stand_in(AUDIO, of, noise).measures["duration_s"], MEASURES["duration_s"][of])
    faces = Stream(
        PEOPLE.visual.pooled, PEOPLE.visual.present, measures={"n_faces": np.full(len(NAMES), 12, np.float32)}
    )
    one = table(*[(NAMES[k], "test") for k in of], kind="one_frame", modality="visual", similarity=0.5)
    assert stand_in(faces, of, one).measures["n_faces"].tolist() == [1, 1, 1]
    assert stand_in(PEOPLE.visual, of, one).measures == {}


A, B, C, D = NAMES[0], NAMES[20], NAMES[30], NAMES[40]
TRIALS = make_trial_list([True, False, False], [A, B, A], [B, C, D])


def test_a_side_that_is_not_damaged_is_the_list_s_own():
    variants = variants_of(TRIALS, table((B, "test"), (C, "test"), (NAMES[50], "test")))
    # A, B, C, D in the order of the list, then the variants of B and C.
    assert [TRIALS.utterances[k] for k in variants.of] == [B, C]
    assert variants.enrol[TRIALS.enrol].tolist() == [0, 1, 0]
    assert variants.test[TRIALS.test].tolist() == [4, 5, 3]
    assert variants.rows["variant"].tolist() == [0, 1]


def test_an_utterance_that_is_damaged_on_both_sides_alike_has_one_variant_and_else_one_for_each():
    both = variants_of(TRIALS, table((B, "both"), (A, "both")))
    assert both.of.tolist() == [0, 1]
    assert both.enrol.tolist() == both.test.tolist() == [4, 5, 2, 3]
    crossed = pd.concat([table((A, "enrol"), (B, "enrol")), table((B, "test"), modality="visual", kind="missing")])
    found = variants_of(TRIALS, crossed)
    assert found.of.tolist() == [0, 1, 1]
    assert (found.enrol.tolist(), found.test.tolist()) == ([4, 5, 2, 3], [0, 6, 2, 3])


def test_nobody_of_another_list_and_nobody_on_the_other_side_is_made_a_variant():
    for rows in (table((NAMES[50], "test")), table((C, "enrol"), (D, "enrol"))):
        variants = variants_of(TRIALS, rows)
        assert len(variants.of) == 0
        assert variants.enrol.tolist() == [0, 1, 2, 3]


def inputs_of(rows: pd.DataFrame, embeddings: Held | None = None) -> tuple[Inputs, Inputs]:
    """Return the list's own inputs, and those of the variants."""
    place = np.array([NAMES.index(u) for u in TRIALS.utterances])
    own = Inputs(TRIALS.utterances, AUDIO.of(place), PEOPLE.visual.of(place))
    return own, damaged_inputs(own, variants_of(TRIALS, rows), embeddings or Held(), "c")


def test_what_is_missing_is_taken_away_and_the_other_modality_stays():
    own, found = inputs_of(table((B, "test"), (C, "test"), kind="missing"))
    assert found.utterances == [B, C]
    assert not found.audio.present.any()
    assert not found.audio.pooled.any()
    assert np.isnan(found.audio.measures["duration_s"]).all()
    assert np.array_equal(found.visual.pooled, own.visual.pooled[[1, 2]])


def test_another_person_s_face_is_that_person_s_whether_or_not_in_the_list():
    taken = {B: A, C: NAMES[53]}
    rows = pd.concat(
        [table((u, "test"), kind="other_person", modality="visual", utterance=o) for u, o in taken.items()]
    )
    own, found = inputs_of(rows)
    assert np.array_equal(found.visual.pooled, PEOPLE.visual.pooled[[0, 53]])
    assert np.array_equal(found.audio.pooled, own.audio.pooled[[1, 2]])


def test_a_damaged_signal_s_embedding_is_read_and_one_that_is_in_no_table_counts_as_missing(caplog):
    rows = table((B, "test"), (C, "test"), level="signal", snr_db=5.0)
    vector = np.arange(24, dtype=np.float32)
    own, found = inputs_of(rows, Held(**{f"{C}@c": vector}))
    assert found.audio.present.tolist() == [False, True]
    assert np.array_equal(found.audio.pooled[1], vector)
    assert found.audio.measures["noisy"].tolist() == [0, 1]
    assert np.isnan(found.audio.measures["duration_s"]).all()
    assert (
        f"c: 1 of 2 damaged audio utterances have no embedding, for example {B}@c: they count as missing" in caplog.text
    )
    assert np.array_equal(found.visual.pooled, own.visual.pooled[[1, 2]])


def test_who_had_no_voice_before_is_not_told_as_a_failure(caplog):
    place = np.array([NAMES.index(u) for u in TRIALS.utterances])
    own = Inputs(
        TRIALS.utterances, AUDIO.of(place).without(np.array([False, True, False, False])), PEOPLE.visual.of(place)
    )
    rows = table((B, "test"), level="signal")
    found = damaged_inputs(own, variants_of(TRIALS, rows), Held(), "c")
    assert not found.audio.present.any()
    assert caplog.text == ""


def test_streams_are_joined_with_what_each_of_them_has():
    faces = HeldSequences(np.ones((2, 3, 4), np.float32), np.ones((2, 3), bool))
    one = Stream(np.ones((2, 4), np.float32), np.ones(2, bool), {"frames": faces}, {"n": np.array([3, 3], np.float32)})
    nobody = Stream(np.zeros((1, 0), np.float32), np.zeros(1, bool))
    found = join([nobody, one])
    assert found.dim == 4
    assert found.present.tolist() == [False, True, True]
    assert found.sequences["frames"].counts.tolist() == [0, 3, 3]
    assert found.sequences["frames"].read(np.array([2, 0])).mask.sum(axis=1).tolist() == [3, 0]
    assert np.isnan(found.measures["n"][0])
    with pytest.raises(AvsieveError, match="embeddings of lengths 4 and 5; embed all with one model"):
        join([one, Stream(np.ones((1, 5), np.float32), np.ones(1, bool))])


def test_a_stand_in_moves_what_is_read_of_a_sequence_as_it_moves_the_whole():
    n = len(AUDIO.pooled)
    items = HeldSequences(np.repeat(AUDIO.pooled[:, None], 3, axis=1), np.ones((n, 3), bool))
    stream = Stream(AUDIO.pooled, AUDIO.present, {"hops": items})
    of = np.arange(5)
    rows = table(*[(NAMES[k], "test") for k in of], similarity=0.3)
    found = stand_in(stream, of, rows)
    batch = found.sequences["hops"].read(of)
    assert batch.vectors == pytest.approx(np.repeat(found.pooled[:, None], 3, axis=1), abs=1e-3)
    single = stand_in(stream, of, rows.assign(kind="one_frame"))
    assert single.sequences["hops"].counts.tolist() == [1] * 5
    assert np.array_equal(single.sequences["hops"].read(of).vectors[:, 0], AUDIO.pooled[:5])
    assert not np.allclose(single.pooled, AUDIO.pooled[:5])
