"""Decode a clip once: the frames at t = interval, 2 interval, … and the 16 kHz mono wav, in one pass."""

from __future__ import annotations

import math
import zlib
from pathlib import Path
from typing import Any

import av
import cv2

from avsieve.media.declared_length import Claim, claim_of
from avsieve.media.decoded import Decoded
from avsieve.media.decoder_log import decoder_words, last_words
from avsieve.media.failure_reason import classify_failure, missing_part
from avsieve.media.file_identity import ChangedError
from avsieve.media.frame_names import frame_name
from avsieve.media.guard import LostError
from avsieve.media.images import read_images
from avsieve.media.limits import most_pixels
from avsieve.media.reader import Pass, Wanted
from avsieve.media.settings import Limits
from avsieve.media.slices import LOCAL_ONLY, MOST_STREAMS, MediaSlice, open_slice
from avsieve.storage.reasons import Reason
from avsieve.storage.wav import SAMPLE_RATE

__all__ = ["SAMPLE_RATE", "Decoded", "decode_clip", "frame_name", "probe_duration_s"]


def _open(source: Any, limits: Limits) -> Any:
    """Open a clip, and nothing that it names. No decoder gets a picture larger than the limit, in probing neither."""
    of_container = {**LOCAL_ONLY, "max_streams": str(MOST_STREAMS)}
    of_streams = {"max_pixels": str(most_pixels(limits))}
    return av.open(source, metadata_errors="replace", container_options=of_container, options=of_streams)


def _read_once(media: MediaSlice, wanted: Wanted, *, skip: bool) -> Decoded | None:
    """Read a file; ``None`` if frames were skipped that should not have been."""
    with open_slice(media) as source, _open(source, wanted.limits) as container:
        if len(container.streams) == MOST_STREAMS:  # some demuxers leave out what is more, others fail
            raise LostError(Reason.STREAMS_TOO_MANY, f"{MOST_STREAMS} streams and more")
        reading = Pass(container, wanted, skip=skip)
        if not reading.run():
            return None
        return reading.judge(wanted, _claim(source, container.format.name), media.listed_s)


def _claim(source: Any, format_name: str) -> Claim:
    """Return what a file says of its length; the decoder is done with it."""
    if not isinstance(source, str):
        return claim_of(source, format_name)
    with Path(source).open("rb") as file:
        return claim_of(file, format_name)


def _read(media: MediaSlice, wanted: Wanted) -> Decoded:
    """Read what is wanted from one place; nothing of it, if something else than what was indexed lies there."""
    out = Decoded()
    try:
        return _read_there(media, wanted)
    except LostError as error:
        out.note(error.reason, str(error))
    except ChangedError as error:
        out.note(Reason.MEDIA_CHANGED, str(error))
    except (MemoryError, cv2.error) as error:
        if isinstance(error, cv2.error) and error.code != cv2.Error.StsNoMem:
            raise
        out.note(Reason.DECODING_MEMORY, f"more than {wanted.limits.memory_mb} MB (media.limits.memory_mb)")
    except OSError as error:
        out.note(Reason.MEDIA_UNREADABLE, f"{media.name}: {error.strerror or error}")
    return out


def _read_there(media: MediaSlice, wanted: Wanted) -> Decoded:
    out = Decoded()
    if missing := missing_part(media):
        out.note(Reason.MEDIA_MISSING, f"{missing.name}: no such file")
        return out
    if media.packing == "images":
        return read_images(media.paths[0], wanted.jpeg_quality, media.stamps, wanted.limits)
    if media.length <= 0:
        with open_slice(media):
            out.note(Reason.MEDIA_EMPTY, f"{media.name}: 0 bytes")
        return out
    with decoder_words() as words:
        try:
            found = _read_once(media, wanted, skip=True)
            if found is None:
                words.clear()
                found = _read_once(media, wanted, skip=False)
            out = found or out
        except (av.FFmpegError, OSError, zlib.error) as error:
            said = last_words(words)
            if "max_streams" in said:
                raise LostError(Reason.STREAMS_TOO_MANY, f"{MOST_STREAMS} streams and more") from error
            if isinstance(error, MemoryError):
                raise
            reason = classify_failure(media, error, said)
            out.note(reason, str(getattr(error, "strerror", None) or error))
        if words:
            out.remark(f"decoder: {last_words(words)}".replace(str(media.paths[0]), media.name))
    return out


