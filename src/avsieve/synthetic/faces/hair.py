"""Paint hair and glasses: what a person may change between two videos."""

from __future__ import annotations

import cv2
import numpy as np

from avsieve.synthetic.faces.canvas import Canvas, spline
from avsieve.synthetic.faces.geometry import eye_centres
from avsieve.synthetic.faces.identity import FaceIdentity
from avsieve.synthetic.faces.scene import Scene

# How far the sides reach down (v) and how thick the hair lies over the skull, by style.
_SIDES = {
    "buzz": 0.05,
    "short": 0.12,
    "parted": 0.16,
    "fringe": 0.16,
    "back": 0.1,
    "bob": 1.05,
    "long": 2.0,
    "curly": 0.45,
}
_VOLUME = {
    "buzz": 0.03,
    "short": 0.12,
    "parted": 0.18,
    "fringe": 0.15,
    "back": 0.07,
    "bob": 0.18,
    "long": 0.15,
    "curly": 0.34,
}


def _skull(face: FaceIdentity, t: np.ndarray, grow: np.ndarray | float) -> np.ndarray:
    """Return an arch ``grow`` beyond the skull: t = -1 at the left temple, 0 at the crown, 1 at the right temple."""
    angle = t * np.pi / 2
    wide = face.cheek_width * 0.985 + grow
    top = face.crown - 1.15 * grow
    power = 0.82
    u = np.sign(angle) * wide * np.abs(np.sin(angle)) ** power
    v = -0.15 + (top + 0.15) * np.abs(np.cos(angle)) ** power
    return np.stack([u, v], axis=-1)


def _hairline(face: FaceIdentity, scene: Scene) -> np.ndarray:
    """Return the lower edge (n, 2) of the hair over the forehead, from the left temple to the right one."""
    wide = face.forehead_width * 0.93
    line = face.hairline - 0.35 * face.receding
    bays = 0.2 + 0.35 * face.receding
    left = [
        (-wide - 0.02, -0.15),
        (-wide, -0.45),
        (-0.86 * wide, line + 0.2 - 0.3 * bays),
        (-0.5 * wide, line - 0.12 * bays),
    ]
    right = [(-x, y) for x, y in reversed(left)]
    if scene.hair_style == "fringe":
        rng = np.random.default_rng([scene.seed, 4])
        xs = np.linspace(-0.8, 0.8, 9) * wide
        low = (
            -face.brow_height - 0.12 + rng.normal(0, 0.035, 9) + 0.10 * (xs / wide - scene.hair_part) * scene.hair_part
        )
        return spline(np.array([left[0], left[1], *zip(xs.tolist(), low.tolist(), strict=True), right[2], right[3]]), 6)
    middle = [(0.0, line + 0.02 + 0.04 * face.cupid)]
    if scene.hair_style in ("parted", "bob", "long"):
        p = scene.hair_part * wide
        drop = 0.28 if scene.hair_style != "parted" else 0.12
        middle = [(p - 0.12, line + 0.06), (p, line - 0.05), (p + 0.12, line + 0.06)]
        left[3] = ((left[3][0] + p) / 2 - 0.1, line + drop * (p + wide) / wide * 0.8)
        right[0] = ((right[0][0] + p) / 2 + 0.1, line + drop * (wide - p) / wide * 0.8)
    return spline(np.array([*left, *middle, *right]), 6)


def hair_mask(canvas: Canvas, face: FaceIdentity, scene: Scene) -> np.ndarray:
    """Return the coverage plane of the hair that is on or in front of the head."""
    style = scene.hair_style
    grow = _VOLUME[style] * scene.hair_volume
    arch = _skull(face, np.linspace(-1, 1, 33), grow)
    bottom = _SIDES[style]
    inner_u = face.cheek_width * (0.93 if bottom < 0.6 else 0.86)
    flare = 0.06 * scene.hair_volume if bottom > 0.6 else -0.04 - grow
    outer = arch[-1, 0] + flare
    right = [
        (arch[-1, 0] + 0.6 * flare, 0.4 * bottom),
        (outer, bottom),
        (inner_u + (0.02 if bottom < 0.6 else -0.04), bottom),
    ]
    if bottom > 0.6:
        right.append((inner_u + 0.03, 0.35))
    sides_left = [(-u, v) for u, v in right]
    edge = np.concatenate([sides_left[::-1], arch, right, _hairline(face, scene)[::-1]])
    plane = np.zeros(canvas.alpha.shape, dtype=np.float32)
    found = canvas.mask(edge, soft=0.012)
    if found is not None:
        plane[found[0]] = found[1]
    if style == "curly":
        rng = np.random.default_rng([scene.seed, 5])
        for u, v in np.concatenate([arch, [(-outer, 0.1), (outer, 0.1), (-outer, 0.35), (outer, 0.35)]]):
            x, y = canvas.pixels(np.array([[u, v]]) + rng.normal(0, 0.02, 2))[0]
            radius = rng.uniform(0.05, 0.10) * canvas.scale
            cv2.circle(plane, (round(x * 16), round(y * 16)), round(radius * 16), 1.0, -1, cv2.LINE_AA, 4)
    return np.clip(plane, 0, 1)


