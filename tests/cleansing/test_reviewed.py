from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.decisions import decide, expected
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.reviewed import match, named, overridden, with_review
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.suggestions import Suggestions
from avsieve.cleansing.warning_texts import review_in_words
from avsieve.cleansing.write import cleanse
from avsieve.review.entry import FINDINGS, ReviewError, Verdict
from avsieve.review.table import Reviewed, write_review
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from avsieve.storage.tables import read_table

from .conftest import Scored, f1, score


def review(utterance: str, decision: str, **more) -> Reviewed:
    audio, visual = FINDINGS[decision]
    return Reviewed(utterance, decision, str(audio), str(visual), **more)


def judged(n: int, a: float = 0.4, v: float = 0.3, wrong: float = 0.5) -> Judgement:
    return Judgement(np.full(n, a), np.full(n, v), np.full(n, wrong), calibrated=True)


@pytest.fixture
def ids(scored) -> list[str]:
    return scored.scores.utterance.tolist()


def test_decisions_stand_whatever_the_method_says_and_unsure_leaves_it_alone(scored, ids) -> None:
    words = ["right", "wrong_voice", "wrong_face", "wrong_clip", "unsure"]
    found = match(scored.scores, [review(u, word) for u, word in zip(ids, words, strict=False)], "review.csv")
    new = overridden(judged(len(ids)), found)
    assert new.audio_wrong[:6].tolist() == [0, 1, 0, 1, 0.4, 0.4]
    assert new.visual_wrong[:6].tolist() == [0, 0, 1, 1, 0.3, 0.3]
    assert new.wrong[:6].tolist() == [0, 1, 1, 1, 0.5, 0.5]
    decisions = decide(scored.scores, new, "either", 1.0, found.decided)  # whatever the threshold
    assert decisions.decision[:6].tolist() == ["clean", "noisy", "noisy", "noisy", "clean", "clean"]
    assert decisions.reason[:6].tolist() == ["reviewed"] * 4 + ["ok"] * 2
    assert decisions.kind[:6].tolist() == ["", "audio", "visual", "video", "", ""]
    assert decisions.usable["audio"][:4].tolist() == [True, False, True, False]
    assert found.decision[:6].tolist() == [*words, ""]


def test_of_a_modality_that_nobody_decided_the_other_one_tells(scored, ids) -> None:
    rows = [Reviewed(ids[0], "unsure", "right", "unsure"), Reviewed(ids[1], "wrong_voice", "wrong", "unsure")]
    found = match(scored.scores, rows, "review.csv")
    new = overridden(judged(len(ids)), found)  # both are wrong with 0.2
    assert new.visual_wrong[0] == pytest.approx(0.1 / 0.6)
    assert new.wrong[0] == pytest.approx(0.1 / 0.6)
    assert (new.visual_wrong[1], new.wrong[1]) == (pytest.approx(0.2 / 0.4), 1.0)
    decisions = decide(scored.scores, new, "either", 0.1, found.decided)
    assert decisions.reason[:2].tolist() == ["wrong_visual", "reviewed"]  # the first is the method's finding
    # Where only faces were judged, a voice that is right is no news of the face.
    faces = Judgement(np.full(len(ids), np.nan), np.full(len(ids), 0.3), np.full(len(ids), 0.3), calibrated=True)
    new = overridden(faces, found)
    assert new.wrong[:3].tolist() == [0.3, 1.0, 0.3]


def test_a_decision_spreads_to_the_other_clips_of_the_label_in_that_video(scored) -> None:
    scores = scored.scores
    video = pd.Series([u.rsplit("/", 1)[0] for u in scores.utterance])
    clips = next(g.index.to_numpy() for _, g in video.groupby(video) if len(g) >= 4)
    names = scores.utterance[clips].tolist()
    rows = [
        review(names[0], "other_speaker", speaker=scores.speakers[-1], spread=True),
        review(names[1], "unsure"),
    ]
    found = match(scores, rows, "review.csv")
    assert found.decision[clips].tolist() == ["other_speaker", "unsure", *["spread"] * (len(clips) - 2)]
    assert np.isnan(found.audio[clips[1]])
    assert (found.audio[clips[2:]] == 1).all()
    assert found.facts["spread"] == len(clips) - 2
    assert found.decided.sum() == len(clips) - 1
    assert found.anchors.row.tolist() == clips[:2].tolist()  # what was spread is no anchor
    kind = np.where(found.audio == 1, "video", "").astype(object)
    nobody = Suggestions(np.full(len(scores), -1, np.int32), np.full(len(scores), np.nan))
    suggested = named(nobody, found, scores, kind)
    assert suggested.speaker[clips].tolist()[2:] == [len(scores.speakers) - 1] * (len(clips) - 2)
    # Two that contradict each other do not spread, and that is told.
    rows = [review(names[0], "wrong_voice", spread=True), review(names[1], "right", spread=True)]
    found = match(scores, rows, "review.csv")
    assert np.isnan(found.audio[clips[2:]]).all()
    assert (found.visual[clips[2:]] == 0).all()
    assert found.facts["spread_conflicts"] == {"count": 1, "examples": [names[0]]}


