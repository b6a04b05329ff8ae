"""Paint a face on the plane: skin, ears, nose, brows, eyes and mouth.

Painted here are only colour and what light does not produce by itself (nostrils, lashes, contact shadows); the shading
of the relief comes from the renderer.
"""

from __future__ import annotations

import cv2
import numpy as np

from avsieve.synthetic.faces.canvas import Canvas, mirrored, spline
from avsieve.synthetic.faces.geometry import eye_centres, nose_tip, outline
from avsieve.synthetic.faces.identity import FaceIdentity
from avsieve.synthetic.faces.scene import Scene


def _noise(rng: np.random.Generator, shape: tuple[int, int], cell: float) -> np.ndarray:
    """Return smooth noise of unit variance whose grains are ``cell`` pixels wide."""
    small = rng.standard_normal((max(int(shape[0] / cell), 2), max(int(shape[1] / cell), 2))).astype(np.float32)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def paint_ears(canvas: Canvas, face: FaceIdentity) -> None:
    """Paint both ears; the face covers their inner edge."""
    skin = np.asarray(face.skin)
    size, out = face.ear_size, face.ear_spread
    for side in (-1, 1):
        base = side * (face.cheek_width - 0.06)
        rim = np.array(
            [
                (0.0, -0.16),
                (out * 0.8, -0.22),
                (out + 0.05, -0.05),
                (out + 0.01, 0.55 * size - 0.02),
                (out * 0.55, size + 0.05),
                (0.0, size),
            ]
        ) * (side, 1) + (base, 0.06)
        shape = spline(rim, 6, closed=True)
        canvas.fill(shape, skin * (0.88, 0.87, 0.93), cover=True)
        inner = (shape - shape.mean(axis=0)) * (0.52, 0.66) + shape.mean(axis=0)
        canvas.fill(inner, skin * (0.62, 0.6, 0.68), 0.75, soft=0.03)
        canvas.stroke(shape[6:22], skin * 1.06, 0.03, 0.4, soft=0.012)


def paint_skin(canvas: Canvas, face: FaceIdentity, scene: Scene) -> None:
    """Paint the skin of the head with its blotches, age, freckles, moles and the shadow of a shaved beard."""
    rng = np.random.default_rng(face.seed)
    skin = np.asarray(face.skin)
    shape = outline(face)
    canvas.fill(shape, skin, cover=True)
    tone = skin.mean() / 255
    red = np.array([0.80, 0.80, 1.02]) if tone > 0.45 else np.array([0.86, 0.86, 1.0])
    for side in (-1, 1):
        canvas.glow((side * 0.56, 0.5), (0.2, 0.17), skin * red, float(rng.uniform(0.15, 0.5)))
    canvas.glow((0, face.nose_length - 0.15), (0.13, 0.14), skin * red, float(rng.uniform(0.1, 0.4)))
    canvas.glow((0, face.chin - 0.15), (0.16, 0.1), skin * red, 0.2)
    canvas.glow((0, -0.6), (0.45, 0.2), skin * 1.05, 0.5)
    height, width = canvas.alpha.shape
    mottle = 0.022 * _noise(rng, (height, width), 0.12 * canvas.scale) + 0.012 * _noise(rng, (height, width), 2)
    canvas.image *= 1 + mottle[..., None]
    if face.freckles > 0.05:
        for _ in range(int(140 * face.freckles)):
            x, y = rng.normal(0, 0.42), rng.normal(0.35, 0.22)
            canvas.glow((float(x), float(y)), (0.011, 0.011), skin * (0.6, 0.68, 0.78), float(rng.uniform(0.3, 0.8)))
    _paint_age(canvas, face)
    if face.facial_hair != "none" or face.sex == "m":
        _paint_beard(canvas, face, scene, shape)
    for u, v, radius in face.moles:
        canvas.glow((u, v), (radius, radius), skin * 0.35, 0.9)
    edge = np.concatenate([shape, shape[:1]])
    canvas.stroke(edge, skin * 0.62, 0.07, 0.45, soft=0.07)


def _paint_age(canvas: Canvas, face: FaceIdentity) -> None:
    skin = np.asarray(face.skin)
    for side, (eu, ev) in zip((-1, 1), eye_centres(face), strict=True):
        bag = spline(np.array([(-0.17, 0.15), (0, 0.215), (0.17, 0.15)], dtype=float) + np.array([eu, ev]), 8)
        canvas.stroke(bag, skin * 0.72, 0.025, 0.15 + 0.55 * face.eye_bags, soft=0.02)
        start = (side * (face.nose_width + 0.04), face.nose_length - 0.17)
        middle = (side * (face.mouth_width + 0.02), 0.5 * (face.nose_length + face.mouth_height))
        fold = spline(np.array([start, middle, (side * (face.mouth_width + 0.10), face.mouth_height + 0.02)]), 8)
        canvas.stroke(fold, skin * 0.66, 0.025, 0.12 + 0.6 * face.age, soft=0.022)
        if face.age > 0.45:
            for k in range(3):
                crow = np.array([(0.27, 0.0), (0.36, 0.05 * (k - 1))]) * (side, 1) + (eu, ev + 0.02 * k)
                canvas.stroke(crow, skin * 0.66, 0.012, 0.8 * (face.age - 0.4), soft=0.006)
    if face.age > 0.4:
        for k in range(3):
            line = spline(np.array([(-0.42, -0.52), (0, -0.55), (0.42, -0.52)]) - (0, 0.12 * k), 8)
            canvas.stroke(line, skin * 0.7, 0.014, 0.9 * (face.age - 0.38), soft=0.01)