def _join(out: Decoded, sound: Decoded) -> None:
    """Give a clip the sound that lies apart, and what is wrong with it."""
    out.wave, out.audio_s, out.audio_start_s = sound.wave, sound.audio_s, sound.audio_start_s
    if sound.code is not Reason.OK:
        out.note(sound.code, f"sound: {sound.detail}")
    elif sound.detail:
        out.remark(f"sound: {sound.detail}")


def decode_clip(
    media: MediaSlice | str | Path,
    sound: MediaSlice | None = None,
    *,
    interval_s: float = 0.4,
    jpeg_quality: int = 95,
    min_audio_s: float = 0.5,
    want_video: bool = True,
    as_images: bool = False,
    limits: Limits | None = None,
) -> Decoded:
    """Decode a clip in one pass.

    Parameters
    ----------
    media
        The clip: a file, where it lies inside one, or a folder of images, which are then the frames.
    sound
        Where its sound lies, when it lies apart.
    interval_s
        Frames are taken at ``interval_s``, ``2 interval_s``, …: for each the frame that is shown at that time, seconds
        counted from the start of the presentation. At times when none is shown yet, none is taken.
    jpeg_quality
        Quality of the frames' JPEGs, 1 to 100.
    min_audio_s
        Shorter sound is reported as too short, in seconds.
    want_video
        ``False`` for sound alone: a missing video stream is then as it should be.
    as_images
        Give the frames as images, without making JPEGs of them.
    limits
        How much the clip may be: a clip that is more gives nothing but the reason. Its memory and time are limited by
        the process that this runs in, see `avsieve.media.workers`.

    Returns
    -------
    Decoded
        With a reason code instead of an exception for whatever is wrong with the file. What could be decoded is kept.
    """
    media = media if isinstance(media, MediaSlice) else MediaSlice((Path(media),))
    quality = None if as_images else jpeg_quality
    wanted = Wanted(interval_s, quality, video=want_video, audio=sound is None, limits=limits or Limits())
    out = _read(media, wanted) if want_video or sound is None else Decoded()
    if sound is not None:
        _join(out, _read(sound, wanted._replace(video=False, audio=True)))
    elif media.packing == "images":
        out.note(Reason.NO_AUDIO_STREAM, "images, and no sound beside them")
    if out.video_s > 0 and not (out.frames or out.images) and want_video:
        out.note(Reason.VIDEO_TOO_SHORT, f"{out.video_s:.2f} s of video, the first frame is taken at {interval_s} s")
    if out.wave is not None and out.audio_s < min_audio_s:
        out.note(Reason.AUDIO_TOO_SHORT, f"{out.audio_s:.2f} s of sound, at least {min_audio_s} s are wanted")
        out.wave = None
    if out.wave is not None and not out.wave.any():
        out.note(Reason.AUDIO_SILENT, "every sample is zero")
        out.wave = None
    return out


def probe_duration_s(media: MediaSlice | str | Path) -> float:
    """Return the length in seconds that a clip's header gives, or NaN if it cannot be opened or does not say."""
    media = media if isinstance(media, MediaSlice) else MediaSlice((Path(media),))
    with decoder_words():
        try:
            with open_slice(media) as source, _open(source, Limits()) as container:
                if container.duration:
                    return float(container.duration / av.time_base)
                lengths = [float(s.duration * s.time_base) for s in container.streams if s.duration is not None]
                return max(lengths, default=math.nan)
        except (av.FFmpegError, OSError, zlib.error, ChangedError, MemoryError):
            return math.nan
