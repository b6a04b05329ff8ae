"""Faces of the embedded corpus: draw a person, draw a scene, render the frames.

Example
-------
>>> rng = np.random.default_rng(1)
>>> face = sample_face(rng, "f")
>>> scene = sample_scene(rng, face)
>>> frames = list(render_frames(face, scene, np.zeros(3), rng))
>>> frames[0].shape
(224, 224, 3)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np

from avsieve.synthetic.faces.identity import FaceIdentity, Sex, sample_face
from avsieve.synthetic.faces.render import FPS, FaceRenderer, Frame
from avsieve.synthetic.faces.scene import Scene, sample_scene

__all__ = [
    "FPS", "FaceIdentity", "FaceRenderer", "Frame", "Scene", "Sex", "contact_sheet", "render_annotated",
    "render_frames", "sample_face", "sample_scene",
]  # fmt: skip


def render_annotated(
    face: FaceIdentity, scene: Scene, mouth: np.ndarray, rng: np.random.Generator, size: int = 224
) -> Iterator[Frame]:
    """Yield a frame with landmarks and box per value of ``mouth`` (n,), 0 closed .. 1 wide open, 25 a second."""
    yield from FaceRenderer(face, scene, size).frames(mouth, rng)


def render_frames(
    face: FaceIdentity, scene: Scene, mouth: np.ndarray, rng: np.random.Generator, size: int = 224
) -> Iterator[np.ndarray]:
    """Yield images (size, size, 3) uint8 BGR, one per value of ``mouth`` (n,); see `render_annotated`."""
    for frame in render_annotated(face, scene, mouth, rng, size):
        yield frame.image


def contact_sheet(seeds: Sequence[Sequence[int]], scenes: int = 4, size: int = 160, gap: int = 4) -> np.ndarray:
    """Draw people side by side: a row per seed, a column per scene.

    Parameters
    ----------
    seeds
        One seed sequence per person, as `numpy.random.default_rng` takes it; women and men take turns.
    scenes
        Videos shown of each person.
    size
        Pixels of a tile.

    Returns
    -------
    sheet : (h, w, 3) uint8 BGR
    """
    rows = []
    for i, seed in enumerate(seeds):
        rng = np.random.default_rng(seed)
        face = sample_face(rng, "m" if i % 2 else "f")
        tiles = []
        for _ in range(scenes):
            renderer = FaceRenderer(face, sample_scene(rng, face))
            image = renderer.frame(float(rng.uniform(0, 4)), float(rng.choice([0, 0, 0.3, 0.7]))).image
            tile = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
            tiles.append(np.pad(tile, ((0, gap), (0, gap), (0, 0)), constant_values=255))
        rows.append(np.hstack(tiles))
    return np.vstack(rows)[:-gap, :-gap]
