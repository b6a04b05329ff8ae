"""Damage the aligned faces of an utterance, and measure again how much they can tell.

Parameters in pixels are those of a face of 112; of other crops they grow with the crop, except for the pixels that a
low resolution leaves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from avsieve.damage.manifest import Wanted
from avsieve.damage.settings import Blur, Crop, LowResolution, Occlusion, OneFrame, Overexposure
from avsieve.faces.quality import frontality, quality, sharpness
from avsieve.faces.template import SIZE

Change = Callable[[np.ndarray], np.ndarray]
_LONGEST_SIDE = 2.0
"""Largest ratio of the sides of an occluding rectangle, either way."""


def damaged_faces(faces: Sequence[np.ndarray], wanted: Wanted) -> dict[int, np.ndarray]:
    """Return the damaged faces of an utterance: number of the face -> (side, side, 3) uint8 BGR.

    Whatever is drawn is drawn once for an utterance, by the seed of what is ``wanted``: a rectangle and a crop lie at
    the same place of all its faces.

    Parameters
    ----------
    faces
        Its faces (side, side, 3) uint8 BGR, aligned or another crop, in the order of time.
    wanted
        A damage of one of the kinds of ``visual``.
    """
    if isinstance(wanted.parameters, OneFrame):
        chosen = [int(wanted.draws().integers(len(faces)))] if faces else []
        return {i: faces[i] for i in chosen}
    change = change_of(wanted)
    return {i: change(face) for i, face in enumerate(faces)}


def change_of(wanted: Wanted) -> Change:
    """Return what a damage does to a face, (H, W, 3) uint8; sizes in pixels are those of an aligned one, `SIZE`."""
    parameters, rng = wanted.parameters, wanted.draws()
    if isinstance(parameters, Blur):
        return _blur(parameters)
    if isinstance(parameters, LowResolution):
        return _low_resolution(parameters)
    if isinstance(parameters, Overexposure):
        return _overexposure(parameters)
    if isinstance(parameters, Occlusion):
        return _occlusion(parameters, rng)
    assert isinstance(parameters, Crop)
    return _crop(parameters, rng)


def _blur(parameters: Blur) -> Change:
    def blur(face: np.ndarray) -> np.ndarray:
        larger = len(face) / SIZE
        kernel = 2 * round((parameters.kernel - 1) / 2 * larger) + 1
        return cv2.GaussianBlur(face, (kernel, kernel), parameters.sigma * larger)

    return blur


def _low_resolution(parameters: LowResolution) -> Change:
    def reduce(face: np.ndarray) -> np.ndarray:
        small = cv2.resize(face, (parameters.pixels, parameters.pixels), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    return reduce


def _overexposure(parameters: Overexposure) -> Change:
    """Light is not proportional to what a pixel holds: IEC 61966-2-1 (sRGB) says how."""
    value = np.arange(256) / 255
    light = np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4) * 2**parameters.stops
    light = np.clip(light, 0, 1)
    shown = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    table = np.round(255 * shown).astype(np.uint8)
    return lambda face: cv2.LUT(face, table)


def _occlusion(parameters: Occlusion, rng: np.random.Generator) -> Change:
    """A rectangle of one colour; its place, its colour and the ratio of its sides are drawn."""
    area = parameters.covered * SIZE * SIZE
    ratio = float(np.exp(rng.uniform(-np.log(_LONGEST_SIDE), np.log(_LONGEST_SIDE))))
    height = int(np.clip(round(np.sqrt(area * ratio)), np.ceil(area / SIZE), SIZE))
    width = min(round(area / height), SIZE) if height else 0
    y, x = int(rng.integers(SIZE - height + 1)), int(rng.integers(SIZE - width + 1))
    colour = rng.integers(0, 256, 3, dtype=np.uint8)

    def cover(face: np.ndarray) -> np.ndarray:
        covered = face.copy()
        covered[_part(face, y, height, x, width)] = colour
        return covered

    return cover


def _crop(parameters: Crop, rng: np.random.Generator) -> Change:
    """As O. Bahounek damages faces (thesis, VUT Brno, 2024), whose crops are of 70 pixels."""
    y, x = (int(at) for at in rng.integers(0, SIZE - parameters.pixels + 1, 2))

    def cut(face: np.ndarray) -> np.ndarray:
        piece = face[_part(face, y, parameters.pixels, x, parameters.pixels)]
        return cv2.resize(piece, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)

    return cut


def _part(face: np.ndarray, y: int, height: int, x: int, width: int) -> tuple[slice, slice]:
    """Return a rectangle of a face, given as it lies in one of `SIZE` pixels: others are damaged at the same place."""
    tall, wide = (side / SIZE for side in face.shape[:2])
    rows, columns = (
        slice(round(y * tall), round((y + height) * tall)),
        slice(round(x * wide), round((x + width) * wide)),
    )
    return rows, columns


def measured_again(face: np.ndarray, score: float, size_px: float, landmarks: np.ndarray) -> tuple[float, float]:
    """Return the sharpness and the quality of a damaged face.

    Detection is not run again: score, size of the box (pixels) and landmarks (10,) are those of the undamaged frame.
    Faces that came aligned have none, and only the sharpness counts for them, as in `avsieve.faces.prealigned`.
    """
    sharp = sharpness(face)
    if np.isnan(score):
        return sharp, quality(score=1.0, size_px=float(len(face)), sharp=sharp, frontal=1.0)
    return sharp, quality(score=score, size_px=size_px, sharp=sharp, frontal=frontality(np.reshape(landmarks, (-1, 2))))
