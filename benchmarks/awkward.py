"""Decode awkward files, and compare the frames' times with ffprobe's and the samples with ffmpeg's.

Every file is made on the spot: frames that can be told apart, and noise that swells. A frame kept for the time t should
be the last that ffprobe says begins at or before t, counted from the file's start time. It is recognised among all
frames as ffmpeg decodes them. The sound should have as many samples as ``ffmpeg -ac 1 -ar 16000`` writes.

"wanted" counts the times from the first frame to the end of the last, "found" our frames; "time error" is the greatest
distance between the frame taken and the one that is shown, "differs" the greatest difference of a sample from ffmpeg's.

    python benchmarks/awkward.py [NAME ...]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import wave
from pathlib import Path
from typing import NamedTuple

import cv2
import imageio_ffmpeg
import numpy as np

from avsieve.media.decode import decode_clip

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
WIDTH, HEIGHT, FRAMES = 192, 160, 75
INTERVAL_S = 0.4
X264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac"]
_VFR = "setpts=(N+3*floor(N/7)+0.3*mod(N\\,3))/25/TB"


class Recipe(NamedTuple):
    """How a file is made: its rate, options before the inputs and behind them; ``copy`` is a second step."""

    name: str
    options: list[str] = []  # noqa: RUF012
    rate: str = "25"
    video_input: list[str] = []  # noqa: RUF012
    audio_input: list[str] = []  # noqa: RUF012
    copy: list[str] | None = None
    video: int = 0


def _mp4(*more: str) -> list[str]:
    return [*X264, *AAC, *more]


RECIPES = [
    Recipe("25.mp4", _mp4()),
    Recipe("30.mp4", _mp4(), "30"),
    Recipe("29.97.mp4", _mp4(), "30000/1001"),
    Recipe("29.97.mkv", _mp4(), "30000/1001"),
    Recipe("vfr.mp4", _mp4("-vf", _VFR, "-fps_mode", "passthrough")),
    Recipe("vfr.mkv", _mp4("-vf", _VFR, "-fps_mode", "passthrough")),
    Recipe("rotated90.mp4", _mp4(), copy=["-display_rotation", "90"]),
    Recipe("rotated180.mp4", _mp4(), copy=["-display_rotation", "180"]),
    Recipe("rotated270.mp4", _mp4(), copy=["-display_rotation", "270"]),
    Recipe("mirrored.mp4", _mp4(), copy=["-display_hflip"]),
    Recipe("rotated90mirrored.mp4", _mp4(), copy=["-display_rotation", "90", "-display_hflip"]),
    Recipe("anamorphic.mp4", _mp4("-vf", "setsar=16/11")),
    Recipe("anamorphic.mpg", ["-c:v", "mpeg2video", "-q:v", "3", "-c:a", "mp2", "-aspect", "16/9"]),
    Recipe("trimmed.mp4", _mp4(), copy=["-ss", "0.5"]),
    Recipe("latevideo.mp4", _mp4(), video_input=["-itsoffset", "0.6"]),
    Recipe("lateaudio.mp4", _mp4(), audio_input=["-itsoffset", "0.7"]),
    Recipe("lateaudio.mkv", _mp4(), audio_input=["-itsoffset", "0.7"]),
    Recipe("fragmented.mp4", _mp4("-movflags", "frag_keyframe+empty_moov", "-g", "12")),
    Recipe("twovideos.mp4", ["-filter_complex", "[0:v]split[a][b];[a]scale=96:80,hflip[small];[b]copy[large]",
           "-map", "[small]", "-map", "[large]", "-map", "1:a", "-map", "1:a", *X264, *AAC,
           "-disposition:v:0", "0", "-disposition:v:1", "default", "-filter:a:0", "volume=0.2",
           "-disposition:a:0", "0", "-disposition:a:1", "default"], video=1),
    Recipe("cover.mp4", ["-filter_complex", "[0:v]split[a][b];[b]trim=end_frame=1,scale=960:800[cover]",
           "-map", "[cover]", "-map", "[a]", "-map", "1:a", "-c:v:0", "mjpeg", "-c:v:1", "libx264", "-crf", "16",
           "-pix_fmt", "yuvj420p", "-disposition:v:0", "attached_pic", *AAC]),
    Recipe("mpeg1.mpg", ["-c:v", "mpeg1video", "-q:v", "3", "-bf", "2", "-c:a", "mp2"]),
    Recipe("mpeg2.ts", ["-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-c:a", "mp2"]),
    Recipe("h264.ts", _mp4()),
    Recipe("h264.mkv", _mp4()),
    Recipe("vp9.webm", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "20", "-b:v", "0",
           "-c:a", "libopus"]),
    Recipe("vp8.webm", ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M",
           "-c:a", "libvorbis"]),
    Recipe("xvid.avi", ["-c:v", "mpeg4", "-q:v", "3", "-c:a", "libmp3lame"]),
    Recipe("bframes.avi", ["-c:v", "mpeg4", "-q:v", "3", "-bf", "2", "-c:a", "libmp3lame"]),
    Recipe("h264.avi", _mp4("-bf", "3")),  # AVI has no times for it: versions of ffprobe differ by a frame
    Recipe("flv.flv", _mp4("-ar", "44100")),
    Recipe("mjpeg.mov", ["-c:v", "mjpeg", "-q:v", "3", "-c:a", "pcm_s16be"]),
    Recipe("hevc.mp4", ["-c:v", "libx265", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p",
           "-x265-params", "log-level=none", *AAC]),
    Recipe("layers.hevc.mp4", ["-c:v", "libx265", "-preset", "veryfast", "-crf", "16", "-pix_fmt", "yuv420p",
           "-x265-params", "log-level=none:temporal-layers=3", *AAC]),
    Recipe("nobframes.mp4", _mp4("-bf", "0")),
    Recipe("pyramid.mp4", _mp4("-bf", "8", "-b_strategy", "0", "-x264-params", "b-pyramid=normal:ref=8")),
    Recipe("nopyramid.mp4", _mp4("-bf", "3", "-b_strategy", "0", "-x264-params", "b-pyramid=none:ref=1")),
    Recipe("opengop.mp4", _mp4("-g", "10", "-x264-params", "open-gop=1:bframes=3:b-adapt=0")),
    Recipe("refresh.mp4", _mp4("-g", "20", "-x264-params", "intra-refresh=1")),
    Recipe("interlaced.mp4", _mp4("-flags", "+ildct+ilme", "-x264-params", "tff=1")),
    Recipe("tenbit.mp4", ["-c:v", "libx264", "-crf", "16", "-pix_fmt", "yuv420p10le", *AAC]),
    Recipe("fullrange.mp4", [*X264[:-2], "-pix_fmt", "yuvj420p", *AAC]),
    Recipe("oddsize.mp4", ["-vf", "crop=191:159:0:0", *X264[:-2], "-pix_fmt", "yuv444p", *AAC]),
    Recipe("alpha.mov", ["-vf", "format=argb", "-c:v", "qtrle", "-c:a", "pcm_s16le"]),
    Recipe("surround.mp4", _mp4("-ac", "6", "-ar", "48000")),
    Recipe("mono8k.mkv", [*X264, "-c:a", "pcm_s16le", "-ac", "1", "-ar", "8000"]),
    Recipe("mono16k.mp4", _mp4("-ac", "1", "-ar", "16000")),
    Recipe("heaac48k.mkv", [*X264, "-c:a", "flac", "-ac", "2", "-ar", "48000"]),
]  # fmt: skip


class Found(NamedTuple):
    """How a file compares with ffprobe and ffmpeg; times in seconds, ``differs`` in steps of 16 bits."""

    fps: str
    wanted: int
    found: int
    time_error_s: float
    samples: int
    samples_ffmpeg: int
    differs: int


def write_inputs(folder: Path) -> None:
    """Write frames of stripes that count, moving a little, and 3 s of stereo noise that swells."""
    rng = np.random.default_rng(0)
    images = np.full((FRAMES, HEIGHT, WIDTH), 40, np.uint8)
    for i in range(FRAMES):
        images[i, : HEIGHT // 2] = np.repeat(40 + 160 * ((i >> np.arange(8)) & 1), WIDTH // 8)
        images[i, HEIGHT // 2 :, i * 2 : i * 2 + 30] = 220
    (folder / "frames.raw").write_bytes(images.tobytes())
    sound = rng.normal(0, 1, (132_300, 2)) * 6000 * np.sin(np.linspace(0.2, 3, 132_300))[:, None]
    with wave.open(str(folder / "noise.wav"), "wb") as out:
        out.setparams((2, 2, 44_100, 0, "NONE", ""))
        out.writeframes(sound.clip(-32_768, 32_767).astype("<i2").tobytes())


def _run(*arguments: str | Path) -> bytes:
    return subprocess.run([FFMPEG, "-v", "error", "-y", *map(str, arguments)], check=True, capture_output=True).stdout


def make(folder: Path, recipe: Recipe) -> Path:
    """Make the file of a recipe."""
    target = folder / recipe.name
    first = target if recipe.copy is None else folder / f"before.{recipe.name}"
    picture = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", f"{WIDTH}x{HEIGHT}", "-r", recipe.rate]
    _run(*recipe.video_input, *picture, "-i", folder / "frames.raw", *recipe.audio_input, "-i", folder / "noise.wav",
         *recipe.options, first)  # fmt: skip
    if recipe.copy is not None:
        _run(*recipe.copy, "-i", first, "-c", "copy", target)
    return target


def probe(path: Path, video: int) -> tuple[str, list[float], float]:
    """Return, as ffprobe has them, the rate, the times of the frames and the end of the last, from the file's start."""
    ffprobe = shutil.which("ffprobe")
    if ffprobe is None:
        raise FileNotFoundError("ffprobe is not on PATH; install ffmpeg to compare with it")
    wanted = "format=start_time:stream=avg_frame_rate:frame=best_effort_timestamp_time,duration_time,pkt_duration_time"
    command = [ffprobe, "-v", "error", "-select_streams", f"v:{video}", "-show_entries", wanted, "-of", "json", path]
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    # Old versions of ffprobe let Matroska begin with the delay of the sound's codec, before 0; newer ones do not.
    start_s = max(0.0, float(found["format"].get("start_time", 0)))
    rate = found["streams"][0]["avg_frame_rate"]
    frames = [f for f in found["frames"] if "best_effort_timestamp_time" in f]  # side data stand between them
    times = [float(f["best_effort_timestamp_time"]) - start_s for f in frames]
    last = frames[-1]
    top, bottom = map(float, rate.split("/"))
    length_s = float(last.get("duration_time", last.get("pkt_duration_time", bottom / top)))
    return rate, times, times[-1] + length_s