def test_a_review_of_another_corpus_is_refused_and_a_few_strangers_are_told(scored, ids) -> None:
    rows = [review(u, "right") for u in ids[:150]]
    found = match(scored.scores, [*rows, review("who/what/1", "right")], "review.csv")
    assert found.facts["foreign"] == {"count": 1, "examples": ["who/what/1"]}
    assert "1 review of utterances that are not in the list" in review_in_words({"review": found.facts})[0].text
    more = [*rows, *(review(f"who/what/{i}", "right") for i in range(2))]
    with pytest.raises(ReviewError, match=r"^review.csv: 2 of 152 reviewed utterances are not in the list \(who/what"):
        match(scored.scores, more, "review.csv")


def test_another_list_and_unknown_speakers_are_counted(scored, ids) -> None:
    rows = [
        review(ids[0], "right", list_sha256="new"),
        review(ids[1], "right", list_sha256="new old"),
        review(ids[2], "other_speaker", speaker="somebody"),
    ]
    facts = match(scored.scores, rows, "review.csv", "new").facts
    assert facts["other_list"] == {"count": 1, "examples": [ids[1]]}
    assert facts["unknown_speakers"] == {"count": 1, "examples": [f"{ids[2]} = somebody"]}
    assert [w.severe for w in review_in_words({"review": facts})] == [True, False]
    assert match(scored.scores, rows, "review.csv").facts["other_list"]["count"] == 0


@pytest.fixture(scope="module")
def hard() -> Scored:
    """Encoders that tell people apart with some trouble."""
    encoder = {"clean_similarity": 0.5, "clean_spread": 0.2}
    world = WorldSpec(speakers=50, outsiders=25, videos_per_speaker=7, utterances_per_video=3)
    world = replace(world, audio=replace(world.audio, **encoder), visual=replace(world.visual, **encoder))
    return score(simulate(world, NoiseSpec(rate=0.2), seed=3))


def truths(scored, rows) -> list[Reviewed]:
    """Return what a reviewer who knows the truth says."""
    words = {(False, False): "right", (True, False): "wrong_voice", (False, True): "wrong_face"}
    a, v = scored.wrong_audio, scored.wrong_visual
    return [review(scored.scores.utterance[k], words.get((bool(a[k]), bool(v[k])), "wrong_clip")) for k in rows]


@pytest.mark.parametrize("choice", ["uncertain", "random"])
def test_two_hundred_decisions_make_the_list_better(hard, choice) -> None:
    scored, machine = hard, judge(hard.scores, "posterior")
    order = np.argsort(np.abs(machine.wrong - 0.5))
    order = order if choice == "uncertain" else np.random.default_rng(0).permutation(order)
    found = match(scored.scores, truths(scored, order[:200]), "review.csv")
    new = with_review(machine, found)
    before = decide(scored.scores, machine, "either", 0.5)
    after = decide(scored.scores, new, "either", 0.5, found.decided)
    wrong, others = scored.wrong, order[200:]
    assert f1(wrong, after.noisy) > f1(wrong, before.noisy) + (0.05 if choice == "uncertain" else 0.01)
    assert (after.noisy[order[:200]] == wrong[order[:200]]).all()
    assert f1(wrong[others], after.noisy[others]) >= f1(wrong[others], before.noisy[others]) - 0.01
    # What is known is counted as known.
    hit = (after.noisy & wrong).sum()
    promised = expected(after)
    assert promised["precision"] == pytest.approx(hit / after.noisy.sum(), abs=0.05)
    # Of those at random most are right, and hardly enough are wrong to calibrate by: then recall stays too hopeful.
    if choice == "uncertain":
        assert new.facts["recalibration"]["used"]
        assert promised["recall"] == pytest.approx(hit / wrong.sum(), abs=0.05)