def _front_strands(face: FaceIdentity, scene: Scene, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return ``n`` hairs (n, points, 2) from the crown to the hairline, or back from it."""
    style, grow = scene.hair_style, _VOLUME[scene.hair_style] * scene.hair_volume
    part = scene.hair_part * 0.8 if style == "fringe" else 0.3 * rng.standard_normal(n)
    u = rng.uniform(-0.85, 0.85, n)
    low = -face.brow_height - 0.1 if style == "fringe" else face.hairline + 0.02
    middle = 0.55 * face.crown + 0.45 * low
    columns = [0.7 * u + 0.3 * part, u + rng.normal(0, 0.04, n), u + rng.normal(0, 0.08, n)]
    rows = [face.crown - grow + 0.1, middle, low]
    points = np.stack([np.stack(columns, axis=1), np.broadcast_to(rows, (n, 3))], axis=-1)
    return spline(points if style != "back" else points[:, ::-1], 5)


def _side_strands(face: FaceIdentity, scene: Scene, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return ``n`` hairs (n, points, 2) from the parting over the skull and down the sides."""
    style, grow = scene.hair_style, _VOLUME[scene.hair_style] * scene.hair_volume
    parted = style in ("parted", "bob", "long", "fringe")
    part = np.full((n, 1), scene.hair_part * 0.8) if parted else 0.3 * rng.standard_normal((n, 1))
    side = rng.choice([-1.0, 1.0], (n, 1))
    depth = rng.uniform(-0.25, 1.0, (n, 1))  # 1 = outermost
    t = np.linspace(0.06, 1.0, 6)
    arch = _skull(face, side * t, grow * np.maximum(depth, -0.1))
    arch[..., 0] += part * (1 - t)
    inward = (1 - depth) * 0.28 * np.linspace(0.9, 1, 6)
    arch *= 1 - inward[..., None] * np.array([0.55, 0.35])
    bottom = _SIDES[style]
    if bottom <= 0.1:
        return spline(arch, 4)
    end = rng.uniform(0.4, 1.0, (n, 1)) * bottom
    tail_u = arch[:, -1, :1] + side * (0.05 * depth if bottom > 0.6 else -0.05)
    last = tail_u + side * 0.03 * rng.standard_normal((n, 1))
    tail = np.stack([np.hstack([tail_u, 0.5 * end]), np.hstack([last, end])], axis=1)
    return spline(np.concatenate([arch, tail], axis=1), 4)


def _shades(colour: np.ndarray, rng: np.random.Generator, n: int) -> np.ndarray:
    """Return ``n`` variations (n, 3) of a colour of hair."""
    return colour * (rng.choice([0.5, 0.7, 1.0, 1.25, 1.5], n) * rng.uniform(0.85, 1.15, n))[:, None]


def paint_hair(canvas: Canvas, face: FaceIdentity, scene: Scene) -> np.ndarray:
    """Paint the hair onto ``canvas`` and return its coverage plane."""
    if scene.hair_style == "bald":
        return np.zeros_like(canvas.alpha)
    rng = np.random.default_rng([scene.seed, 3])
    colour = np.asarray(scene.hair_colour)
    mask = hair_mask(canvas, face, scene)
    whole = (slice(None), slice(None))
    canvas.blend(whole, cv2.GaussianBlur(mask, (0, 0), 0.05 * canvas.scale) * canvas.alpha, colour * 0.25, 0.35)
    density = 0.8 if scene.hair_style == "buzz" else 1.0
    canvas.blend(whole, mask, colour * 0.8, density, cover=True)
    if scene.hair_style in ("curly", "buzz"):
        _paint_curls(canvas, face, scene, rng, mask)
    else:
        front = 130 if scene.hair_style in ("fringe", "back", "short") else 0
        groups = [(_side_strands, 240 - front)] + ([(_front_strands, front)] if front else [])
        for strands, n in groups:
            lines = strands(face, scene, rng, n)
            if face.curl > 0.35:
                wave = np.sin(np.linspace(0, 16, lines.shape[1]) + rng.uniform(0, 6, (n, 1)))
                lines = lines + 0.03 * face.curl * wave[..., None] * np.array([1, 0.5])
            canvas.strokes(lines, _shades(colour, rng, n), rng.uniform(0.012, 0.035, n), 0.45, clip=mask, layers=3)
    return mask


def _paint_curls(canvas: Canvas, face: FaceIdentity, scene: Scene, rng: np.random.Generator, mask: np.ndarray) -> None:
    buzz = scene.hair_style == "buzz"
    n, wide = (420 if buzz else 900), face.cheek_width + 0.4
    at = rng.uniform((-wide, face.crown - 0.4), (wide, 0.5), (n, 1, 2))
    if buzz:
        ends = np.stack([rng.normal(0, 0.01, n), np.full(n, 0.03)], axis=1)[:, None]
        lines = np.concatenate([at, at + ends], axis=1)
    else:
        turn = np.linspace(0, 1, 7) * rng.uniform(3, 5.5, (n, 1)) + rng.uniform(0, 6, (n, 1))
        radius = rng.uniform(0.015, 0.04, (n, 1, 1))
        lines = at + radius * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    shades = np.asarray(scene.hair_colour) * rng.choice([0.45, 0.65, 1.2, 1.5], (n, 1))
    canvas.strokes(lines, shades, 0.016, 0.35 if buzz else 0.5, clip=mask)


def paint_glasses(canvas: Canvas, face: FaceIdentity, scene: Scene) -> None:
    """Paint glasses: rims, bridge, temples, a little reflection. The canvas is the layer over eyes and brows."""
    if scene.glasses == "none":
        return
    colour = np.asarray(scene.glasses_colour)
    thick = {"round": 0.045, "square": 0.065, "thin": 0.024}[scene.glasses]
    turn = np.linspace(0, 2 * np.pi, 41)[:-1]
    power = {"round": 1.0, "square": 0.5, "thin": 0.65}[scene.glasses]
    cos, sin = np.cos(turn), np.sin(turn)
    form = np.column_stack([np.sign(cos) * np.abs(cos) ** power, np.sign(sin) * np.abs(sin) ** power])
    half = 0.5 * (face.eye_spacing - 0.09) + 0.11
    size = (half, half * {"round": 0.95, "square": 0.72, "thin": 0.7}[scene.glasses])
    for side, (eu, ev) in zip((-1, 1), eye_centres(face), strict=True):
        rim = form * size + (eu + side * 0.02, ev + 0.045)
        canvas.fill(rim, (235, 235, 235), 0.05, cover=True)
        glare = np.array([(-0.55, 0.5), (0.25, -0.62), (0.5, -0.62), (-0.3, 0.5)]) * size + (eu, ev + 0.045)
        canvas.fill(glare, (250, 250, 250), 0.10, soft=0.02, cover=True)
        canvas.stroke(rim + np.array([0, 0.02]), (20, 20, 24), thick, 0.25, soft=0.03, cover=True, closed=True)
        canvas.stroke(rim, colour, thick, 1.0, cover=True, closed=True)
        canvas.stroke(rim[21:32] - (0, 0.006), np.clip(colour * 1.6 + 25, 0, 255), 0.012, 0.5, cover=True)
        temple = np.array([rim[0 if side > 0 else 20], (side * face.cheek_width * 1.0, ev - 0.02)])
        canvas.stroke(temple, colour, thick * 0.9, 1.0, cover=True)
    (lu, lv), (ru, rv) = eye_centres(face)
    inner = half - 0.01
    bridge = spline(
        np.array([(lu - 0.02 + inner, lv + 0.02), (0.5 * (lu + ru), lv - 0.015), (ru + 0.02 - inner, rv + 0.02)]), 6
    )
    canvas.stroke(bridge, colour, thick, 1.0, cover=True)
