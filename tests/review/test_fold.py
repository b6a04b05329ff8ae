from __future__ import annotations

import random
from pathlib import Path

import pytest

from avsieve.review.entry import ReviewError, Verdict
from avsieve.review.fold import fold, fold_into
from avsieve.review.log import ReviewLog
from avsieve.review.table import Reviewed, read_review

CLIP = "id1/video/00001"


def decide(folder: Path, **decisions: str) -> Reviewed:
    """Note a decision per reviewer about one clip, and return what comes of it."""
    for reviewer, decision in decisions.items():
        word, _, speaker = decision.partition(" ")
        ReviewLog(folder, reviewer).append(CLIP, word, speaker=speaker)
    return fold(folder).rows[0]


def test_the_latest_decision_of_a_reviewer_counts_and_an_undo_brings_the_earlier_back(tmp_path: Path) -> None:
    log = ReviewLog(tmp_path, "ann", "abc")
    log.append(CLIP, "wrong_clip", spread=True)
    log.append(CLIP, "wrong_voice")
    row = fold(tmp_path).rows[0]
    assert (row.decision, row.audio, row.visual, row.spread) == ("wrong_voice", "wrong", "right", False)
    log.undo()
    row = fold(tmp_path).rows[0]
    assert (row.decision, row.spread, row.reviewers, row.who, row.list_sha256) == ("wrong_clip", True, 1, "ann", "abc")
    log.undo()
    assert fold(tmp_path).rows == []


@pytest.mark.parametrize(
    ("decisions", "audio", "visual", "word", "resolved"),
    [
        (("right", "right"), "right", "right", "right", ""),
        (("right", "wrong_clip"), "unsure", "unsure", "unsure", "tie"),
        (("right", "wrong_clip", "wrong_clip"), "wrong", "wrong", "wrong_clip", "majority"),
        (("right", "unsure", "unsure"), "right", "right", "right", ""),  # unsure is no vote
        (("wrong_voice", "wrong_clip"), "wrong", "unsure", "wrong_voice", "tie"),
        (("right", "wrong_voice", "wrong_face"), "right", "right", "right", "majority"),
        (("other_speaker id2", "wrong_clip"), "wrong", "wrong", "other_speaker", ""),
        (("other_speaker id2", "other_speaker id3"), "wrong", "wrong", "wrong_clip", ""),
        (("unsure", "unsure"), "unsure", "unsure", "unsure", ""),
    ],
)
def test_reviewers_who_disagree_are_outvoted_and_a_tie_is_unsure(
    tmp_path: Path, decisions, audio: str, visual: str, word: str, resolved: str
) -> None:
    row = decide(tmp_path, **dict(zip("abc", decisions, strict=False)))
    assert (row.audio, row.visual, row.decision, row.resolved) == (audio, visual, word, resolved)
    assert row.disagreement == bool(resolved)
    assert row.reviewers == len(decisions)
    assert row.speaker == ("id2" if word == "other_speaker" else "")


@pytest.mark.parametrize("seed", range(10))
def test_any_votes_fold_to_what_counting_them_by_hand_gives(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    words = [w for w in Verdict if w != "other_speaker"]
    said: dict[str, dict[str, str]] = {}
    for reviewer in "abcde":
        log = ReviewLog(tmp_path, reviewer)
        for _ in range(chance.randrange(1, 8)):
            clip, word = f"id1/v/{chance.randrange(4)}", chance.choice(words)
            log.append(clip, word)
            if chance.random() < 0.3:
                log.undo()
            else:
                said.setdefault(clip, {})[reviewer] = word
    rows = {row.utterance: row for row in fold(tmp_path).rows}
    assert sorted(rows) == sorted(said)
    wrong_of = {"audio": ("wrong_voice", "wrong_clip"), "visual": ("wrong_face", "wrong_clip")}
    for clip, votes in said.items():
        row, decided = rows[clip], [word for word in votes.values() if word != "unsure"]
        assert row.reviewers == len(votes)
        for part, wrong in wrong_of.items():
            against = sum(word in wrong for word in decided)
            right = len(decided) - against
            expected = "unsure" if against == right else "wrong" if against > right else "right"
            assert getattr(row, part) == expected


def test_equal_decisions_give_equal_bytes_in_whatever_order_they_were_made(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("avsieve.review.log.now", lambda: "2024-05-01T12:00:00Z")
    chance = random.Random(1)
    clips = [f"id{i % 3}/v{i}/1" for i in range(20)]
    words = [w for w in Verdict if w != "other_speaker"]
    said = {(r, c): chance.choice(words) for r in ("ann", "bob") for c in clips}
    for name in ("one", "two"):
        for reviewer in ("ann", "bob"):
            log = ReviewLog(tmp_path / name, reviewer)
            for clip in chance.sample(clips, len(clips)):
                log.append(clip, "unsure")
                log.append(clip, said[reviewer, clip])
        folded = fold_into(tmp_path / name, tmp_path / f"{name}.csv")
        assert read_review(tmp_path / f"{name}.csv") == folded.rows
        assert len(folded.rows) == 20
    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert not list(tmp_path.glob("*.partial*"))


def test_a_folder_without_logs_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match=r"no log of a reviewer; expected files <reviewer>.jsonl"):
        fold(tmp_path)
    with pytest.raises(ReviewError, match="no such folder"):
        fold(tmp_path / "none")
