from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.run_files import RunFiles, find_run
from avsieve.inspection.utterance import utterance_facts
from avsieve.inspection.utterance_text import utterance_lines, why

from .conftest import TESTED


@pytest.fixture(scope="module")
def flagged(table: pd.DataFrame) -> pd.Series:
    """Return a flagged utterance for which somebody is suggested."""
    return table[(table["decision"] == "noisy") & table["suggested_speaker"].notna() & (table["kind"] == "video")].iloc[
        0
    ]


def test_a_flagged_utterance_tells_why_and_whose_it_may_be(
    run: RunFiles, flagged: pd.Series, table: pd.DataFrame
) -> None:
    found = utterance_facts(run, flagged["utterance"])
    assert found.clip.p_wrong == pytest.approx(flagged["p_wrong"], abs=1e-6)
    assert found.suggestion is not None
    assert found.suggestion.speaker == flagged["suggested_speaker"]
    (audio,) = [x for x in found.suggestion.likeness if x.modality == "audio"]
    if flagged["audio_nearest_speaker"] == found.suggestion.speaker:
        assert (audio.rank, audio.suggested) == (1, pytest.approx(flagged["audio_nearest_similarity"]))
    video = flagged["utterance"].rsplit("/", 1)[0]
    assert len(found.video_clips) == int(table["utterance"].str.startswith(f"{video}/").sum()) - 1
    sentences = why(found)
    assert sentences[0] == "Flagged: voice and face are another person's."
    assert any("below what is usual in the corpus" in text for text in sentences)
    assert any("above 0.5 it is flagged" in text for text in sentences)


def test_where_its_files_are_is_told_with_shard_members_and_bytes(run: RunFiles, flagged: pd.Series) -> None:
    found = utterance_facts(run, flagged["utterance"])
    places = {place.what: place for place in found.places}
    faces = places["faces"]
    assert faces.path.endswith(f"align/{found.shard}.faces.tar")
    assert [name.rsplit("/", 1)[1] for name in faces.members] == ["0010.jpg", "0020.jpg", "0030.jpg"]
    with Path(faces.path).open("rb") as file:
        file.seek(faces.offset)
        assert file.read(faces.size)[:2] == b"\xff\xd8"  # a JPEG begins here
    assert [s.stage for s in found.said] == ["media", "extract", "align", "embed_audio", "embed_visual"]


def test_what_a_stage_failed_at_is_told(run: RunFiles) -> None:
    first = pd.read_parquet(run.below("results/plan/shards/001.parquet"))["utterance"][0]
    lines = [line.split(maxsplit=2) for line in utterance_lines(utterance_facts(run, first))]
    assert ["align", "no_face", "the detector found no face in any frame; 8 frames"] in lines


def test_a_kept_utterance_says_so(run: RunFiles, table: pd.DataFrame) -> None:
    name = table[table["decision"] == "clean"]["utterance"].iloc[0]
    found = utterance_facts(run, f"/some/where/{name}.wav")
    assert found.clip.utterance == name
    assert why(found)[0] == "Kept: nothing found."
    assert found.suggestion is None
    json.dumps(found.as_json(), allow_nan=False)


def test_a_folder_of_avsieve_cleanse_has_reasons_and_no_files(flat: Path, flagged: pd.Series) -> None:
    found = utterance_facts(find_run(flat), flagged["utterance"])
    assert (found.shard, found.places, found.said) == (None, [], [])
    assert utterance_lines(found)[-1] == "files: none; a folder of avsieve cleanse holds no clips, faces or sound"


def test_ids_that_have_no_decision_are_told_with_the_reason(run: RunFiles, table: pd.DataFrame) -> None:
    name = table["utterance"][0]
    speaker, video, _ = name.split("/")
    with pytest.raises(AvsieveError, match=r"is of the people who are only tested \(plan: subset test, shard 000\)"):
        utterance_facts(run, TESTED)
    with pytest.raises(AvsieveError, match=rf"{speaker} is a speaker with \d+ utterances; .* --speaker {speaker}"):
        utterance_facts(run, speaker)
    with pytest.raises(AvsieveError, match=rf"{speaker}/{video} is a video .* --video {speaker}/{video}"):
        utterance_facts(run, f"{speaker}/{video}")
    with pytest.raises(AvsieveError, match=rf"no utterance of the \d+ in .*; did you mean .*{name}"):
        utterance_facts(run, f"{name}9")
