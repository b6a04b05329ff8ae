"""The kinds of crops that alignment cuts out of a frame, by name. Snakemake reads them: nothing heavy is imported.

An encoder says which kind its weights were trained on (`avsieve.encoders.contract.Architecture.crop`).
"""

from __future__ import annotations

from dataclasses import dataclass

from avsieve.registry import Registry


@dataclass(frozen=True)
class Crop:
    """A kind of crop.

    Attributes
    ----------
    label
        What it is, in a few words, for the reference of the configuration.
    size
        Side of the square, in pixels.
    aligned
        Whether the landmarks are brought to ArcFace's template; else the detector's box is cut out as it lies.
    margin
        Of a box: pixels of the crop that show what lies around it, half of them at either side.
    """

    label: str
    size: int
    aligned: bool = False
    margin: int = 0


ALIGNED = "arcface112"
"""What alignment always writes: qualities are measured on it, and the report, reviews and exports show it."""

CROPS: Registry[Crop] = Registry(
    "crop",
    {
        ALIGNED: Crop("112 pixels, five landmarks on ArcFace's template", 112, aligned=True),
        # FaceNet (davidsandberg/facenet) evaluates with `--image_size 160 --margin 32`; the margin is counted in
        # pixels of the crop as facenet-pytorch does, since in those of the image it depends on how large that is.
        "facenet160": Crop("160 pixels, the box with a margin of 32, as FaceNet's crops", 160, margin=32),
        "box112": Crop("112 pixels, the box without a margin, as VUT's audio-visual system has it", 112),
    },
)
"""Crops: (size, size, 3) uint8 of a face in a frame."""


def listed() -> str:
    """Return the names of the kinds, each with what it is, for the reference of the configuration."""
    return ", ".join(f"`{name}` ({crop.label})" for name, crop in CROPS.items())