def _paint_beard(canvas: Canvas, face: FaceIdentity, scene: Scene, shape: np.ndarray) -> None:
    """Paint stubble or a beard as a soft area and many short hairs inside the face."""
    rng = np.random.default_rng([face.seed, 1])
    skin, hair = np.asarray(face.skin), np.asarray(scene.hair_colour) * 0.75
    mouth, half = face.mouth_height, face.mouth_width
    style = face.facial_hair
    lip, base = (half + 0.02, mouth - 0.13), (0.5, face.chin + 0.1)
    jaw = mirrored([(0, mouth - 0.2), lip, (half + 0.12, 0.86), (0.82, 0.75), (1.02, 0.45), (1.05, 1.2), base])
    corner = (half + 0.06, mouth + 0.02)
    moustache = mirrored(
        [(0, mouth - 0.19), (half * 0.5, mouth - 0.17), corner, (half * 0.6, mouth - 0.05), (0, mouth - 0.06)]
    )
    goatee = mirrored(
        [(0, mouth - 0.2), (half + 0.05, mouth - 0.1), (half * 0.9, mouth + 0.35), (0.2, face.chin + 0.03)]
    )
    inside = np.zeros_like(canvas.alpha)
    found = canvas.mask(shape)
    if found is not None:
        inside[found[0]] = found[1]
    shadow = 0.10 + 0.25 * scene.stubble if style in ("none", "moustache", "goatee") else 0.35
    if face.sex == "m":
        canvas.fill(spline(jaw, 4, closed=True), 0.55 * skin + 0.45 * hair, 0.5 * shadow, soft=0.07, clip=inside)
    area, amount, length = {
        "none": (jaw, 0, 0.0),
        "stubble": (jaw, 900, 0.02),
        "moustache": (moustache, 260, 0.07),
        "goatee": (goatee, 420, 0.07),
        "beard": (jaw, 1100, 0.07),
    }[style]
    if not amount:
        return
    full = 0.0 if style == "stubble" else 0.75
    polygon = spline(area, 4, closed=True)
    canvas.fill(polygon, hair, full, soft=0.03, clip=inside)
    low, high = area.min(axis=0), area.max(axis=0)
    roots = rng.uniform(low, high, (amount * 2, 2))
    ok = [cv2.pointPolygonTest(polygon.astype(np.float32), (float(x), float(y)), False) >= 0 for x, y in roots]
    roots = roots[np.array(ok)][:amount]
    n = len(roots)
    lean = (
        np.stack([0.5 * roots[:, 0] + rng.normal(0, 0.25, n), np.ones(n)], axis=1)
        * length
        * rng.uniform(0.5, 1.2, (n, 1))
    )
    canvas.strokes(
        np.stack([roots, roots + lean], axis=1), hair * rng.uniform(0.7, 1.5, (n, 1)), 0.012, 0.5, clip=inside
    )


def paint_nose(canvas: Canvas, face: FaceIdentity) -> None:
    """Paint what shading does not produce: nostrils, wings and the shadow under the nose."""
    skin = np.asarray(face.skin)
    u0, base, wide = face.skew[1], face.nose_length, face.nose_width
    lift = 0.03 + max(face.nose_upturn, -0.03)
    canvas.shade((u0, base + 0.02), (wide * 0.8, 0.05), 0.86)
    for side in (-1, 1):
        canvas.shade((u0 + side * (face.nose_bridge + 0.05), 0.16), (0.045, 0.17), 0.90, angle=-side * 0.12)
        wing = np.array([(0.72, -0.20), (0.98, -0.13), (1.0, -0.04), (0.78, 0.0)]) * (side * wide, 1) + (u0, base)
        canvas.stroke(spline(wing, 6), skin * 0.55, 0.025, 0.55, soft=0.012)
        centre = (u0 + side * wide * 0.48, base - lift)
        canvas.glow(centre, (wide * 0.2, 0.018 + 0.25 * lift), skin * (0.24, 0.24, 0.32), 0.7, angle=-side * 0.25)
    tip = nose_tip(face)
    canvas.shade((float(tip[0]), float(tip[1])), (0.06, 0.06), 1.05)


def paint_brows(canvas: Canvas, face: FaceIdentity, scene: Scene) -> None:
    """Paint the brows as short hairs over a soft ground."""
    rng = np.random.default_rng([face.seed, 2])
    colour = np.asarray(scene.hair_colour) * 0.62
    thick = face.brow_thickness
    for side, (eu, ev) in zip((-1, 1), eye_centres(face), strict=True):
        inner = 0.20 + face.brow_gap
        x = np.linspace(-inner, face.brow_length, 26)
        t = np.linspace(0, 1, 26)
        level = (
            -face.brow_height - scene.brow_raise - face.brow_arch * np.sin(np.pi * np.clip(t * 0.9 + 0.05, 0, 1)) ** 1.3
        )
        level += face.brow_slope * (0.35 - t) + 0.04 * t**3
        half = 0.5 * thick * (0.55 + 0.6 * np.sin(np.pi * np.clip(t * 0.75 + 0.2, 0, 1))) * (1 - 0.75 * t**3)
        upper = np.column_stack([eu + side * x, ev + level - half])
        lower = np.column_stack([eu + side * x, ev + level + half])
        canvas.fill(np.concatenate([upper, lower[::-1]]), colour, 0.55, soft=0.014)
        n = int(90 * thick / 0.06)
        i = rng.integers(0, 25, n)
        roots = upper[i] + (lower[i] - upper[i]) * rng.uniform(0.2, 1.0, (n, 1))
        rise = -rng.uniform(0.0, 0.045, n) * (1 - t[i]) + 0.015 * t[i]
        lean = np.stack([side * rng.uniform(0.02, 0.06, n), rise], axis=1)
        canvas.strokes(np.stack([roots, roots + lean], axis=1), colour * rng.uniform(0.7, 1.4, (n, 1)), 0.014, 0.5)
