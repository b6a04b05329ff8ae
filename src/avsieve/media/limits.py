"""The limits that a clip is held against while it is decoded."""

from __future__ import annotations

from avsieve.media.guard import LostError
from avsieve.media.settings import Limits
from avsieve.storage.reasons import Reason


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Refuse a picture that is too large.

    Raises
    ------
    LostError
        With its size.
    """
    if width * height > limits.pixels:
        raise LostError(
            Reason.PICTURE_TOO_LARGE, f"{width} x {height} pixels, media.limits.pixels allows {limits.pixels}"
        )


def most_pixels(limits: Limits) -> int:
    """Return the limit to give to decoders: they count the rows and columns that they add to their buffers, too."""
    return 2 * limits.pixels + (1 << 20)


def check_output(size: int, limits: Limits) -> None:
    """Refuse to make more than ``limits.output_mb`` of a clip; ``size`` is in bytes.

    Raises
    ------
    LostError
        With the limit.
    """
    if size > limits.output_mb * 1e6:
        raise LostError(Reason.OUTPUT_TOO_LARGE, f"more than {limits.output_mb:g} MB (media.limits.output_mb)")


def too_long(kind: str, length_s: float, longest_s: float) -> LostError:
    """Return the error for a stream that is longer than a clip may be."""
    return LostError(
        Reason.CLIP_TOO_LONG, f"{kind}: {length_s:.0f} s and more, media.limits.clip_s allows {longest_s:g}"
    )
