"""ffmpeg command lines, built by ffmpeg-python, run with the binary from PATH or the one of imageio-ffmpeg."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import ffmpeg
import numpy as np

from avsieve.errors import AvsieveError
from avsieve.storage.atomic import atomic_path
from avsieve.storage.wav import SAMPLE_RATE

# One thread and no marks of the encoder's version: equal inputs give equal bytes.
X264: dict[str, Any] = {
    "vcodec": "libx264",
    "pix_fmt": "yuv420p",
    "threads": 1,
    "x264-params": "threads=1:lookahead-threads=1",
    "acodec": "aac",
    "fflags": "+bitexact",
    "flags:v": "+bitexact",
    "flags:a": "+bitexact",
}
"""Options of ffmpeg for an mp4 of H.264 and AAC."""


def ffmpeg_binary() -> str:
    """Return the ffmpeg to run: the one on PATH, else the one that imageio-ffmpeg ships."""
    if found := shutil.which("ffmpeg"):
        return found
    import imageio_ffmpeg

    return imageio_ffmpeg.get_ffmpeg_exe()


def write_clip(
    path: str | Path,
    frames: Iterable[np.ndarray],
    wav: Path,
    *,
    fps: int = 25,
    size: int = 224,
    crf: int = 23,
    binary: str | None = None,
) -> None:
    """Write an H.264 + AAC mp4, atomically and with equal bytes for equal input.

    Parameters
    ----------
    path
        The mp4 to write.
    frames
        Images (size, size, 3) uint8 BGR.
    wav
        The sound, 16 kHz mono.
    fps, size, crf
        Frames a second, pixels a side, and x264's constant rate factor (lower is better).
    binary
        The ffmpeg to run; looked for when not given.

    Raises
    ------
    AvsieveError
        If ffmpeg fails; with its last words.
    """
    with atomic_path(path) as partial:
        picture = ffmpeg.input("pipe:", format="rawvideo", pix_fmt="bgr24", s=f"{size}x{size}", r=fps)
        sound = ffmpeg.input(str(wav))
        command = ffmpeg.output(
            picture.video,
            sound.audio,
            str(partial),
            preset="veryfast",
            crf=crf,
            audio_bitrate="64k",
            ac=1,
            ar=SAMPLE_RATE,
            **X264,
        )
        arguments = ffmpeg.compile(
            command.global_args("-v", "error"), cmd=binary or ffmpeg_binary(), overwrite_output=True
        )
        process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        assert process.stdin is not None
        assert process.stderr is not None
        try:
            for image in frames:
                process.stdin.write(np.ascontiguousarray(image).data)
            process.stdin.close()
        except BrokenPipeError:
            pass  # ffmpeg has ended early; its words below say why
        words = process.stderr.read().decode(errors="replace").strip()
        process.stderr.close()
        if process.wait():
            raise AvsieveError(f"{path}: ffmpeg ({arguments[0]}) failed: {words[-500:] or 'no message'}")