def reference_images(path: Path, size: tuple[int, int]) -> np.ndarray:
    """Return all frames of the stream that ffmpeg's command line takes, upright, as (n, height, width) grey."""
    width, height = size
    options = ["-an", "-fps_mode", "passthrough", "-vf", f"scale={width}:{height}", "-pix_fmt", "gray"]
    raw = _run("-i", path, *options, "-f", "rawvideo", "-")
    return np.frombuffer(raw, np.uint8).reshape(-1, height, width)


def compare(path: Path, video: int = 0) -> Found:
    """Decode a file, and compare."""
    clip = decode_clip(path, interval_s=INTERVAL_S, as_images=True)
    rate, times, end_s = probe(path, video)
    slack_s = 0.000_6 if path.suffix in (".mkv", ".webm", ".flv") else 0.000_02  # half a tick of the container
    wanted = {}
    k = 1
    while k * INTERVAL_S < end_s - slack_s:
        shown = [i for i, t in enumerate(times) if t <= k * INTERVAL_S + slack_s]
        if shown:
            wanted[f"{round(25 * k * INTERVAL_S):04d}"] = shown[-1]
        k += 1
    errors = [0.0 if wanted.keys() == clip.images.keys() else float("nan")]
    if clip.images:
        height, width = next(iter(clip.images.values())).shape[:2]
        frames = reference_images(path, (width, height)).astype(np.int16)
        for name, image in clip.images.items():
            grey = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY).astype(np.int16)
            nearest = int(np.abs(frames - grey).mean(axis=(1, 2)).argmin())
            errors.append(abs(times[nearest] - times[wanted[name]]) if name in wanted else float("nan"))
    raw = _run("-i", path, "-vn", "-ac", "1", "-ar", "16000", "-f", "s16le", "-")
    theirs = np.frombuffer(raw, np.int16).astype(int)
    ours = np.zeros(0, int) if clip.wave is None else clip.wave.astype(int)
    n = min(len(ours), len(theirs))
    differs = int(np.abs(ours[:n] - theirs[:n]).max(initial=0))
    return Found(rate, len(wanted), len(clip.images), max(errors), len(ours), len(theirs), differs)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="files to make; all without")
    args = parser.parse_args()
    print(
        f"{'file':24}{'fps':>12}{'wanted':>8}{'found':>7}{'time error':>12}{'samples':>10}{'ffmpeg':>9}{'differs':>9}"
    )
    with tempfile.TemporaryDirectory() as folder:
        write_inputs(Path(folder))
        for recipe in RECIPES:
            if args.names and recipe.name not in args.names:
                continue
            print(end=f"{recipe.name:24}", flush=True)
            f = compare(make(Path(folder), recipe), recipe.video)
            print(f"{f.fps:>12}{f.wanted:8}{f.found:7}{f.time_error_s:10.4f} s{f.samples:10}"
                  f"{f.samples_ffmpeg:9}{f.differs:9}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
