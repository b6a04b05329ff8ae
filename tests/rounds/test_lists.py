from __future__ import annotations

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.lists.train_list import read_train_list, write_train_list
from avsieve.rounds.lists import parts_of, write_round_list
from avsieve.storage.tables import write_table

from .made_up import names


def test_the_utterances_of_a_video_stay_together_and_each_speaker_is_in_every_part() -> None:
    utterances = names(5, 4, 3)
    part = parts_of(utterances, 2)
    of = Counter(zip((u.rpartition("/")[0] for u in utterances), part.tolist(), strict=True))
    assert set(of.values()) == {3}
    assert Counter((u.split("/")[0], p) for u, p in zip(utterances, part.tolist(), strict=True)) == {
        (f"id{s}", p): 6 for s in range(5) for p in (0, 1)
    }
    # However the utterances are ordered.
    assert parts_of(utterances[::-1], 2).tolist() == part.tolist()[::-1]


def test_speakers_with_an_odd_number_of_videos_do_not_all_begin_with_the_same_part() -> None:
    sizes = Counter(parts_of(names(40, 1), 2).tolist())
    assert min(sizes.values()) > 10


@pytest.fixture
def run(tmp_path: Path) -> tuple[Path, Path]:
    utterances = names(4, 2, 2)
    speakers = [u.split("/")[0] for u in utterances]
    plan = pd.DataFrame({"utterance": utterances, "speaker": speakers, "subset": "train"})
    write_table(tmp_path / "plan.parquet", plan.assign(held_out=plan["speaker"] == "id3"))
    kept = [u for u in utterances if u != "id0/v0/0"]
    write_train_list(tmp_path / "clean.txt", kept, ["1.0"] * len(kept))
    return tmp_path / "clean.txt", tmp_path / "plan.parquet"


def test_a_round_trains_on_what_was_left_without_the_people_of_the_trials(
    run: tuple[Path, Path], tmp_path: Path
) -> None:
    assert write_round_list(*run, tmp_path / "out.txt") == "11 utterances of 3 speakers"
    assert set(read_train_list(tmp_path / "out.txt")["speaker"]) == {"id0", "id1", "id2"}


def test_the_lists_without_a_part_lack_each_utterance_once(run: tuple[Path, Path], tmp_path: Path) -> None:
    whole = set(read_train_list(run[0])["utterance"]) - set(names(4, 2, 2)[-4:])
    lacking = []
    for part in (0, 1):
        write_round_list(*run, tmp_path / "out.txt", left_out=(part, 2))
        lacking += sorted(whole - set(read_train_list(tmp_path / "out.txt")["utterance"]))
    assert sorted(lacking) == sorted(whole)


def test_a_list_of_one_speaker_is_refused(run: tuple[Path, Path], tmp_path: Path) -> None:
    write_train_list(tmp_path / "one.txt", ["id0/v0/1"], ["1.0"])
    with pytest.raises(AvsieveError, match=r"1 speaker left to train on; expected at least 2: set cleansing\.rounds"):
        write_round_list(tmp_path / "one.txt", run[1], tmp_path / "out.txt")


def test_a_part_that_is_not_there_is_refused(run: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(AvsieveError, match="part 2 of 2: expected one from 0 to 1"):
        write_round_list(*run, tmp_path / "out.txt", left_out=(2, 2))
