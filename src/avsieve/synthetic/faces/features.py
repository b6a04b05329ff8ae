"""The parts of a face that move: eyes with their lids, and the mouth. Repainted for each state, on small patches."""

from __future__ import annotations

import numpy as np

from avsieve.synthetic.faces.canvas import Canvas
from avsieve.synthetic.faces.geometry import eye_centres
from avsieve.synthetic.faces.identity import FaceIdentity
from avsieve.synthetic.faces.scene import Scene

MOUTH_GAP = 0.34  # face units between the lips of a mouth that is wide open


def eye_window(canvas: Canvas, face: FaceIdentity, eye: int) -> tuple[slice, slice]:
    """Return the part of the canvas that eye 0 (left in the image) or 1 may change."""
    u, v = eye_centres(face)[eye]
    return canvas.window(u - 0.36, v - 0.26, u + 0.36, v + 0.24)


def mouth_window(canvas: Canvas, face: FaceIdentity) -> tuple[slice, slice]:
    """Return the part of the canvas that the mouth may change."""
    half, v = face.mouth_width * 1.12 + 0.1, face.mouth_height
    return canvas.window(-half, v - 0.26, half, v + 0.62)


def paint_eye(
    canvas: Canvas, face: FaceIdentity, scene: Scene, eye: int, opening: float, gaze: tuple[float, float]
) -> None:
    """Paint one eye, its lids ``opening`` of the way apart (0 closed .. 1 as wide as the scene has them)."""
    side = (-1, 1)[eye]
    centre = eye_centres(face)[eye]
    skin = np.asarray(face.skin)
    wide = face.eye_width
    low = 0.38 * face.eye_height
    # The upper lid comes down to the lower one, which hardly moves.
    high = face.eye_height * scene.lid_opening * opening - 0.85 * low * (1 - opening)
    x = np.linspace(-1, 1, 21)
    bow = np.clip(1 - np.abs(x) ** 2.1, 0, 1) ** 0.8
    peak = 1 + face.eye_peak * x
    tilt = -face.eye_tilt * x * wide
    lid_x = side * x * wide
    upper = np.column_stack([lid_x, -high * bow * peak + tilt]) + centre
    lower = np.column_stack([lid_x, low * bow * (1 + 0.25 * x) + tilt]) + centre
    almond = np.concatenate([upper, lower[::-1]])
    canvas.shade((float(centre[0]), float(centre[1] - 0.12)), (0.2, 0.05), 0.88 + 0.05 * face.lid_crease)
    if opening > 0.12:
        inside = np.zeros_like(canvas.alpha)
        found = canvas.mask(almond)
        if found is not None:
            inside[found[0]] = found[1]
        canvas.fill(almond, (214, 218, 226))
        _paint_iris(canvas, face, scene, centre, gaze, inside)
        shadow = upper + np.array([0, 0.028])
        canvas.stroke(shadow, (60, 60, 74), 0.05, 0.55, soft=0.02, clip=inside)
        corner = centre + np.array([-side * wide * 0.92, float(tilt[1])])
        canvas.glow((float(corner[0]), float(corner[1])), (0.03, 0.022), (120, 126, 196), 0.7, clip=inside)
        canvas.stroke(lower, skin * (0.72, 0.7, 0.86), 0.022, 0.65, soft=0.006)
    lash = 0.034 if face.sex == "f" else 0.026
    dark = np.minimum(np.asarray(scene.hair_colour) * 0.4, 60)
    canvas.stroke(upper[1:], dark, lash, 0.9, soft=0.004)
    if face.sex == "f":
        tail = np.array([upper[-2], upper[-1] + (side * 0.035, -0.02)])
        canvas.stroke(tail, dark, 0.022, 0.8, soft=0.004)
    crease = upper[2:-1] - (0, 0.045 + 0.05 * face.lid_crease) + np.column_stack([np.zeros(18), 0.02 * (x[2:-1] ** 2)])
    canvas.stroke(crease, skin * 0.55, 0.018, 0.2 + 0.5 * face.lid_crease, soft=0.008)


