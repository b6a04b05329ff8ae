from __future__ import annotations

from pathlib import Path

from avsieve.review.log import ReviewLog


def test_the_logs_of_a_folder_are_folded_and_what_is_torn_is_told(avsieve, tmp_path: Path, capsys) -> None:
    ReviewLog(tmp_path, "ann").append("id1/v/1", "right")
    bob = ReviewLog(tmp_path, "bob")
    bob.append("id1/v/1", "wrong_clip")
    bob.append("id1/v/2", "wrong_voice")
    with (tmp_path / "bob.jsonl").open("a") as log:
        log.write('{"entry": 3, "utter')
    assert not avsieve("review", "fold", tmp_path, "--out", tmp_path / "review.csv")
    told = capsys.readouterr().out
    assert "2 utterances by 2 reviewers: 1 unsure, 1 wrong_voice" in told
    assert "reviewers disagree on 1, 1 of them a tie, hence unsure: id1/v/1" in told
    assert "WARNING: " in told
    assert "bob.jsonl, line 3: cannot be read" in told
    assert (tmp_path / "review.csv").read_text().startswith("utterance,decision,audio,visual,speaker,spread,")


def test_a_folder_without_a_log_is_an_error_in_a_line(avsieve, tmp_path: Path, capsys) -> None:
    assert avsieve("review", "fold", tmp_path, "--out", tmp_path / "review.csv") == 1
    assert "no log of a reviewer" in capsys.readouterr().err
    assert not (tmp_path / "review.csv").exists()
