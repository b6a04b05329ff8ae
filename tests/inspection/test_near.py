from __future__ import annotations

import time

import pyarrow as pa

from avsieve.inspection.near import near_names, near_utterances

IDS = pa.array([f"id{s:03d}/vid{v}/{u:05d}" for s in range(50) for v in range(4) for u in range(3)])


def test_a_slip_in_any_part_of_an_id_is_forgiven() -> None:
    assert near_utterances("id007/vid2/00001", IDS)[0] == "id007/vid2/00001"
    assert near_utterances("id007/vid9/00001", IDS)[0].startswith("id007/")
    assert near_utterances("id07/vid2/00001", IDS)[0].endswith("/vid2/00001")
    assert "id007/vid3/00002" in near_utterances("id007/vid3/00009", IDS)
    assert near_utterances("ID007/vidX/0", IDS)[0].startswith("id007/")
    assert near_utterances("?", IDS) == []


def test_a_speaker_alone_gives_utterances_of_it() -> None:
    assert all(name.startswith("id049/") for name in near_utterances("id049", IDS))
    assert len(near_utterances("id049", IDS, most=3)) == 3


def test_names_that_differ_in_case_alone_come_first() -> None:
    assert near_names("ABC", ["abd", "abc", "xyz"])[0] == "abc"


def test_of_many_names_only_those_that_begin_or_end_alike_are_compared() -> None:
    names = pa.array([f"{k:06x}" for k in range(300_000)])
    begin = time.monotonic()
    assert "00abcd" in near_names("0zabcd", names)
    assert near_names("zzzzzz", names) == []
    assert time.monotonic() - begin < 5
