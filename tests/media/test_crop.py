"""A red square wanders over a grey picture; a clip that follows it must show it in the middle of every frame."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from avsieve.media.crop import CropError, crop_square, crop_track, smooth_squares
from avsieve.media.ffmpeg import ffmpeg_binary
from avsieve.storage.wav import wav_bytes

WIDTH, HEIGHT, SECONDS = 320, 240, 6.0
SIDE = 40


def place(time_s: float) -> tuple[float, float]:
    """Return left and top of the square at a time."""
    return 20 + 35 * time_s, 30 + 25 * time_s


def make_video(path: Path, rate: Fraction = Fraction(25), *options: str, tone_from_s: float = 3.0) -> Path:
    """Write a video of the wandering square at any frame rate; a tone begins at ``tone_from_s``."""
    times = np.arange(int(SECONDS * 16_000)) / 16_000
    wave = np.where(times >= tone_from_s, 9000 * np.sin(2 * np.pi * 500 * times), 0).astype(np.int16)
    (path.parent / "tone.wav").write_bytes(wav_bytes(wave))
    pictures = bytearray()
    for i in range(int(SECONDS * rate)):
        image = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
        left, top = (round(v) for v in place(float(i / rate)))
        image[top : top + SIDE, left : left + SIDE] = (0, 0, 255)
        pictures += image.tobytes()
    raw = ["-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{WIDTH}x{HEIGHT}", "-r", str(rate), "-i", "pipe:"]
    x264 = ["-preset", "ultrafast", "-crf", "12", "-pix_fmt", "yuv420p", "-g", "40"]
    sound = ["-i", str(path.parent / "tone.wav")]
    command = [ffmpeg_binary(), "-v", "error", "-y", *raw, *sound, *x264, *options, str(path)]
    subprocess.run(command, input=bytes(pictures), check=True)
    return path


def boxes_from(start_s: float, n: int, grow: float = 20.0) -> np.ndarray:
    """Return the boxes of a track around the square, wider and higher by ``grow`` pixels on each side."""
    corners = np.array([place(start_s + i / 25) for i in range(n)])
    return np.column_stack([corners - grow, np.full((n, 2), SIDE + 2 * grow)])


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the frames (n, height, width, 3), RGB, and the sound at 16 kHz."""
    with av.open(str(path)) as container:
        frames = [f.to_ndarray(format="rgb24") for f in container.decode(video=0)]
    with av.open(str(path)) as container:
        resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
        parts = [r.to_ndarray()[0] for f in container.decode(audio=0) for r in resampler.resample(f)]
    return np.stack(frames), np.concatenate(parts)


def centres(frames: np.ndarray) -> np.ndarray:
    """Return the centre of the red square in each frame, in pixels."""
    red = (frames[..., 0] > 160) & (frames[..., 2] < 90)
    assert red.any(axis=(1, 2)).all()
    return np.array([[np.mean(np.nonzero(r)[1]) + 0.5, np.mean(np.nonzero(r)[0]) + 0.5] for r in red])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    folder = tmp_path_factory.mktemp("wandering")
    made: dict[Fraction, Path] = {}

    def at(rate: Fraction = Fraction(25)) -> Path:
        if rate not in made:
            made[rate] = make_video(folder / f"{rate.numerator}.mp4", rate)
        return made[rate]

    return at


@pytest.mark.parametrize("rate", [Fraction(25), Fraction(30_000, 1001)])
def test_the_square_stays_in_the_middle_at_any_frame_rate(
    video: Callable[..., Path], tmp_path: Path, rate: Fraction
) -> None:
    n = 62
    crop_track(video(rate), tmp_path / "clip.mp4", boxes_from(2.6, n), 2.6, size=96)
    frames, _ = read(tmp_path / "clip.mp4")
    assert frames.shape == (n, 96, 96, 3)
    # Half a pixel of the source is rounding when it was drawn, the rest is a frame's time at the other rate.
    late_s = 0 if rate == 25 else 1 / 30
    room = (1 + 35 * late_s) * 96 / 80
    assert np.abs(centres(frames) - 48).max() < room


def test_the_sound_is_that_of_the_span(video: Callable[..., Path], tmp_path: Path) -> None:
    crop_track(video(), tmp_path / "clip.mp4", boxes_from(2.6, 50), 2.6, size=64)
    _, wave = read(tmp_path / "clip.mp4")
    assert len(wave) / 16_000 == pytest.approx(2.0, abs=0.07)
    begins = np.argmax(np.abs(wave) > 3000) / 16_000
    assert begins == pytest.approx(0.4, abs=0.01)


