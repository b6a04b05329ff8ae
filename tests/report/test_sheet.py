import base64

import cv2
import numpy as np
import pytest

from avsieve.report.media import Media, shard_name
from avsieve.report.sheet import Trusted, closest_calls, make_rows, mistakes, most_certain

from .made_up import make_decisions, make_media, make_truth

DECISIONS = make_decisions()


@pytest.fixture
def media(tmp_path):
    with make_media(tmp_path, DECISIONS["utterance"].tolist()) as opened:
        yield opened


def content_of(uri, kind):
    prefix = f"data:{kind};base64,"
    assert uri.startswith(prefix)
    return base64.b64decode(uri[len(prefix) :])


def test_faces_are_small_jpegs_spread_over_the_utterance(media):
    faces = media.faces("s0/v0/00000", 2)
    assert len(faces) == 2
    images = [cv2.imdecode(np.frombuffer(content_of(f.uri, "image/jpeg"), np.uint8), 1) for f in faces]
    assert images[0].shape == (80, 80, 3)
    assert images[1].mean() > images[0].mean()  # the first and the last frame


def test_what_no_shard_holds_is_simply_not_shown(media, tmp_path):
    assert media.faces("x/y/z", 3) == []
    assert media.voice("x/y/z", 1.0) is None
    with Media([], [], {"a/b/c": "000"}) as nothing:
        assert nothing.faces("a/b/c", 3) == []


def test_the_shard_is_in_the_name():
    assert shard_name("results/align/012.faces.tar") == "012"


def test_trusted_utterances_are_clean_and_of_different_videos():
    names = Trusted(DECISIONS).of("s1", 3)
    assert {n.split("/")[1] for n in names} == {"v0", "v1", "v2"}
    assert "s1/v1/00002" not in Trusted(DECISIONS).of("s1", 100)
    assert Trusted(DECISIONS).of("nobody", 3) == []
    assert Trusted(DECISIONS).of(None, 3) == []


def test_kinds_take_turns_and_a_video_comes_once_before_it_comes_again():
    chosen = most_certain(DECISIONS, 4)
    assert sorted(chosen["kind"].tolist()[:3]) == ["audio", "video", "visual"]
    assert chosen["kind"].tolist()[3] == "video"
    assert len(most_certain(DECISIONS, 100)) == 6  # the one that could not be judged is no finding


def test_closest_calls_are_nearest_to_even():
    decisions = DECISIONS.copy()
    decisions.loc[[5, 6], "p_wrong"] = [0.45, 0.6]
    assert closest_calls(decisions, 5)["utterance"].tolist() == decisions["utterance"][[5, 6]].tolist()


def test_mistakes_are_misses_and_false_alarms():
    truth = make_truth(DECISIONS)
    truth.loc[[0, 10], "kind"] = ["clean", "voice"]
    assert set(mistakes(DECISIONS, truth, 10)["utterance"]) == set(DECISIONS["utterance"][[0, 10]])


def test_a_row_shows_the_utterance_its_speaker_and_the_suggested_one(media):
    chosen = most_certain(DECISIONS, 2)
    rows = make_rows(chosen, media, Trusted(DECISIONS), make_truth(DECISIONS), faces=3, players=1, voice_s=0.1)
    first, second = rows
    assert [s.caption.split(",")[0] for s in first.strips] == ["flagged", "trusted", "trusted"]
    assert [len(s.faces) for s in first.strips] == [3, 3, 3]
    assert all(s.voice for s in first.strips)
    # Below the rows with players only what is to be judged by ear has sound.
    assert all(s.voice for s in second.strips) == (second.kind in ("audio", "video"))
    quiet = make_rows(chosen, media, Trusted(DECISIONS), None, faces=3, players=0, voice_s=0.1)
    assert not any(s.voice for row in quiet for s in row.strips)
    assert first.truth == first.kind_label
    assert [place.what for place in first.places] == ["wav", "faces"]


def test_every_row_that_is_flagged_for_its_voice_has_sound(media):
    chosen = most_certain(DECISIONS, 9)
    rows = make_rows(chosen, media, Trusted(DECISIONS), None, faces=3, players=1, voice_s=0.1)
    assert {"audio", "visual"} <= {row.kind for row in rows}
    assert all(row.strips[0].voice for row in rows if row.kind in ("audio", "video"))


def test_a_modality_that_is_missing_is_none_and_so_is_an_unknown_truth(media):
    chosen = most_certain(DECISIONS, 1).assign(audio_similarity=np.nan, suggested_speaker=None)
    (row,) = make_rows(chosen, media, Trusted(DECISIONS), None, faces=3, players=1, voice_s=0.1)
    assert row.audio_similarity is None
    assert row.truth is None
    assert len(row.strips) == 2