def test_the_table_of_decisions_has_both_what_people_and_what_the_method_say(scored, ids, tmp_path) -> None:
    seconds = scored.corpus.plan["seconds"].tolist()
    cleanse(scored.scores, seconds, tmp_path / "alone", Cleansing())
    alone = read_table(tmp_path / "alone/decisions.parquet")
    kept, flagged = (np.flatnonzero(alone["decision"] == name)[0] for name in ("clean", "noisy"))
    rows = [
        review(ids[kept], "other_speaker", speaker="somebody", reviewers=3),
        review(ids[flagged], "right"),
        review("who/what/1", "right"),
    ]
    path = tmp_path / "review.csv"
    write_review(path, rows)
    settings = Cleansing(review=str(path))
    with pytest.raises(ReviewError, match="1 of 3 reviewed utterances are not in the list"):
        cleanse(scored.scores, seconds, tmp_path / "new", settings)
    assert not (tmp_path / "new").exists()
    write_review(path, rows[:2])
    summary = cleanse(scored.scores, seconds, tmp_path / "new", settings)
    found = read_table(tmp_path / "new/decisions.parquet")
    # Nothing else is decided otherwise; suggestions learn from what is right, which is more now.
    others = alone.drop(columns=["suggested_speaker", "p_suggested"]).drop(index=[kept, flagged])
    pd.testing.assert_frame_equal(found.loc[others.index, others.columns], others)
    row = found.loc[kept]
    assert row[["decision", "reason", "kind", "suggested_speaker", "p_suggested", "p_wrong"]].tolist() == [
        "noisy", "reviewed", "video", "somebody", 1.0, 1.0,
    ]  # fmt: skip
    assert row[["review", "reviewers", "machine_decision"]].tolist() == ["other_speaker", 3, "clean"]
    assert row["machine_p_wrong"] == alone.loc[kept, "p_wrong"]
    row = found.loc[flagged]
    assert row[["decision", "reason", "kind", "p_wrong"]].tolist() == ["clean", "reviewed", "", 0.0]
    assert row["machine_decision"] == "noisy"
    assert summary["review"]["by_decision"] == {"other_speaker": 1, "right": 1}
    assert summary["review"]["recalibration"]["used"] is False
    assert summary["settings"]["review"] == str(path)
    assert "review" not in read_table(tmp_path / "alone/decisions.parquet").columns
    before = {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()}
    cleanse(scored.scores, seconds, tmp_path / "new", settings)
    assert {p.name: p.read_bytes() for p in (tmp_path / "new").iterdir()} == before


def test_a_method_without_probabilities_takes_decisions_too(scored, ids, tmp_path) -> None:
    path = tmp_path / "review.csv"
    write_review(path, [review(u, word) for u, word in zip(ids, ["right", "wrong_clip"], strict=False)])
    seconds = scored.corpus.plan["seconds"].tolist()
    settings = Cleansing(method="fixed_threshold", options={"thresholds": [0.9]}, review=str(path))
    summary = cleanse(scored.scores, seconds, tmp_path / "new", settings)
    found = read_table(tmp_path / "new/decisions.parquet")
    assert found["decision"][:3].tolist() == ["clean", "noisy", "noisy"]
    assert found["machine_decision"][0] == "noisy"
    assert summary["review"]["recalibration"] is None


def test_what_has_no_embedding_can_be_called_wrong_and_is_incomplete_when_right(scored, ids) -> None:
    e = scored.scores.visual
    gone = np.arange(len(ids)) < 2
    visual = replace(e, present=e.present & ~gone, similarity=np.where(gone, np.nan, e.similarity))
    scores = replace(scored.scores, evidence=scored.scores.evidence | {"visual": visual})
    machine = judged(len(ids))
    machine.visual_wrong[:2] = np.nan
    found = match(scores, [review(ids[0], "wrong_face"), review(ids[1], "right")], "review.csv")
    decisions = decide(scores, overridden(machine, found), "either", 0.6, found.decided)
    assert decisions.decision[:2].tolist() == ["noisy", "incomplete"]
    assert decisions.reason[:2].tolist() == ["reviewed", "no_visual"]


def test_every_decision_has_its_findings() -> None:
    assert set(FINDINGS) == set(Verdict)
