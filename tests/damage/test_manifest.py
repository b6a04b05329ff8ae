from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.damage.manifest import wanted
from avsieve.damage.settings import Crop, Noise
from avsieve.errors import AvsieveError

from .shards import row, write_rows


def test_only_versions_of_signals_of_the_shard_are_read_and_by_name(tmp_path: Path) -> None:
    table = write_rows(
        tmp_path / "damage.parquet",
        row("z", "a/v/1", "audio", "noise", snr_db=5.0),
        row("b", "a/v/1", "audio", "noise", seed=-7, snr_db=0.0, sound="pink"),
        row("b", "a/v/1", "visual", "crop"),
        row("c", "elsewhere/v/1", "audio", "noise", snr_db=5.0),
        row("d", "a/v/1", "audio", "noise", snr_db=5.0) | {"level": "embedding"},
        row("e", "a/v/1", "audio", "noise", snr_db=5.0) | {"version": ""},
        row("f", "a/v/1", "audio", "missing"),
        row("g", "a/v/1", "visual", "other_person", of="c/v/1"),
    )
    found = wanted(table, ["a/v/1", "b/v/1"])
    assert [version.version for version in found["audio"]] == ["a/v/1@b", "a/v/1@z"]
    assert found["audio"][0][1:] == ("a/v/1", "noise", Noise(snr_db=0.0, sound="pink"), -7)
    assert [version.parameters for version in found["visual"]] == [Crop(pixels=70)]
    assert 0 <= found["audio"][0].draws().random() < 1


def test_a_version_on_both_sides_is_one_and_two_that_differ_are_refused(tmp_path: Path) -> None:
    one = row("b", "a/v/1", "audio", "noise", snr_db=5.0)
    table = write_rows(tmp_path / "damage.parquet", one, one | {"side": "enrol"})
    assert len(wanted(table, ["a/v/1"])["audio"]) == 1
    write_rows(table, one, one | {"seed": 2})
    with pytest.raises(
        AvsieveError, match=r"version a/v/1@b \(audio\) is there twice, as noise .* seed 1 and as .* 2;"
    ):
        wanted(table, ["a/v/1"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"kind": "echo"},
            r"version a/v/1@b: damage 'echo' of the audio modality is not known; expected one of noise,",
        ),
        ({"kind": "blur"}, r"damage 'blur' of the audio modality is not known"),
        ({"modality": "smell"}, r"modality 'smell'; expected one of audio, visual"),
        ({"parameters": "{"}, r"parameters '\{': .*; expected a JSON object"),
        ({"parameters": "[1]"}, r"parameters '\[1\]'; expected a JSON object"),
        ({"parameters": '{"snr": 1}'}, r"version a/v/1@b: noise: (unknown option 'snr'|snr_db None)"),
    ],
)
def test_rows_that_make_no_sense_are_refused(tmp_path: Path, change: dict, message: str) -> None:
    table = write_rows(tmp_path / "damage.parquet", row("b", "a/v/1", "audio", "noise", snr_db=5.0) | change)
    with pytest.raises(AvsieveError, match=message):
        wanted(table, ["a/v/1"])