def test_shares_of_the_picture_are_the_same_as_pixels(video: Callable[..., Path], tmp_path: Path) -> None:
    boxes = boxes_from(1, 10)
    crop_track(video(), tmp_path / "a.mp4", boxes, 1.0, size=64)
    shares = boxes / [WIDTH, HEIGHT, WIDTH, HEIGHT]
    crop_track(video(), tmp_path / "b.mp4", shares, 1.0, size=64, in_pixels=False)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_what_lies_beyond_the_picture_is_black(video: Callable[..., Path], tmp_path: Path) -> None:
    crop_track(video(), tmp_path / "clip.mp4", boxes_from(0, 20, grow=60), 0.0, size=80)
    frames, _ = read(tmp_path / "clip.mp4")
    assert np.abs(centres(frames) - 40).max() < 1
    assert frames[0, :12, 40].max() < 30
    assert frames[0, 60, 70].min() > 100


def test_a_margin_shows_more(video: Callable[..., Path], tmp_path: Path) -> None:
    boxes = boxes_from(2, 12)
    shares = []
    for margin in (0.0, 0.5):
        crop_track(video(), tmp_path / "clip.mp4", boxes, 2.0, size=96, margin=margin)
        frames, _ = read(tmp_path / "clip.mp4")
        shares.append(((frames[..., 0] > 160) & (frames[..., 2] < 90)).mean())
    assert shares[0] == pytest.approx(0.25, abs=0.03)
    assert shares[1] == pytest.approx(0.25 / 4, abs=0.01)


def test_anamorphic_pictures_are_shown_in_their_shape(video: Callable[..., Path], tmp_path: Path) -> None:
    squeezed = tmp_path / "squeezed.mp4"
    # fmt: off
    command = [ffmpeg_binary(), "-v", "error", "-i", str(video()), "-vf", "scale=160:240,setsar=2", "-crf", "10",
               "-c:a", "copy", str(squeezed)]
    # fmt: on
    subprocess.run(command, check=True)
    crop_track(squeezed, tmp_path / "clip.mp4", boxes_from(2, 12), 2.0, size=96)
    frames, _ = read(tmp_path / "clip.mp4")
    assert np.abs(centres(frames) - 48).max() < 2
    red = (frames[6, :, :, 0] > 160) & (frames[6, :, :, 2] < 90)
    assert red.any(axis=0).sum() == pytest.approx(red.any(axis=1).sum(), abs=3)


def test_a_track_past_the_end_and_files_that_are_no_videos_have_their_reasons(
    video: Callable[..., Path], tmp_path: Path
) -> None:
    with pytest.raises(CropError, match=r"the video at 6\.0") as error:
        crop_track(video(), tmp_path / "clip.mp4", boxes_from(5, 80), 5.0)
    assert error.value.reason == "track_outside"
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(CropError, match="cannot be opened") as error:
        crop_track(tmp_path / "text.mp4", tmp_path / "clip.mp4", boxes_from(0, 10), 0.0)
    assert error.value.reason == "container_broken"
    with pytest.raises(CropError, match="no video stream") as error:
        crop_track(video().parent / "tone.wav", tmp_path / "clip.mp4", boxes_from(0, 10), 0.0)
    assert error.value.reason == "no_video_stream"
    assert not list(tmp_path.glob("clip*"))


def test_equal_input_gives_equal_bytes(video: Callable[..., Path], tmp_path: Path) -> None:
    for name in ("a.mp4", "b.mp4"):
        crop_track(video(), tmp_path / name, boxes_from(1, 15), 1.0, size=64)
    assert (tmp_path / "a.mp4").read_bytes() == (tmp_path / "b.mp4").read_bytes()


def test_smoothing_keeps_a_steady_move_and_calms_a_trembling_one() -> None:
    steady = boxes_from(0, 40)
    assert np.allclose(smooth_squares(steady)[:, :2], steady[:, :2] + steady[:, 2:] / 2)
    trembling = steady + np.random.default_rng(0).normal(0, 3, steady.shape)
    square = smooth_squares(trembling)
    assert np.std(square[:, 0] - (steady[:, 0] + 40)) < 2
    assert smooth_squares(steady[:1])[0].tolist() == [*(steady[0, :2] + 40), 80]


def test_a_crop_at_the_images_own_scale_is_the_image() -> None:
    image = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    assert (crop_square(image, np.array([32, 20, 16]), 16) == image[12:28, 24:40]).all()
    half = crop_square(image, np.array([32, 32, 64]), 32)
    assert half[0, 0] == pytest.approx(image[:2, :2].mean(axis=(0, 1)), abs=1)
