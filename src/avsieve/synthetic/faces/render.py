"""Render the frames of one scene: warp the painted head by its pose, light it, and put it in front of the backdrop.

Everything that a scene fixes (paint, relief, normals, backdrop) is made once; a frame then costs one unprojection on a
coarse grid, one lookup of the light, and one warp.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import numpy as np

from avsieve.synthetic.faces.backdrop import paint_backdrop, paint_body
from avsieve.synthetic.faces.canvas import Canvas
from avsieve.synthetic.faces.features import MOUTH_GAP, eye_window, mouth_window, paint_eye, paint_mouth
from avsieve.synthetic.faces.geometry import Pose, Unprojector, landmarks, normals, outline, relief
from avsieve.synthetic.faces.hair import paint_glasses, paint_hair
from avsieve.synthetic.faces.identity import FaceIdentity
from avsieve.synthetic.faces.paint import paint_brows, paint_ears, paint_nose, paint_skin
from avsieve.synthetic.faces.scene import Scene

FPS = 25
_MOUTH_STATES = 12
_LID_STATES = 4


class Frame(NamedTuple):
    """A rendered frame with its truth."""

    image: np.ndarray
    """(size, size, 3) uint8 BGR."""
    landmarks: np.ndarray
    """(5, 2) float32 pixels: eyes, tip of the nose, corners of the mouth, the left one in the image first."""
    box: np.ndarray
    """(4,) float32 pixels: x1, y1, x2, y2 of the face from the middle of the forehead to the chin."""


class FaceRenderer:
    """One person in one scene."""

    def __init__(self, face: FaceIdentity, scene: Scene, size: int = 224) -> None:
        self.face, self.scene, self.size = face, scene, size
        scale = 1.4 * scene.scale * size
        self._canvas = Canvas(scale, -1.9, -2.3, 1.9, 2.35)
        height, width = (n - n % 2 for n in self._canvas.alpha.shape)
        self._canvas.image, self._canvas.alpha = (
            self._canvas.image[:height, :width],
            self._canvas.alpha[:height, :width],
        )
        over = self._paint()
        self._over = (over.image * over.alpha[..., None], over.alpha)
        self._texture = np.ascontiguousarray(self._finish(self._canvas, (slice(None), slice(None))))
        self._patches: dict[tuple, np.ndarray] = {}
        self._light_maps()
        body = paint_body(face, scene, 1.15 * scene.scale * size)
        self._body_scale, self._body_origin = body.scale, body.origin
        lit = body.image * self._body_light() * body.alpha[..., None]
        self._body = np.dstack([np.clip(lit, 0, 255), body.alpha * 255]).astype(np.uint8)
        self._body_top = int(np.flatnonzero(self._body[..., 3].any(axis=1))[0])
        margin = size // 7
        self._backdrop = paint_backdrop(scene, size + 2 * margin)
        self._margin = margin
        rng = np.random.default_rng([scene.seed, 9])
        side = size + 64
        grain = rng.standard_normal((side, side, 3)) * (0.75, 0.6, 0.75) + rng.standard_normal((side, side, 1)) * 0.6
        grain = cv2.GaussianBlur((scene.noise * grain).astype(np.float32), (0, 0), 0.6).round()
        # Brightening and darkening apart: adding and subtracting bytes is far quicker than adding signed words.
        self._grain = tuple(np.clip(sign * grain, 0, 255).astype(np.uint8) for sign in (1, -1))
        self._curve = self._tone_curve()

    # What a scene fixes

    def _paint(self) -> Canvas:
        """Paint everything but eyes and mouth, and return the layer that lies over them."""
        face, scene, canvas = self.face, self.scene, self._canvas
        paint_ears(canvas, face)
        paint_skin(canvas, face, scene)
        paint_nose(canvas, face)
        paint_brows(canvas, face, scene)
        self._hair = paint_hair(canvas, face, scene)
        over = Canvas(canvas.scale, 0, 0, 1, 1)
        over.origin, over.image, over.alpha = canvas.origin, np.zeros_like(canvas.image), np.zeros_like(canvas.alpha)
        paint_glasses(over, face, scene)
        return over

    def _finish(self, canvas: Canvas, window: tuple[slice, slice]) -> np.ndarray:
        """Lay the glasses over ``canvas`` (a crop at ``window``) and return premultiplied BGRA uint8."""
        colour, alpha = (x[window] for x in self._over)
        image = canvas.image * (1 - alpha[..., None]) + colour
        total = canvas.alpha + (1 - canvas.alpha) * alpha
        return np.dstack([np.clip(image * total[..., None], 0, 255), total * 255]).round().astype(np.uint8)

    def _light_maps(self) -> None:
        face, canvas = self.face, self._canvas
        u, v = canvas.grid(step=2)
        spacing = 2 / canvas.scale
        z = relief(face, u, v)
        lift = cv2.resize(self._hair, (z.shape[1], z.shape[0]), interpolation=cv2.INTER_AREA)
        z = z + 0.10 * cv2.GaussianBlur(lift, (0, 0), 0.04 / spacing)
        self._normals = normals(cv2.GaussianBlur(z, (0, 0), 0.018 / spacing), spacing)
        origin = ((canvas.origin[0] + 1) / canvas.scale, (canvas.origin[1] + 1) / canvas.scale)
        self._unproject = Unprojector(z, origin, spacing, self.size)
        self._gloss = np.where(lift > 0.5, 0.5, 1.0).astype(np.float32)
        # How far each point of the plane is carried down by a jaw that is wide open.
        fall = np.clip((v - face.mouth_height - 0.2) / max(face.chin - face.mouth_height - 0.2, 0.1), 0, 1)
        jaw = fall * fall * (3 - 2 * fall) * np.exp(-0.5 * (u / (0.62 * face.jaw_width)) ** 4)
        self._jaw = (0.55 * MOUTH_GAP * jaw).astype(np.float32)
        self._spacing, self._map_origin = spacing, origin

    def _body_light(self) -> np.ndarray:
        light = np.asarray(self.scene.light_colour, dtype=np.float32)
        return light * np.float32(self.scene.ambient + 0.62 * self.scene.diffuse)

    def _tone_curve(self) -> np.ndarray:
        x = np.arange(256) / 255
        curves = [np.clip((x * w) ** self.scene.gamma, 0, 1) for w in self.scene.white_balance]
        y = (np.stack(curves, axis=-1) - 0.45) * self.scene.contrast + 0.45
        return np.clip(255 * y, 0, 255).round().astype(np.uint8)[None]

    # What a frame adds

    def _patch(self, key: tuple, window: tuple[slice, slice]) -> np.ndarray:
        """Return the premultiplied BGRA patch of an eye or mouth in one state; painted on its first use."""
        if key not in self._patches:
            part = self._canvas.crop(window)
            if key[0] == "mouth":
                paint_mouth(part, self.face, self.scene, key[1] / _MOUTH_STATES)
            else:
                paint_eye(
                    part, self.face, self.scene, key[1], key[2] / _LID_STATES, (key[3] * 0.012, self.scene.gaze[1])
                )
            hair = self._hair[window]
            part.image += (self._canvas.image[window] - part.image) * hair[..., None]
            self._patches[key] = self._finish(part, window)
        return self._patches[key]

    def _head(self, pose: Pose, mouth: float, lids: float, gaze: float) -> list[np.ndarray]:
        """Return the lit head in image coordinates: four planes (size, size) uint8, BGRA, premultiplied."""
        texture = self._texture
        window = mouth_window(self._canvas, self.face)
        texture[window] = self._patch(("mouth", round(mouth * _MOUTH_STATES)), window)
        for eye in (0, 1):
            window = eye_window(self._canvas, self.face, eye)
            texture[window] = self._patch(("eye", eye, round(lids * _LID_STATES), round(gaze / 0.012)), window)
        u, v = self._unproject(pose)
        per, left, top = np.float32(1 / self._spacing), *(np.float32(x) for x in self._map_origin)
        columns, rows = (u - left) * per, (v - top) * per
        if mouth > 0.02:
            jaw = cv2.remap(self._jaw, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            v = v - np.float32(mouth) * jaw
            rows = (v - top) * per
        light = cv2.remap(self._light(pose), columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        scale, corner = np.float32(self._canvas.scale), self._canvas.origin
        columns, rows = u * scale - np.float32(corner[0] + 0.5), v * scale - np.float32(corner[1] + 0.5)
        head = cv2.remap(
            texture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=(0, 0, 0, 0)
        )
        return _lit(head, light)

    def _light(self, pose: Pose) -> np.ndarray:
        """Return what light does to the head turned to ``pose``: (h, w, 4) uint8 on the grid of the relief.

        The first three channels are factors in 128ths, the last is the highlight that is added.
        """
        scene = self.scene
        rotation = pose.rotation()
        light = np.asarray(scene.light)
        half = light + np.array([0, 0, 1])
        half /= np.linalg.norm(half)
        towards = np.stack([light @ rotation, half @ rotation, (0.0, -0.5, 0.85) @ rotation]).astype(np.float32)
        lambert, shine, sky = cv2.split(cv2.transform(self._normals, towards))
        lambert = cv2.max(lambert * np.float32(0.8) + np.float32(0.2), 0)
        level = np.float32(scene.ambient * 0.55) + np.float32(scene.ambient * 0.5) * cv2.max(sky, 0)
        shades = [np.float32(128) * (level + np.float32(scene.diffuse * c) * lambert) for c in scene.light_colour]
        gloss = cv2.pow(cv2.max(shine, 0), 24) * (np.float32(255 * scene.specular) * self._gloss)
        return cv2.convertScaleAbs(cv2.merge([*shades, gloss]))

    def frame(
        self, t: float, mouth: float, lids: float = 1.0, gaze: float = 0.0, grain: tuple[int, int] = (0, 0)
    ) -> Frame:
        """Render the frame at ``t`` seconds.

        Parameters
        ----------
        mouth, lids
            How far mouth and eyes are open, 0..1.
        gaze
            How far the eyes look aside, in face units.
        grain
            Where in the noise field this frame's noise begins, 0..63 each.
        """
        scene, size = self.scene, self.size
        pose = self.pose(t)
        head = self._head(pose, mouth, lids, gaze)
        image = self._behind(pose, t)
        image = _over(head, image)
        image = cv2.LUT(image, self._curve)
        if abs(scene.saturation - 1) > 0.02:
            grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
            image = cv2.addWeighted(image, scene.saturation, grey, 1 - scene.saturation, 0)
        if scene.blur > 0.05:
            image = cv2.GaussianBlur(image, (0, 0), scene.blur * size / 224)
        up, down = (g[grain[0] : grain[0] + size, grain[1] : grain[1] + size] for g in self._grain)
        image = cv2.subtract(cv2.add(image, up), down)
        points = pose.project(self._unproject.lift(landmarks(self.face, mouth, scene.smile))).astype(np.float32)
        return Frame(image, points, self._box(pose, mouth))

    def pose(self, t: float) -> Pose:
        """Return the pose of the head at ``t`` seconds."""
        scene, size = self.scene, self.size
        at = np.array(t)
        scale = scene.scale * size * float(scene.zoom.at(at))
        x = size * (scene.centre[0] + float(scene.shift_x.at(at)))
        y = size * (scene.centre[1] + float(scene.shift_y.at(at)))
        yaw, pitch, roll = (float(w.at(at)) for w in (scene.yaw, scene.pitch, scene.roll))
        # A head turns about the neck, not about the eyes: half of the face's way across is taken back.
        return Pose(yaw, pitch, roll, scale, x - 0.45 * np.sin(yaw) * scale, y + 0.5 * np.sin(pitch) * scale)

    def _behind(self, pose: Pose, t: float) -> np.ndarray:
        """Return backdrop and body: (size, size, 3) uint8."""
        scene, size, margin = self.scene, self.size, self._margin
        at = np.array(t)
        dx = margin + 0.4 * margin * np.clip(8 * float(scene.shift_x.at(at)), -1, 1)
        dy = margin + 0.4 * margin * np.clip(8 * float(scene.shift_y.at(at)), -1, 1)
        image = cv2.getRectSubPix(self._backdrop, (size, size), (dx + (size - 1) / 2, dy + (size - 1) / 2))
        ratio, flags = self._body_scale / pose.scale, cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        tilt = 0.25 * pose.roll
        cos, sin = ratio * np.cos(tilt), ratio * np.sin(tilt)
        x = pose.x + 0.45 * np.sin(pose.yaw) * pose.scale
        left, top = self._body_origin
        into = np.array(
            [[cos, sin, -cos * x - sin * pose.y - left], [-sin, cos, sin * x - cos * pose.y - top]], dtype=np.float32
        )
        # Neck and shoulders fill the lower part only: the rows above the highest corner that they reach are spared.
        corners = np.array([(0, self._body_top), (self._body.shape[1], self._body_top)]) - into[:, 2]
        first = int(np.clip(np.floor((corners @ np.linalg.inv(into[:, :2]).T)[:, 1].min()) - 1, 0, size - 1))
        into[:, 2] += into[:, 1] * first
        body = cv2.warpAffine(self._body, into, (size, size - first), flags=flags)
        image[first:] = _over(cv2.split(body), image[first:])
        return image

    def _box(self, pose: Pose, mouth: float) -> np.ndarray:
        edge = outline(self.face)
        edge = edge[edge[:, 1] > -0.8]
        edge[:, 1] += 0.55 * MOUTH_GAP * mouth * (edge[:, 1] > self.face.jaw_height + 0.2)
        points = pose.project(self._unproject.lift(edge))
        return np.concatenate([points.min(axis=0), points.max(axis=0)]).astype(np.float32)

    def frames(self, mouth: np.ndarray, rng: np.random.Generator) -> Iterator[Frame]:
        """Render one frame per value of ``mouth`` (n,), at 25 frames a second; ``rng`` gives blinks and grain."""
        lids = _blinks(len(mouth), rng)
        glance = self.scene.gaze[0] + 0.036 * (rng.random(len(mouth) // 12 + 2) - 0.5)
        for i, opening in enumerate(np.clip(mouth, 0, 1)):
            grain = (int(rng.integers(64)), int(rng.integers(64)))
            yield self.frame(i / FPS, float(opening), float(lids[i]), float(glance[i // 12]), grain)


def _lit(head: np.ndarray, light: np.ndarray) -> list[np.ndarray]:
    """Return the four planes of a premultiplied BGRA image under the light that `FaceRenderer._light` describes."""
    *colours, alpha = cv2.split(head)
    *factors, gloss = cv2.split(light)
    shine = cv2.multiply(gloss, alpha, scale=1 / 255)
    # Highlights must not make a premultiplied colour greater than its coverage.
    lit = [cv2.multiply(c, f, scale=1 / 128) for c, f in zip(colours, factors, strict=True)]
    return [*(cv2.min(cv2.add(c, shine), alpha) for c in lit), alpha]


def _over(front: Sequence[np.ndarray], back: np.ndarray) -> np.ndarray:
    """Lay the four planes of a premultiplied BGRA image over a BGR image."""
    *colours, alpha = front
    rest = cv2.bitwise_not(alpha)
    behind = [cv2.multiply(plane, rest, scale=1 / 255) for plane in cv2.split(back)]
    return cv2.merge([cv2.add(c, b) for c, b in zip(colours, behind, strict=True)])


def _blinks(n: int, rng: np.random.Generator) -> np.ndarray:
    """Return how far the lids are open in each of ``n`` frames: a blink of 6 frames every 2 to 5 seconds."""
    lids = np.ones(n)
    shape = np.array([0.6, 0.15, 0.0, 0.1, 0.5, 0.8])
    at = int(rng.integers(5, 80))
    while at < n:
        part = shape[: n - at]
        lids[at : at + len(part)] = part
        at += int(rng.integers(50, 125))
    return lids
