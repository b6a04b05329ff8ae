from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from avsieve.config.model import Config, parse_config
from avsieve.doctor.speakers import check_people, people_of
from avsieve.sources.plan import hold_out


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def clips(speakers: int, videos: int = 2) -> None:
    for speaker in range(speakers):
        for video in range(videos):
            folder = Path(f"clips/id{speaker}/v{video}")
            folder.mkdir(parents=True)
            (folder / "00001.mp4").write_bytes(b"x")


def tree(**values: Any) -> Config:
    return parse_config({"source": {"kind": "tree", "tree": {"root": "clips"}}, **values})


@pytest.mark.parametrize(("speakers", "stops"), [(4, True), (5, False), (6, False)])
def test_too_few_speakers_to_hold_some_out_are_warned_of(speakers: int, stops: bool) -> None:
    clips(speakers)
    found = check_people(tree())
    assert bool(found) == stops
    assert {f.level for f in found} <= {"warning"}
    assert all("0.3 of 4 speakers leaves 1 to test and 3 to train" in f.text and "left out" in f.text for f in found)


def test_speakers_of_one_video_give_no_target_trials() -> None:
    clips(6, videos=1)
    (found,) = check_people(tree())
    assert "none of the 2 speakers kept for testing has two videos" in found.text
    assert found.level == "warning"


def test_it_is_those_who_are_kept_who_need_videos() -> None:
    clips(6, videos=1)
    kept = hold_out([f"id{i}" for i in range(6)], 0.3, 0)
    Path(f"clips/{min(kept)}/another").mkdir()
    assert check_people(tree()) == []


def test_a_test_set_or_a_trial_list_needs_nobody_held_out() -> None:
    clips(3)
    (Path() / "others").mkdir()
    source = {"kind": "tree", "tree": {"root": "clips", "test_root": "others"}}
    assert check_people(parse_config({"source": source})) == []
    assert check_people(tree(evaluation={"trials": "trials.txt"})) == []


def test_one_speaker_trains_no_fusion_model() -> None:
    clips(1)
    (found,) = check_people(tree(evaluation={"trials": "trials.txt"}))
    assert (found.level, found.subject) == ("error", "fusion.models")
    assert check_people(tree(evaluation={"trials": "trials.txt"}, fusion={"models": []})) == []


def test_encoders_of_the_comparison_need_two_speakers_besides_those_kept_out() -> None:
    clips(3)
    values: dict[str, Any] = {"evaluation": {"trials": "t.txt"}, "comparison": {"in_report": True}}
    assert check_people(tree(**values)) == []
    values["training"] = {"audio": {"validation": 0.001}}
    (found,) = check_people(tree(**values))
    assert (found.level, found.subject) == ("error", "training.audio.validation")
    assert "keeps 0 of 3 speakers out" in found.text


def test_the_list_tells_who_there_is_before_the_folder_does(folder: Path) -> None:
    clips(3)
    (folder / "l.txt").write_text("id8 id8/v/1.wav 2.0\nid8 id8/w/1.wav 2.0\nid9 id9/v/1.wav 2.0\n")
    source = {"kind": "tree", "tree": {"root": "clips", "train_list": "l.txt"}}
    assert people_of(parse_config({"source": source})) == {"id8": {"v", "w"}, "id9": {"v"}}
    assert people_of(parse_config({"source": {"kind": "tree", "tree": {"root": "nowhere"}}})) is None
    made = people_of(parse_config({}))
    assert made is not None
    assert len(made) == 28
