from __future__ import annotations

import itertools

import pytest

from avsieve.errors import AvsieveError
from avsieve.storage.ids import LONGEST, id_part, is_valid_id, parse_id, real_name, shard_names, shard_of


def test_an_id_has_three_parts() -> None:
    found = parse_id("id00012/21Uxsk56VDQ/00001")
    assert (found.speaker, found.video, found.utterance) == ("id00012", "21Uxsk56VDQ", "00001")
    assert str(found) == "id00012/21Uxsk56VDQ/00001"


@pytest.mark.parametrize("bad", ["a/b", "a/b/c/d", "a//c", "../b/c", "a/.b/c", "a b/c/d", "a/b/<c>", ""])
def test_what_cannot_be_a_file_or_stand_in_a_list_is_refused(bad: str) -> None:
    assert not is_valid_id(bad)
    with pytest.raises(AvsieveError, match="expected speaker/video/utterance"):
        parse_id(bad)


@pytest.mark.parametrize("needed", [*"()|!:;,\"'&<>%{}[]$#^`~?*\\ \t\r\n", "\x00", "\u202e", "＝"])
def test_no_id_can_call_a_function_of_a_spreadsheet_or_name_a_file_to_it(needed: str) -> None:
    """One may begin as a formula does; what a call, a reference, a link or a command needs cannot stand in it."""
    for begin in "=+-@":
        assert is_valid_id(f"{begin}a/{begin}b/{begin}1")
        assert not is_valid_id(f"{begin}a/{begin}b/{begin}1{needed}")
        assert not is_valid_id(f"{needed}a/b/1")
        assert is_valid_id(f"a/b/{id_part(begin + needed)}")  # the name of a file is written as an id can have it


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


ODD = {
    "clip#1": "clip=231",
    "00001 (1)": "00001=20=281=29",
    "Zoë": "Zo=C3=AB",
    "Zoe\u0308": "Zoe=CC=88",  # the same to the eye, and another file
    "caf\udce9": "caf=E9",  # Latin-1, as Python has what is not UTF-8
    ".hidden": "=2Ehidden",
    "clip=231": "clip=3D231",  # else it would be clip#1
    "a/b": "a=2Fb",
    "a\nb|c": "a=0Ab=7Cc",
}


@pytest.mark.parametrize(("name", "part"), ODD.items())
def test_an_odd_name_is_written_by_its_bytes_and_comes_back(name: str, part: str) -> None:
    assert id_part(name) == part
    assert is_valid_id(f"{part}/{part}/{part}")
    assert real_name(part) == name


@pytest.mark.parametrize("name", ["00001", "-7xQ_w0a1B2", "a.b+c@d", "@handle", "abc==", "x=y", "=", "A=b1"])
def test_a_plain_name_is_its_own_part(name: str) -> None:
    assert (id_part(name), real_name(name)) == (name, name)
    assert is_valid_id(f"{name}/{name}/{name}")


def test_no_two_names_have_one_part() -> None:
    names = ["".join(signs) for n in range(1, 6) for signs in itertools.product("=2Aa# ", repeat=n)]
    parts = {id_part(name) for name in names}
    assert len(parts) == len(names)
    assert all(real_name(id_part(name)) == name for name in names)


def test_a_part_can_always_be_a_file_and_long_names_stay_apart() -> None:
    names = ["я" * 127, "я" * 126 + "й", "a" * 255, "a" * 254 + "b", "a" * LONGEST]
    parts = [id_part(name) for name in names]
    assert max(map(len, parts)) <= LONGEST
    assert len(set(parts)) == len(parts)
    assert parts[-1] == names[-1]
    assert real_name(parts[0]) is None
    assert id_part(parts[0]) != parts[0]  # a file that is called so is another one


def test_nothing_has_no_part() -> None:
    with pytest.raises(AvsieveError, match="is empty"):
        id_part("")
