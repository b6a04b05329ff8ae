"""Images to train the tiny detector on: rendered faces placed, scaled and augmented at random, and some without."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor

from avsieve.synthetic.faces.backdrop import paint_backdrop
from avsieve.synthetic.faces.person import sample_face, sample_scene

_MIRRORED = [1, 0, 2, 4, 3]
_BACKDROPS = 256


class DetectorBatch(NamedTuple):
    """Images (N, 3, size, size) float32, scaled, and for each its boxes (F, 4) and landmarks (F, 10) in pixels."""

    images: Tensor
    faces: list[Tensor]
    marks: list[Tensor]


def decode(jpeg: bytes | np.ndarray) -> np.ndarray:
    """Return the image (h, w, 3) uint8 BGR of a JPEG that is known to be whole."""
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image


class DetectorImages:
    """Make training images; the image of an index is always the same.

    Parameters
    ----------
    jpegs
        Rendered frames.
    boxes, marks
        (n, 4) and (n, 5, 2) float32 in pixels of the frames.
    size
        Side of the images that are made.
    seed
        Decides every draw, together with the index.
    """

    def __init__(
        self, jpegs: list[bytes], boxes: np.ndarray, marks: np.ndarray, *, size: int = 224, seed: int = 1
    ) -> None:
        self.jpegs, self.boxes, self.marks, self.size, self.seed = jpegs, boxes, marks, size, seed
        self._backdrops: dict[int, np.ndarray] = {}

    def image(self, index: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return image (size, size, 3) uint8 BGR, boxes (F, 4) and landmarks (F, 5, 2); one in eight shows no face."""
        rng = np.random.default_rng([self.seed, 7, index])
        canvas = self._ground(rng)
        boxes, marks = np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
        kind = rng.random()
        if kind < 0.125:
            if rng.random() < 0.5:
                canvas = cv2.resize(self.faceless(rng), (self.size, self.size), interpolation=cv2.INTER_AREA)
        elif kind < 0.80:
            scale = (
                float(np.exp(rng.normal(0, 0.12)))
                if kind < 0.55
                else float(np.exp(rng.uniform(np.log(0.2), np.log(1.5))))
            )
            boxes, marks = self._paste(canvas, rng, scale, (0, 0, self.size, self.size))
        else:
            half = self.size // 2
            cells = [(x, y, x + half, y + half) for x in (0, half) for y in (0, half) if rng.random() < 0.75]
            found = [self._paste(canvas, rng, float(rng.uniform(0.3, 0.55)), cell) for cell in cells]
            if found:
                boxes, marks = (np.concatenate(part) for part in zip(*found, strict=True))
        if rng.random() < 0.5:
            canvas = canvas[:, ::-1]
            boxes = boxes[:, [2, 1, 0, 3]] * (-1, 1, -1, 1) + (self.size - 1, 0, self.size - 1, 0)
            marks = marks[:, _MIRRORED] * (-1, 1) + (self.size - 1, 0)
        return augmented(np.ascontiguousarray(canvas), rng), boxes.astype(np.float32), marks.astype(np.float32)

    def batch(self, first: int, count: int) -> DetectorBatch:
        """Return the images ``first`` to ``first + count - 1``."""
        made = [self.image(i) for i in range(first, first + count)]
        images = np.stack([image[..., ::-1] for image, _, _ in made]).transpose(0, 3, 1, 2)
        scaled = (torch.from_numpy(np.ascontiguousarray(images)).float() - 127.5) / 128
        faces = [torch.from_numpy(boxes) for _, boxes, _ in made]
        return DetectorBatch(scaled, faces, [torch.from_numpy(m.reshape(-1, 10)) for _, _, m in made])

    def _ground(self, rng: np.random.Generator) -> np.ndarray:
        if rng.random() < 0.4:
            grey = rng.uniform(0, 255) + rng.normal(0, 12, 3)
            return np.full((self.size, self.size, 3), np.clip(grey, 0, 255), np.uint8)
        return self._backdrop(int(rng.integers(_BACKDROPS))).copy()

    def _backdrop(self, number: int) -> np.ndarray:
        if number not in self._backdrops:
            rng = np.random.default_rng([self.seed, 8, number])
            self._backdrops[number] = paint_backdrop(sample_scene(rng, sample_face(rng, "f")), self.size)
        return self._backdrops[number]

    def _frame(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        i = int(rng.integers(len(self.jpegs)))
        image = decode(self.jpegs[i])
        return image, self.boxes[i], self.marks[i]

    def faceless(self, rng: np.random.Generator) -> np.ndarray:
        """Return a frame whose face is hidden: hair, clothes and backdrop alone are no face."""
        image, box, _ = self._frame(rng)
        x1, y1, x2, y2 = (int(v) for v in box)
        cover = (
            image[int(rng.integers(0, 60)), int(rng.integers(0, 60))] if rng.random() < 0.5 else rng.uniform(0, 255, 3)
        )
        cv2.rectangle(image, (x1, y1 - 8), (x2, y2), [float(c) for c in cover], -1)
        return image

    def _paste(
        self, canvas: np.ndarray, rng: np.random.Generator, scale: float, cell: tuple[int, int, int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Put a frame scaled by ``scale`` into ``cell`` (x1, y1, x2, y2) of ``canvas`` and return its face there."""
        image, box, marks = self._frame(rng)
        x1, y1, x2, y2 = cell
        middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        spread = max(0.12 * (x2 - x1), ((x2 - x1) - scale * image.shape[1]) / 2)
        goal = np.array([(x1 + x2) / 2, (y1 + y2) / 2]) + rng.uniform(-1, 1, 2) * spread
        angle = float(rng.normal(0, 0.12))
        cos, sin = scale * np.cos(angle), scale * np.sin(angle)
        matrix = np.array([[cos, -sin, 0], [sin, cos, 0]])
        matrix[:, 2] = goal - matrix[:, :2] @ middle
        shape = (x2 - x1, y2 - y1)
        local = matrix.copy()
        local[:, 2] -= (x1, y1)
        if scale < 0.7:
            image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
        warped = cv2.warpAffine(image, local, shape, flags=cv2.INTER_LINEAR)
        inside = cv2.warpAffine(np.full(image.shape[:2], 255, np.uint8), local, shape, flags=cv2.INTER_NEAREST)
        part = canvas[y1:y2, x1:x2]
        part[inside > 0] = warped[inside > 0]
        corners = np.array([(box[0], box[1]), (box[2], box[1]), (box[2], box[3]), (box[0], box[3])])
        corners = corners @ matrix[:, :2].T + matrix[:, 2]
        # The box of a turned box is too wide; the mean of its corners' sides fits the face better.
        placed = np.concatenate([np.sort(corners, axis=0)[:2].mean(axis=0), np.sort(corners, axis=0)[2:].mean(axis=0)])
        marks = marks @ matrix[:, :2].T + matrix[:, 2]
        centre = (placed[:2] + placed[2:]) / 2
        if not (x1 <= centre[0] < x2 and y1 <= centre[1] < y2):
            return np.zeros((0, 4), np.float32), np.zeros((0, 5, 2), np.float32)
        placed = np.clip(placed, (x1, y1, x1, y1), (x2 - 1, y2 - 1, x2 - 1, y2 - 1))
        return placed[None].astype(np.float32), marks[None].astype(np.float32)


def augmented(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return ``image`` (h, w, 3) uint8 with random light, colour, blur, noise and coding; grey one time in three."""
    if rng.random() < 0.33:
        image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    gain, gamma = rng.uniform(0.55, 1.35) * rng.uniform(0.9, 1.1, 3), rng.uniform(0.7, 1.4)
    curve = 255 * np.clip(np.outer(np.linspace(0, 1, 256) ** gamma, gain), 0, 1)
    image = cv2.LUT(image, curve.astype(np.uint8)[None])
    if rng.random() < 0.3:
        image = cv2.GaussianBlur(image, (0, 0), float(rng.uniform(0.4, 1.8)))
    if rng.random() < 0.3:
        noise = rng.standard_normal(image.shape, np.float32) * np.float32(rng.uniform(1, 9))
        image = np.clip(image + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        coded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 80))])[1]
        image = decode(coded)
    return image
