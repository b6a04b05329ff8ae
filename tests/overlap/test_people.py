from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.inputs import unit_rows
from avsieve.errors import AvsieveError
from avsieve.overlap.people import gather
from tests.overlap.conftest import Two


def test_every_person_has_a_centre_halves_without_a_common_video_and_typical_utterances(corpora: Two) -> None:
    people, shard = corpora.people[0], corpora.shards[0]
    assert people.speaker == sorted(set(shard.speaker))
    for m in ("audio", "visual"):
        assert people.has(m).all()
        videos = {s: len(set(shard.video[shard.speaker == s])) for s in people.speaker}
        assert (people.videos[m] <= [videos[s] for s in people.speaker]).all()
        several = people.half_of[m]
        assert (people.half_videos[m].sum(axis=0) == people.videos[m][several]).all()
        halves = [unit_rows(side) for side in people.half[m]]
        alike = np.einsum("ij,ij->i", *halves)
        assert np.median(alike) > np.quantile(halves[0] @ halves[1].T, 0.99)
    for name, examples in zip(people.speaker, people.examples, strict=True):
        rows = [shard.utterance.index(u) for u in examples]
        assert {shard.speaker[k] for k in rows} == {name}
        if len(set(shard.video[shard.speaker == name])) > 1:
            assert len({shard.video[k] for k in rows}) == len(rows) == 2


def test_a_corpus_without_utterances_and_a_speaker_in_two_shards_are_refused(corpora: Two) -> None:
    with pytest.raises(AvsieveError, match="A: no utterance"):
        gather(lambda: iter([]), "A")
    with pytest.raises(AvsieveError, match="lies in two shards"):
        gather(lambda: iter([corpora.shards[0], corpora.shards[0]]), "A")
