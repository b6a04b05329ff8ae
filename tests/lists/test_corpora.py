from __future__ import annotations

import pytest

from avsieve.lists.corpora import KNOWN_CORPORA, named, recognise


@pytest.mark.parametrize("corpus", KNOWN_CORPORA, ids=lambda c: c.name)
def test_every_known_corpus_is_recognised_by_its_counts(corpus) -> None:
    found = recognise(corpus.utterances, corpus.speakers)
    assert found is not None
    assert found.is_whole
    assert str(found) == corpus.name


def test_parts_of_voxceleb1_add_up() -> None:
    by_name = {c.name: c.utterances for c in KNOWN_CORPORA}
    whole = by_name["VoxCeleb1, dev and test"]
    assert by_name["VoxCeleb1 dev"] + by_name["VoxCeleb1 test"] == whole
    assert sum(n for name, n in by_name.items() if "identification" in name) == whole


def test_a_near_miss_says_how_much_is_missing() -> None:
    told = str(recognise(1_092_003, 5_994))
    assert told == "like VoxCeleb2 dev, but 1,092,003 of 1,092,009 utterances: 6 missing"


def test_speakers_who_are_missing_are_told_too() -> None:
    assert "5,990 of 5,994 speakers: 4 missing" in str(recognise(1_091_000, 5_990))


def test_anything_else_is_no_known_corpus() -> None:
    assert recognise(336, 28) is None
    assert recognise(148_642, 40) is None
    assert named(336, 28) == "336 utterances of 28 speakers"