def _paint_iris(
    canvas: Canvas, face: FaceIdentity, scene: Scene, centre: np.ndarray, gaze: tuple[float, float], inside: np.ndarray
) -> None:
    at = centre + np.array([gaze[0], gaze[1] - 0.012])
    turn = np.linspace(0, 2 * np.pi, 25)[:-1]
    ring = np.column_stack([np.cos(turn), np.sin(turn)])
    iris = np.asarray(face.iris)
    canvas.fill(at + 0.102 * ring, iris * 0.45, clip=inside)
    canvas.fill(at + 0.088 * ring, iris * 0.9, soft=0.006, clip=inside)
    canvas.fill(at + (0, 0.012) + 0.06 * ring, iris * 1.3 + 8, 0.6, soft=0.014, clip=inside)
    canvas.fill(at + 0.042 * ring, (14, 12, 12), clip=inside)
    spark = at + np.array([0.035 * np.sign(scene.light[0]) * min(abs(scene.light[0]) + 0.4, 1), -0.036])
    canvas.fill(spark + 0.019 * ring, (250, 250, 250), 0.95, clip=inside)


def paint_mouth(canvas: Canvas, face: FaceIdentity, scene: Scene, opening: float) -> None:
    """Paint lips, teeth and tongue of a mouth that is ``opening`` (0..1) open."""
    skin = np.asarray(face.skin)
    smile, gap = scene.smile, MOUTH_GAP * opening
    half = face.mouth_width * (1 - 0.10 * opening + 0.08 * smile)
    x = np.linspace(-1, 1, 31)
    bow = np.clip(1 - x * x, 0, 1)
    corners = (-face.mouth_corner - 0.035 * smile + 0.03 * opening) * np.abs(x) ** 1.8 - face.skew[2] * x
    level = face.mouth_height + corners
    inner_top = level - 0.12 * gap * bow**0.7 + 0.012 * (1 - np.abs(x)) * (1 - smile)
    inner_low = inner_top + (gap + 0.004) * bow**0.75
    peak = np.exp(-0.5 * ((np.abs(x) - 0.24) / 0.2) ** 2) + 0.75 * bow * np.exp(-0.5 * (x / 0.6) ** 2)
    peak -= face.cupid * np.exp(-0.5 * (x / 0.11) ** 2)
    outer_top = inner_top - face.upper_lip * np.clip(peak, 0, None) * bow**0.35 - 0.004
    outer_low = inner_low + face.lower_lip * (1 - 0.12 * smile) * bow**0.62 + 0.003

    def curve(y: np.ndarray) -> np.ndarray:
        return np.column_stack([half * x, y])

    tone = skin.mean() / 255
    lips = skin * (0.72, 0.66, 0.93) if tone > 0.42 else skin * (0.86, 0.78, 0.98)
    lips = lips * (1 - scene.lipstick) + np.array([58, 40, 165]) * scene.lipstick * (0.6 + 0.4 * tone)
    canvas.shade((0, float(outer_low[15] + 0.055)), (half * 0.55, 0.035), 0.78)
    top = np.concatenate([curve(outer_top), curve(inner_top)[::-1]])
    low = np.concatenate([curve(inner_low), curve(outer_low)[::-1]])
    cavity = np.concatenate([curve(inner_top), curve(inner_low)[::-1]])
    if gap > 0.02:
        inside = np.zeros_like(canvas.alpha)
        found = canvas.mask(cavity)
        if found is not None:
            inside[found[0]] = found[1]
        canvas.fill(cavity, (26, 18, 46))
        canvas.glow((0, float(inner_low[15])), (half * 0.5, 0.3 * gap + 0.01), (84, 78, 168), 0.8, clip=inside)
        teeth = np.concatenate([curve(inner_top - 0.02), curve(inner_top + min(0.075, 0.75 * gap) * bow**0.4)[::-1]])
        canvas.fill(teeth, (206, 216, 224), 0.92, soft=0.008, clip=inside)
        canvas.stroke(curve(inner_top + 0.008), (40, 34, 70), 0.03, 0.6, soft=0.012, clip=inside)
    canvas.fill(low, lips * 1.04, 0.92, soft=0.008)
    canvas.fill(top, lips * 0.86, 0.92, soft=0.008)
    canvas.glow((0, float(0.45 * inner_low[15] + 0.55 * outer_low[15])), (half * 0.32, 0.022), lips * 1.3 + 12, 0.5)
    if gap <= 0.05:
        canvas.stroke(curve(inner_top), lips * 0.36, 0.018, 0.85, soft=0.006)
    for side in (0, -1):
        end = curve(inner_top)[side]
        canvas.shade((float(end[0]), float(end[1])), (0.03, 0.025), 0.68)
