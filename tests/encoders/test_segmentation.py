from __future__ import annotations

import pytest

from avsieve.config.model import parse_config
from avsieve.encoders.segmentation import segmentation_of
from avsieve.errors import ConfigError

RATE = 16_000


def cut(entry: str | dict, length: int, shortest: int = 400) -> list[tuple[int, int]]:
    return segmentation_of(entry).how.cut(length, shortest)


def test_hops_are_evenly_spaced_and_reach_the_end() -> None:
    assert cut("hops", 5 * RATE) == [(0, 32_000), (24_000, 32_000), (48_000, 32_000)]
    assert cut({"name": "hops", "hop_s": 1.0}, 2 * RATE) == [(0, 32_000)]
    assert cut("hops", RATE) == [(0, RATE)]


def test_of_each_eighth_the_middle_is_taken() -> None:
    found = cut("eighths", 80 * RATE)
    assert [size for _, size in found] == [16_240] * 8
    assert [start + size / 2 for start, size in found] == [(k + 0.5) * 10 * RATE for k in range(8)]


def test_an_eighth_that_is_shorter_than_the_crop_is_taken_whole() -> None:
    assert cut("eighths", 4 * RATE) == [(k * RATE // 2, RATE // 2) for k in range(8)]


@pytest.mark.parametrize("length", [400, 401, 1_000, 3_205, 16_000])
def test_no_segment_is_shorter_than_the_encoder_needs_or_reaches_beyond_the_utterance(length: int) -> None:
    for entry in ("hops", "eighths", "centre", {"name": "tiny", "kind": "centre", "length_s": 0.001},
                  {"name": "tiny", "kind": "hops", "length_s": 0.001, "hop_s": 0.01}):  # fmt: skip
        found = cut(entry, length)
        assert found == sorted(found)
        for start, size in found:
            assert size >= 400
            assert 0 <= start <= start + size <= length


def test_the_centre_is_the_middle_three_seconds_or_all() -> None:
    assert cut("centre", 5 * RATE) == [(RATE, 3 * RATE)]
    assert cut("centre", 2 * RATE) == [(0, 2 * RATE)]


@pytest.mark.parametrize(
    ("segments", "words"),
    [
        (["thirds"], r"the kind None; expected one of hops, parts, centre \(without a kind there are hops, eighths"),
        ([{"name": "a", "kind": "b"}], "a: the kind 'b'; expected one of hops"),
        ([{"kind": "parts"}], "the name None; expected small letters"),
        ([{"name": "frames", "kind": "parts"}], "the name 'frames'.*frames are those of a face"),
        ([{"name": "Ä", "kind": "parts"}], "the name 'Ä'"),
        ([{"name": "hops", "kind": "parts"}], "hops is of the kind hops; give a segmentation of the kind parts"),
        ([{"name": "eighths", "length_s": 2.0}], "eighths: unknown option 'length_s'; it has count, crop_s"),
        ([{"name": "centre", "length_s": 0.0}], "centre: length_s 0.0; expected a number, above 0"),
        ([3], "the name 3; expected small letters"),
        (["hops", {"name": "hops", "hop_s": 1.0}], "hops is named 2 times"),
    ],
)
def test_what_is_no_segmentation_is_refused_in_words(segments: list, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_config({"audio": {"segments": segments}})


def test_the_keys_that_were_there_before_say_where_they_went() -> None:
    for name in ("segment_s", "segment_hop_s"):
        with pytest.raises(ConfigError, match=rf"there is no key audio\.{name} any more; it is now .*audio\.segments"):
            parse_config({"audio": {name: 0}})


def test_segmentations_tell_all_of_themselves() -> None:
    config = parse_config({"audio": {"segments": ["eighths", {"name": "fifths", "kind": "parts", "count": 5}]}})
    assert [own.facts() for own in config.audio.segmentations] == [
        {"name": "eighths", "kind": "parts", "count": 8, "crop_s": 1.015},
        {"name": "fifths", "kind": "parts", "count": 5, "crop_s": 1.015},
    ]
    assert parse_config({"audio": {"segments": []}}).audio.segmentations == []
