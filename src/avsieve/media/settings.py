"""The settings of extraction. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from avsieve.settings import Block, key


class Limits(Block):
    """How much a clip may ask of the machine; one that asks for more is a row with a reason code."""

    RERUNS = "extract_media"

    clip_s: float = key(1800.0, "Longest clip, in seconds: longer ones are `clip_too_long`.", gt=0)
    pixels: int = key(
        40_000_000,
        "Largest picture, in pixels (width x height; 8K has 33 million): larger ones are `picture_too_large`.",
        ge=1,
    )
    output_mb: float = key(
        1024.0,
        "Most that the frames and the sound of a clip may take together, in MB: more is `output_too_large`. With "
        "`keep_frames: false` frames count with three bytes a pixel.",
        gt=0,
    )
    memory_mb: int = key(
        4096, "Memory for decoding a clip, in MB: a clip that needs more is `decoding_memory`.", ge=128
    )
    time_s: float = key(
        600.0, "Time for decoding a clip, in seconds by the clock: a clip that needs more is `decoding_timeout`.", gt=0
    )


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
    limits: Limits = key(Limits, "How much a clip may ask of the machine.", "extract_media")
