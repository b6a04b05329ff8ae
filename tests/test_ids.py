from __future__ import annotations

import pytest

from avsieve.errors import AvsieveError
from avsieve.ids import is_valid_id, parse_id, shard_names, shard_of


def test_an_id_has_three_parts() -> None:
    found = parse_id("id00012/21Uxsk56VDQ/00001")
    assert (found.speaker, found.video, found.utterance) == ("id00012", "21Uxsk56VDQ", "00001")
    assert str(found) == "id00012/21Uxsk56VDQ/00001"


@pytest.mark.parametrize("bad", ["a/b", "a/b/c/d", "a//c", "../b/c", "a/.b/c", "a b/c/d", "a/b/<c>", ""])
def test_what_cannot_be_a_file_or_stand_in_a_list_is_refused(bad: str) -> None:
    assert not is_valid_id(bad)
    with pytest.raises(AvsieveError, match="expected speaker/video/utterance"):
        parse_id(bad)


def test_a_video_id_may_begin_with_a_dash() -> None:
    assert is_valid_id("id1/-7xQ_w0a1B2/00001")


def test_the_shard_of_a_speaker_never_changes() -> None:
    # These values are a contract: another hash would move every speaker to another shard.
    assert [shard_of(s, 256) for s in ("id00012", "id10270", "id99999")] == [133, 185, 129]
    assert shard_of("id00012", 1) == 0


def test_shards_are_filled_evenly() -> None:
    counts = [0] * 16
    for i in range(6000):
        counts[shard_of(f"id{i:05d}", 16)] += 1
    assert min(counts) > 300
    assert max(counts) < 450


def test_names_of_shards_sort() -> None:
    assert shard_names(2) == ["000", "001"]
    assert shard_names(1001)[-1] == "1000"
    assert sorted(shard_names(1001)) == shard_names(1001)
