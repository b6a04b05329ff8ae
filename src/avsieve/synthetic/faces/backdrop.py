"""Everything behind a rendered head: the backdrop, neck and shoulders, and hair that falls behind the neck."""

from __future__ import annotations

import cv2
import numpy as np

from avsieve.synthetic.faces.canvas import Canvas, mirrored, spline
from avsieve.synthetic.faces.identity import FaceIdentity
from avsieve.synthetic.faces.scene import Scene


def paint_backdrop(scene: Scene, size: int) -> np.ndarray:
    """Return an out-of-focus backdrop (size, size, 3) uint8 BGR."""
    rng = np.random.default_rng([scene.seed, 1])
    small = 96
    yy, xx = np.mgrid[0:small, 0:small].astype(np.float32) / small
    base = rng.uniform(30, 190) * (1 + rng.normal(0, 0.10, 3))
    tilt = rng.normal(0, 0.5, 2)
    image = base * (1 + (tilt[0] * (xx - 0.5) + tilt[1] * (yy - 0.5)))[..., None]
    image = np.ascontiguousarray(image.astype(np.float32))
    soft = 2.0
    if scene.backdrop == "studio":
        centre = rng.uniform(0.2, 0.8, 2)
        image *= (1.25 - 0.9 * np.hypot(xx - centre[0], yy - centre[1]))[..., None]
    elif scene.backdrop == "bokeh":
        image *= 0.45
        for _ in range(28):
            at = tuple(int(c) for c in rng.integers(0, small, 2))
            light = tuple(float(c) for c in rng.uniform(60, 255, 3))
            layer = image.copy()
            cv2.circle(layer, at, int(rng.integers(3, 9)), light, -1, cv2.LINE_AA)
            image += (layer - image) * np.float32(rng.uniform(0.15, 0.6))
        soft = 1.2
    else:
        count = {"room": 14, "shelf": 46, "outdoors": 40}[scene.backdrop]
        if scene.backdrop == "outdoors":
            horizon = int(rng.uniform(0.35, 0.75) * small)
            image[:horizon] = rng.uniform(150, 245) * np.array([1.0, 0.93, 0.86])
            image[horizon:] = rng.uniform(50, 120) * np.array([0.7, 1.0, 0.8])
        for _ in range(count):
            x, y = rng.integers(-10, small, 2)
            w, h = {"room": (34, 40), "shelf": (7, 24), "outdoors": (16, 16)}[scene.backdrop]
            w, h = int(rng.uniform(0.4, 1) * w) + 2, int(rng.uniform(0.4, 1) * h) + 2
            colour = np.clip(rng.uniform(0.4, 1.5) * base * (1 + rng.normal(0, 0.13, 3)), 5, 250)
            if scene.backdrop == "outdoors":
                colour = rng.uniform(30, 120) * np.array([0.5, 1.0, 0.7])
                cv2.ellipse(image, (int(x), int(y)), (w, h), 0, 0, 360, colour.tolist(), -1, cv2.LINE_AA)
            else:
                cv2.rectangle(image, (int(x), int(y)), (int(x) + w, int(y) + h), colour.tolist(), -1)
        soft = float(rng.uniform(1.2, 3.5))
    image = cv2.GaussianBlur(image, (0, 0), soft)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC)
    return np.clip(image, 0, 255).astype(np.uint8)


def paint_body(face: FaceIdentity, scene: Scene, scale: float) -> Canvas:
    """Return a canvas with neck, shoulders, clothes and the hair behind them, in face units around a frontal head."""
    canvas = Canvas(scale, -3.4, -1.9, 3.4, 5.2)
    rng = np.random.default_rng([scene.seed, 2])
    skin, shirt, hair = np.asarray(face.skin), np.asarray(scene.shirt), np.asarray(scene.hair_colour)
    wide, chin = face.neck_width, face.chin
    if scene.hair_style in ("long", "bob"):
        low = 2.15 if scene.hair_style == "long" else 1.12
        reach = face.cheek_width + 0.06 * scene.hair_volume
        half = [(0.0, -0.85), (reach * 0.9, -0.8), (reach + 0.08, 0.4), (reach + 0.05, low), (0.3, low + 0.12)]
        back = spline(mirrored(half), 8, closed=True)
        canvas.fill(back, hair * 0.42, cover=True)
        n = 70
        roots = rng.uniform(-reach, reach, n)
        columns = np.stack([roots, roots * 1.04, roots * 1.06 + rng.normal(0, 0.03, n)], axis=1)
        lines = spline(np.stack([columns, np.broadcast_to([-0.3, 0.5 * low, low], (n, 3))], axis=-1), 6)
        canvas.strokes(lines, hair * rng.uniform(0.3, 0.75, (n, 1)), 0.03, 0.5, clip=canvas.alpha.copy())
    half = [(wide, 0.5), (wide * 0.97, 1.5), (wide * 1.12, chin + 0.38), (wide * 1.9, chin + 0.65)]
    neck = spline(mirrored(half), 8, closed=True)
    canvas.fill(neck, skin * 0.86, soft=0.015, cover=True)
    canvas.glow((0.0, chin - 0.02), (wide * 1.1, 0.26), skin * 0.36, 0.85)
    for side in (-1, 1):
        canvas.shade((side * wide, chin + 0.1), (0.2, 0.7), 0.62)
        cord = np.array([(side * wide * 0.62, chin + 0.15), (side * 0.13, chin + 0.5)])
        canvas.stroke(cord, skin * 0.66, 0.05, 0.4, soft=0.05)
    top = chin + 0.42
    opening = {"round": 0.16, "v": 0.65, "shirt": 0.35, "suit": 0.7}[scene.collar]
    shoulder = 2.05 if face.sex == "m" else 1.8
    neckline = [(0.0, top + opening), (wide * 1.1, top - 0.06), (wide * 1.5, top + 0.1)]
    sleeve = [(shoulder * 0.8, top + 0.38), (shoulder + 0.25, top + 0.95), (shoulder + 0.5, 5.4)]
    half_cloth = spline(np.array([(-wide * 1.1, top - 0.06), *neckline, *sleeve]), 8)[8:]
    cloth = mirrored(half_cloth)
    canvas.fill(cloth, shirt, soft=0.006, cover=True)
    for _ in range(9):
        u, v = rng.uniform(-2.0, 2.0), rng.uniform(top + 0.4, top + 1.8)
        canvas.glow(
            (float(u), float(v)), (0.1, 0.5), shirt * rng.choice([0.7, 1.2]), 0.35, angle=float(rng.normal(0, 0.5))
        )
    rim = np.concatenate([cloth[-16:], half_cloth[:17]])
    canvas.stroke(rim, shirt * 0.6, 0.05, 0.8, soft=0.01)
    if scene.collar in ("shirt", "suit"):
        for side in (-1, 1):
            inner, outer = (side * wide * 1.02, top - 0.1), (side * wide * 1.12, top + 0.16)
            flap = np.array([inner, (side * 0.04, top + opening), (side * 0.38, top + opening + 0.22), outer])
            light = shirt * 1.12 + 14 if scene.collar == "shirt" else np.full(3, 222.0)
            canvas.fill(flap, light, soft=0.006, cover=True)
            canvas.stroke(flap[1:], light * 0.62, 0.02, 0.8)
            if scene.collar == "suit":
                lapel = np.array([(side * wide * 1.12, top + 0.1), (side * 0.06, top + 1.5), (side * 0.95, top + 0.75)])
                canvas.fill(lapel, shirt * 0.8, soft=0.006, cover=True)
                canvas.stroke(lapel, shirt * 0.5, 0.025, 0.8)
    return canvas
