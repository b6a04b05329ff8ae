from __future__ import annotations

import pytest

from avsieve.errors import AvsieveError
from avsieve.storage.ids import is_valid_id
from avsieve.synthetic.corpus import CorpusSettings, plan_clips, plan_rows, truth_rows

SETTINGS = CorpusSettings()


def test_the_share_of_wrong_labels_is_what_was_asked_for() -> None:
    for noise in (0.0, 0.05, 0.15, 0.5):
        settings = CorpusSettings(noise=noise)
        clips = [c for c in plan_clips(settings) if c.subset == "train"]
        assert sum(c.kind != "clean" for c in clips) == round(noise * len(clips))


def test_each_kind_of_wrong_label_is_what_it_says() -> None:
    clips = plan_clips(SETTINGS)
    assert {c.kind for c in clips} == {"clean", "video", "voice", "face"}
    for c in clips:
        wrong = (c.face != c.person, c.voice != c.person)
        assert (
            wrong
            == {"clean": (False, False), "video": (True, True), "voice": (False, True), "face": (True, False)}[c.kind]
        )
    by_video: dict[tuple[int, int], set[tuple[str, int, int]]] = {}
    for c in clips:
        by_video.setdefault((c.person, c.video_number), set()).add((c.kind, c.face, c.voice))
    whole = [v for v in by_video.values() if any(kind == "video" for kind, _, _ in v)]
    # Every utterance of such a video shows the same other person; only the last one may be cut short by the budget.
    assert sum(len(v) > 1 for v in whole) <= 1
    assert len(whole) > 3


def test_test_people_are_other_people_and_never_mislabelled() -> None:
    clips = plan_clips(SETTINGS)
    train = {c.speaker for c in clips if c.subset == "train"}
    test = {c.speaker for c in clips if c.subset == "test"}
    assert len(train) == SETTINGS.speakers
    assert len(test) == SETTINGS.test_speakers
    assert not train & test
    assert all(c.kind == "clean" for c in clips if c.subset == "test")


def test_the_plan_is_the_same_every_time_and_differs_by_seed() -> None:
    assert plan_rows(SETTINGS).equals(plan_rows(SETTINGS))
    other = CorpusSettings(seed=2)
    assert not set(plan_rows(SETTINGS)["utterance"]) & set(plan_rows(other)["utterance"])


def test_ids_are_valid_and_unique_and_the_truth_has_one_row_each() -> None:
    rows, truth = plan_rows(SETTINGS), truth_rows(SETTINGS)
    assert rows["utterance"].is_unique
    assert all(is_valid_id(u) for u in rows["utterance"])
    assert truth["utterance"].tolist() == rows["utterance"].tolist()
    assert all(len(u.split("/")[1]) == 11 for u in rows["utterance"])


def test_settings_that_make_no_corpus_are_refused() -> None:
    with pytest.raises(AvsieveError, match="at least 4 people"):
        plan_clips(CorpusSettings(speakers=2))
    with pytest.raises(AvsieveError, match=r"noise is 0\.9"):
        plan_clips(CorpusSettings(noise=0.9))
