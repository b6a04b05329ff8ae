from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.errors import AvsieveError, TarError
from avsieve.export.contents import Contents

SHARDS = ["000", "001"]


def test_files_of_an_utterance_are_read_in_the_order_of_time_and_by_kind(results: Path) -> None:
    contents = Contents(results, ["wav", "faces"], SHARDS)
    assert contents.kinds == ("faces", "wav")  # whatever the order in which they were asked for
    assert [member.name for member in contents.read("faces", "000", "id1/vA/00001")] == ["0010.jpg", "0020.jpg"]
    (wav,) = contents.read("wav", "000", "id1/vA/00001")
    assert wav.content.startswith(b"RIFF")
    assert contents.read("frames", "000", "id1/vA/00001") == []


def test_what_a_stage_found_nothing_of_has_no_files(results: Path) -> None:
    contents = Contents(results, ["faces"], SHARDS)
    shard = next(s for s in SHARDS if Contents(results, ["wav"], SHARDS).read("wav", s, "id2/vC/00001"))
    assert contents.read("faces", shard, "id2/vC/00001") == []
    assert contents.measure(shard, "id2/vC/00001")[:2] == (0, 0)


def test_files_and_bytes_are_those_that_are_read(results: Path) -> None:
    contents = Contents(results, ["faces", "wav"], SHARDS)
    members = [m for kind in contents.kinds for m in contents.read(kind, "000", "id1/vA/00001")]
    files, size, crc = contents.measure("000", "id1/vA/00001")
    assert (files, size) == (3, sum(len(member.content) for member in members))
    assert crc != contents.measure("000", "id1/vA/00002")[2]


def test_nothing_to_export_and_kinds_that_are_none_are_refused(results: Path) -> None:
    with pytest.raises(AvsieveError, match="nothing cannot be exported; expected some of faces, wav, frames"):
        Contents(results, [], SHARDS)
    with pytest.raises(AvsieveError, match="video cannot be exported"):
        Contents(results, ["video", "wav"], SHARDS)


def test_a_shard_that_is_not_there_or_not_whole_says_what_to_do(results: Path) -> None:
    with pytest.raises(AvsieveError, match=r"007\.wav\.tar: no such shard; run the workflow as far as its lists"):
        Contents(results, ["wav"], ["007"])
    tar = results / "extract/000.wav.tar"
    tar.write_bytes(tar.read_bytes()[:700])
    with pytest.raises(TarError, match=r"the index reaches to byte .* remove it and run Snakemake again"):
        Contents(results, ["wav"], ["000"])
    tar.with_suffix(".parquet").write_bytes(b"PAR1")
    with pytest.raises(AvsieveError, match=r"000\.wav\.parquet: not a Parquet table, or damaged"):
        Contents(results, ["wav"], ["000"])
