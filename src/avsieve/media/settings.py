"""The settings of extraction. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from avsieve.settings import Block, key


class Media(Block):
    """Frames and sound."""

    interval_s: float = key(
        0.4,
        "A frame is taken at every multiple of this time, in seconds. From 0.04 on frames are named by 25ths of a "
        "second (`0010.jpg`), below by thousandths (`000033.jpg`); 0.001 is the least.",
        "extract_media",
        ge=0.001,
    )
    jpeg_quality: int = key(95, "Quality of the frames' JPEGs.", "extract_media", ge=1, le=100)
    min_audio_s: float = key(0.5, "Shorter sound is not used, in seconds.", "extract_media", ge=0)
    keep_frames: bool = key(
        True,
        "Keep the frames as JPEGs. With `false`, `extract_faces` takes the place of `extract_media` and `align_faces`: "
        "frames go to the detector in memory, which is faster and saves most of the disk, and another detector needs "
        "the clips decoded again.",
        "extract_media",
    )
