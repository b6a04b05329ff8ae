from __future__ import annotations

import pytest

from avsieve.errors import AvsieveError
from avsieve.reasons import Reason
from avsieve.sources.containers import choose, is_video, missing_part, stem_of


def test_clips_are_known_by_their_extension_in_any_case() -> None:
    assert [stem_of(n) for n in ("1.mp4", "1.MKV", "a.b.wav")] == ["1", "1", "a.b"]
    assert [stem_of(n) for n in ("1.txt", "1", ".1.mp4")] == [None] * 3
    assert is_video("x/1.WebM")
    assert not is_video("x/1.m4a")


def test_a_video_comes_before_sound_and_what_lost_nothing_before_the_rest() -> None:
    assert choose([]) is None
    assert choose(["1.wav", "1.mp4"]) == "1.mp4"
    assert choose(["1.m4a", "1.wav"]) == "1.wav"
    assert choose(["1.mp4", "1.m4a"], sound_alone=True) == "1.m4a"
    assert choose(["1.mp4"], sound_alone=True) == "1.mp4"


@pytest.mark.parametrize("names", [["1.mkv", "1.mp4"], ["1.WAV", "1.wav"], ["a/1.m4a", "b/1.m4a"]])
def test_two_of_a_kind_are_an_error_that_names_both(names: list[str]) -> None:
    with pytest.raises(AvsieveError, match=f"{names[0]} and {names[1]} are one utterance twice"):
        choose(names)


def test_what_is_missing_depends_on_where_the_sound_should_lie() -> None:
    assert missing_part(True, False, False) is Reason.OK
    assert missing_part(True, False, True) is Reason.SOUND_FILE_MISSING
    assert missing_part(False, True, True) is Reason.VIDEO_FILE_MISSING
    assert missing_part(False, False, True) is Reason.MEDIA_MISSING
