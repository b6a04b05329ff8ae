"""ffmpeg command lines, built by ffmpeg-python, run with the binary from PATH or the one of imageio-ffmpeg."""

from __future__ import annotations

import logging
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
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


logger = logging.getLogger(__name__)


def ffmpeg_binary() -> str:
    """Return the ffmpeg to run: the one on PATH if it starts, else the one that imageio-ffmpeg ships.

    Raises
    ------
    AvsieveError
        If there is none that starts.
    """
    return _starting(shutil.which("ffmpeg"))


@cache
def _starting(found: str | None) -> str:
    trouble = "" if found is None else _trouble(found)
    if found is not None and not trouble:
        return found
    import imageio_ffmpeg

    try:
        shipped = imageio_ffmpeg.get_ffmpeg_exe()
    except RuntimeError as error:
        raise AvsieveError(
            f"no ffmpeg that starts: {trouble or 'none on PATH'}, and none of imageio-ffmpeg ({error}); install ffmpeg"
        ) from None
    if trouble:
        if own := _trouble(shipped):
            raise AvsieveError(f"no ffmpeg that starts: {trouble}; {own}; install ffmpeg anew")
        logger.warning("%s; using that of imageio-ffmpeg, %s", trouble, shipped)
    return shipped


def _trouble(binary: str) -> str:
    """Return why an ffmpeg does not start, in words; empty where it does."""
    try:
        done = subprocess.run([binary, "-version"], capture_output=True, text=True, errors="replace", timeout=30)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"{binary} does not start ({error})"
    words = (done.stderr.strip() or f"status {done.returncode}").splitlines()[-1]
    return f"{binary} does not start ({words})" if done.returncode else ""


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
