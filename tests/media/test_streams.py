from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import pytest
from av.stream import Disposition

from avsieve.media.streams import can_skip, frame_length_of, length_of, pick_audio, pick_video, square_size, start_of


def video(width: int, disposition: Any = Disposition(0)) -> Any:  # noqa: B008 - flags are constants
    return SimpleNamespace(disposition=disposition, codec_context=SimpleNamespace(width=width, height=100))


def audio(channels: int, disposition: Any = Disposition(0)) -> Any:  # noqa: B008 - flags are constants
    context = SimpleNamespace(layout=SimpleNamespace(nb_channels=channels))
    return SimpleNamespace(disposition=disposition, codec_context=context)


def container(**streams: Any) -> Any:
    return SimpleNamespace(streams=SimpleNamespace(**streams))


def test_the_default_video_goes_before_the_largest_and_a_cover_is_none() -> None:
    small, large = video(160), video(640)
    marked, cover = video(80, Disposition.default), video(900, Disposition.attached_pic)
    assert pick_video(container(video=[small, large, cover])) is large
    assert pick_video(container(video=[small, large, marked])) is marked
    assert pick_video(container(video=[cover])) is None


def test_the_sound_of_most_channels_is_taken_unless_another_is_the_default() -> None:
    mono, stereo, marked = audio(1), audio(2), audio(1, Disposition.default)
    assert pick_audio(container(audio=[mono, stereo])) is stereo
    assert pick_audio(container(audio=[stereo, marked])) is marked
    assert pick_audio(container(audio=[])) is None


@pytest.mark.parametrize(
    ("aspect", "size"),
    [(None, (160, 120)), (Fraction(4, 3), (213, 120)), (Fraction(1, 2), (160, 240)), (Fraction(9), (160, 120))],
)
def test_pixels_become_square_by_growing_the_longer_side(aspect: Fraction | None, size: tuple[int, int]) -> None:
    assert square_size(SimpleNamespace(sample_aspect_ratio=aspect), 160, 120) == size


def test_lengths_come_from_the_stream_else_from_the_container() -> None:
    whole = SimpleNamespace(duration=3_000_000)
    assert length_of(whole, SimpleNamespace(duration=50, time_base=Fraction(1, 25))) == 2.0
    assert length_of(whole, SimpleNamespace(duration=None)) == 3.0
    assert length_of(SimpleNamespace(duration=None), SimpleNamespace(duration=None)) == 0.0
    assert frame_length_of(SimpleNamespace(average_rate=None, guessed_rate=Fraction(50))) == 0.02
    assert frame_length_of(SimpleNamespace(average_rate=None, guessed_rate=None)) == 0.04


def test_matroska_has_no_time_before_its_beginning() -> None:
    made = {
        name: SimpleNamespace(start_time=-7000, format=SimpleNamespace(name=name)) for name in ("matroska,webm", "mov")
    }
    assert start_of(made["matroska,webm"]) == 0.0
    assert start_of(made["mov"]) == -0.007


def test_frames_of_hevc_can_be_left_out_with_one_temporal_layer_only() -> None:
    def stream(name: str, layers: int) -> Any:
        header = bytes([1, *[0] * 20, layers << 3, 0])
        return SimpleNamespace(codec_context=SimpleNamespace(name=name, extradata=header))

    assert can_skip(stream("h264", 0))
    assert can_skip(stream("hevc", 1))
    assert not can_skip(stream("hevc", 2))
    assert not can_skip(stream("mpeg4", 1))
