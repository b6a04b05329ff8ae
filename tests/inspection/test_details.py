from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.decided import Decided
from avsieve.inspection.details import clips_of, speaker_facts, take, video_facts
from avsieve.inspection.worst import worst_of


def test_a_speaker_has_its_videos_and_flagged_clips_and_who_they_may_be(decided: Decided, table: pd.DataFrame) -> None:
    flagged = table[table["decision"] == "noisy"]
    name = flagged["speaker"].value_counts().index[0]
    found = speaker_facts(decided, name, top=1000)
    own = flagged[flagged["speaker"] == name]
    assert {clip.utterance for clip in found.clips} == set(own["utterance"])
    assert found.suggested == own["suggested_speaker"].value_counts().to_dict()
    assert sum(v.utterances for v in found.videos) == found.group.utterances == int((table["speaker"] == name).sum())
    assert [v.low for v in found.videos] == sorted((v.low for v in found.videos), reverse=True)
    json.dumps(found.as_json(), allow_nan=False)


def test_clips_of_others_that_may_be_a_speakers_are_told(decided: Decided, table: pd.DataFrame) -> None:
    flagged = table[(table["decision"] == "noisy") & table["suggested_speaker"].notna()]
    name = flagged["suggested_speaker"].iloc[0]
    theirs = flagged[flagged["suggested_speaker"] == name]["speaker"].value_counts()
    assert speaker_facts(decided, name).claimed == theirs.to_dict()


def test_a_video_has_all_its_clips(decided: Decided, table: pd.DataFrame) -> None:
    video = table["utterance"][0].rsplit("/", 1)[0]
    found = video_facts(decided, video)
    assert [c.utterance for c in found.clips] == [u for u in table["utterance"] if u.startswith(f"{video}/")]
    assert found.as_json()["group"]["name"] == video


def test_unknown_names_are_told_with_names_that_look_like_them(decided: Decided, table: pd.DataFrame) -> None:
    name = table["speaker"][0]
    with pytest.raises(AvsieveError, match=rf"speaker '{name}x': no utterance of the run has it; did you mean {name}"):
        speaker_facts(decided, f"{name}x")
    with pytest.raises(AvsieveError, match=r"video '\?': no utterance of the run has it; names look like"):
        video_facts(decided, "?")


def test_the_worst_utterances_are_flagged_ones_and_the_surest_first(decided: Decided, table: pd.DataFrame) -> None:
    found = worst_of(decided, "utterance", 7)
    flagged = table[table["decision"] == "noisy"].sort_values("p_wrong", ascending=False, kind="stable")
    assert [clip.utterance for clip in found.clips] == flagged["utterance"].tolist()[:7]
    assert found.groups == []
    assert [g.name.count("/") for g in worst_of(decided, "video", 3).groups] == [1, 1, 1]


def test_some_rows_are_taken_with_the_names_that_they_have(decided: Decided) -> None:
    rows = np.array([5, 3, 40])
    part = take(decided, rows)
    assert clips_of(part, np.arange(3)) == clips_of(decided, rows)
    assert set(part.speaker.names) == {part.speaker.text(k) for k in range(3)}
