"""Cut a part out of a video, exactly and at high quality, with ffmpeg."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import av
import ffmpeg

from avsieve.errors import AvsieveError
from avsieve.media.ffmpeg import X264, ffmpeg_binary
from avsieve.media.slices import LOCAL_ONLY
from avsieve.storage.atomic import atomic_path

EVEN = "scale=trunc(iw/2)*2:trunc(ih/2)*2"  # H.264 with 4:2:0 colour has no odd sides


class CutError(AvsieveError):
    """A part could not be cut out: ffmpeg failed, or there is nothing between the two times."""


def _has_content(path: Path) -> bool:
    try:
        with av.open(str(path), metadata_errors="replace", container_options=LOCAL_ONLY) as container:
            return any(True for packet in container.demux() if packet.size)
    except (av.FFmpegError, OSError):
        return False


def _run(arguments: list[str], timeout_s: float) -> str | None:
    """Run ffmpeg; return its last words if it failed."""
    try:
        done = subprocess.run(arguments, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return f"it did not end within {timeout_s:.0f} s"
    return done.stderr.decode(errors="replace").strip() if done.returncode else None


def cut_clip(
    source: Path,
    target: Path,
    start_s: float | None,
    end_s: float | None,
    *,
    fps: float | None = 25,
    timeout_s: float = 600.0,
    binary: str | None = None,
) -> None:
    """Write the part of ``source`` from ``start_s`` to ``end_s`` as H.264 and AAC, atomically.

    The picture is encoded anew (constant rate factor 18), so the cut does not depend on key frames. The sound keeps
    its rate and channels. Equal input gives equal bytes. A source without pictures gives sound alone.

    Parameters
    ----------
    source, target
        The video, and the mp4 to write.
    start_s, end_s
        Times in seconds from the source's beginning; None for its beginning or end.
    fps
        Frames a second; None keeps the source's times.
    timeout_s
        ffmpeg is ended after so many seconds.
    binary
        The ffmpeg to run; looked for when not given.

    Raises
    ------
    CutError
        If ffmpeg fails, with its last words, or if nothing lies between the two times.
    """
    binary = binary or ffmpeg_binary()
    seek: dict[str, Any] = {} if start_s is None else {"ss": f"{start_s:.6f}"}
    if end_s is not None:
        seek["t"] = f"{end_s - (start_s or 0):.6f}"
    filters = [] if fps is None else [f"fps={fps}"]
    filters.append(EVEN)
    media = ffmpeg.input(f"file:{source}", **LOCAL_ONLY, **seek)
    with atomic_path(target) as partial:
        outputs: dict[str, Any] = {
            "format": "mp4",
            "vf": ",".join(filters),
            "preset": "medium",
            "crf": 18,
            "audio_bitrate": "192k",
            "map_metadata": -1,
            **X264,
        }
        for name in ("fps_mode", "vsync"):  # the second is its name before ffmpeg 5.1
            # V: no pictures of a cover; ?: if there is one
            command = ffmpeg.output(media["V:0?"], media["a:0?"], f"file:{partial}", **outputs, **{name: "vfr"})
            words = _run(
                ffmpeg.compile(command.global_args("-v", "error", "-nostdin"), cmd=binary, overwrite_output=True),
                timeout_s,
            )
            if words is None or "Unrecognized option" not in words:
                break
        if words is not None:
            raise CutError(f"{source.name}: ffmpeg failed: {words[-500:] or 'no message'}")
        if not _has_content(partial):
            raise CutError(f"{source.name}: nothing between {start_s or 0} s and {end_s or 'its end'} s")
