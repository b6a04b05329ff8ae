from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.simulation.worlds import WORLDS

SMALL = ("--speakers", 12, "--videos", 4, "--utterances", 2)


def test_equal_seeds_give_equal_bytes_and_others_do_not(avsieve, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert not avsieve("simulate", "--out", tmp_path / name, *SMALL, "--rate", 0.2, "--seed", seed)
    files = sorted(path.name for path in (tmp_path / "a").iterdir())
    assert files == ["audio.npz", "train_all.txt", "truth.csv", "visual.npz"]
    assert all((tmp_path / "a" / f).read_bytes() == (tmp_path / "b" / f).read_bytes() for f in files)
    assert (tmp_path / "a/truth.csv").read_bytes() != (tmp_path / "c/truth.csv").read_bytes()


def test_the_truth_has_the_layout_that_the_configuration_takes(avsieve, tmp_path: Path, capsys) -> None:
    assert not avsieve("simulate", "--out", tmp_path, *SMALL, "--rate", 0.4, "--audio-only", 0.5, "--visual-only", 0.5,
                       "--whole-video", 0)  # fmt: skip
    truth = pd.read_csv(tmp_path / "truth.csv")
    assert {"utterance", "voice_of", "face_of", "kind"} <= set(truth.columns)
    assert set(truth["kind"]) == {"clean", "voice", "face"}
    wrong = int((truth["kind"] != "clean").sum())
    assert f"{len(truth)} utterances of 12 speakers, {wrong} mislabelled" in capsys.readouterr().out
    with np.load(tmp_path / "audio.npz") as made:
        assert made["utterance"].tolist() == truth["utterance"].tolist()
        assert made["embedding"].dtype == np.float16


@pytest.mark.parametrize(("flag", "value"), [("--rate", 1), ("--rate", -0.1), ("--outside", 1.5)])
def test_a_share_that_is_none_is_refused(avsieve, tmp_path: Path, capsys, flag: str, value: float) -> None:
    assert avsieve("simulate", "--out", tmp_path / "out", flag, value) == 2
    assert f"argument {flag}" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_world_is_made_by_its_name_and_options_change_it(avsieve, tmp_path: Path) -> None:
    assert not avsieve("simulate", "--out", tmp_path / "clean", "--world", "clean", *SMALL)
    assert set(pd.read_csv(tmp_path / "clean/truth.csv")["kind"]) == {"clean"}
    assert not avsieve("simulate", "--out", tmp_path / "one", "--world", "one-video", "--speakers", 12, "--rate", 0.5)
    made = pd.read_csv(tmp_path / "one/truth.csv")
    assert made["utterance"].str.rsplit("/", n=1).str[0].nunique() == made["speaker"].nunique() == 12
    assert (made["kind"] != "clean").any()


def test_the_help_names_every_world(avsieve, capsys) -> None:
    assert not avsieve("simulate", "--help")
    told = capsys.readouterr().out
    assert all(f"  {name:20}{world.description}" in told for name, world in WORLDS.items())
    assert "(default: 400)" in told


def test_an_unknown_world_is_an_error_in_a_line(avsieve, tmp_path: Path, capsys) -> None:
    assert avsieve("simulate", "--out", tmp_path / "out", "--world", "nowhere") == 1
    error = capsys.readouterr().err
    assert error.startswith("error: world 'nowhere'; expected one of plain, ")
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_segments_and_faces_are_written_where_they_are_asked_for(avsieve, tmp_path: Path) -> None:
    assert not avsieve("simulate", "--out", tmp_path, *SMALL, "--sequences")
    assert {"audio_segments.parquet", "visual_frames.parquet"} < {path.name for path in tmp_path.iterdir()}
