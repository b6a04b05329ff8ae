"""The settings of extraction. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from avsieve.settings import Block, key


class Media(Block):
    """Frames and sound."""

    interval_s: float = key(
        0.4,
        "A frame is taken at every multiple of this time, in seconds. From 0.04 on, frames are named in 25ths of a "
        "second (`0010.jpg`), below that in milliseconds (`000033.jpg`); the minimum is 0.001.",
        "extract_media",
        ge=0.001,
    )
    jpeg_quality: int = key(95, "JPEG quality of the frames.", "extract_media", ge=1, le=100)
    min_audio_s: float = key(0.5, "Minimum length of the sound, in seconds.", "extract_media", ge=0)
    keep_frames: bool = key(
        True,
        "Keep the frames as JPEGs. With `false`, `extract_faces` replaces `extract_media` and `align_faces`: frames "
        "go to the detector in memory, which is faster and saves most of the disk space, but a change of detector "
        "decodes the clips again.",
        "extract_media",
    )
