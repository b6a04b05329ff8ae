"""Augment aligned faces at random, so that an encoder learns the shape of a face rather than its light and colour."""

from __future__ import annotations

from dataclasses import dataclass, fields

import cv2
import numpy as np

from avsieve.training.encoder.settings import TrainVisual


@dataclass(frozen=True)
class FaceAugmentation:
    """How likely and how strong each change is; all zero leaves the faces alone.

    Parameters
    ----------
    flip, grey, blur, noise, erase
        Chances of: mirroring, dropping the colour, a Gaussian blur or a reduction, Gaussian noise, a grey rectangle.
    jitter
        Strength of changes of brightness, contrast, gamma and tint; 1 is up to a third either way.
    shift
        Strength of small turns, shifts and changes of scale, as a detector's landmarks have them; 1 is about 3 pixels.
    smooth
        Chance of a Gaussian blur of 5 x 9 pixels, its standard deviation evenly from 0.1 to 5 (AVCleanse: always).
    planes
        Order in which the network is fed the planes, ``rgb`` or ``bgr``. A grey face is made of the planes as if they
        were red, green and blue, as AVCleanse's loader does, which gives BGR to torchvision: under ``bgr`` red and blue
        have each other's weight.
    """

    flip: float
    grey: float
    blur: float
    noise: float
    erase: float
    jitter: float
    shift: float
    smooth: float
    planes: str

    @classmethod
    def of(cls, settings: TrainVisual, planes: str) -> FaceAugmentation:
        """Return the augmentation that the settings ask for, of faces whose planes come in the order ``planes``."""
        names = [field.name for field in fields(cls) if field.name != "planes"]
        return cls(**{name: getattr(settings, name) for name in names}, planes=planes)

    def __call__(self, face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return an augmented copy of a face (112, 112, 3) uint8 BGR."""
        if self.shift > 0:
            face = _moved(face, self.shift, rng)
        if rng.random() < self.flip:
            face = np.ascontiguousarray(face[:, ::-1])
        if self.jitter > 0:
            face = cv2.LUT(face, _curve(self.jitter, rng))
        if rng.random() < self.grey:
            face = cv2.cvtColor(
                cv2.cvtColor(face, cv2.COLOR_BGR2GRAY if self.planes == "rgb" else cv2.COLOR_RGB2GRAY),
                cv2.COLOR_GRAY2BGR,
            )
        if rng.random() < self.blur:
            face = _softened(face, rng)
        if self.smooth > 0 and rng.random() < self.smooth:
            face = cv2.GaussianBlur(face, (5, 9), float(rng.uniform(0.1, 5)))
        if rng.random() < self.noise:
            grain = rng.standard_normal(face.shape, dtype=np.float32) * np.float32(rng.uniform(2, 10))
            face = np.clip(face + grain, 0, 255).astype(np.uint8)
        if rng.random() < self.erase:
            (x, y), (w, h) = rng.integers(0, 96, 2), rng.integers(12, 44, 2)
            face = face.copy()
            face[y : y + h, x : x + w] = rng.integers(0, 256)
        return face


def _moved(face: np.ndarray, strength: float, rng: np.random.Generator) -> np.ndarray:
    size = face.shape[0]
    angle, scale = rng.normal(0, 2.5 * strength), 1 + np.clip(rng.normal(0, 0.03 * strength), -0.12, 0.12)
    matrix = cv2.getRotationMatrix2D((size / 2, size / 2), float(angle), float(scale))
    matrix[:, 2] += rng.normal(0, 1.5 * strength, 2)
    return cv2.warpAffine(face, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _curve(strength: float, rng: np.random.Generator) -> np.ndarray:
    """Return a table (1, 256, 3) uint8 of a random change of contrast, brightness, gamma and tint."""
    gain = np.exp(strength * rng.normal(0, 0.15)) * (1 + strength * rng.normal(0, 0.06, 3))
    gamma = np.exp(strength * rng.normal(0, 0.2))
    lift = strength * rng.normal(0, 0.05)
    values = np.linspace(0, 1, 256)[:, None] ** gamma
    return np.clip(255 * ((values - 0.5) * gain + 0.5 + lift), 0, 255).round().astype(np.uint8)[None]


def _softened(face: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blur, or reduce and enlarge again as a small face in a video is."""
    if rng.random() < 0.5:
        return cv2.GaussianBlur(face, (0, 0), float(rng.uniform(0.4, 1.6)))
    small = int(rng.integers(44, 96))
    reduced = cv2.resize(face, (small, small), interpolation=cv2.INTER_AREA)
    return cv2.resize(reduced, face.shape[1::-1], interpolation=cv2.INTER_LINEAR)
