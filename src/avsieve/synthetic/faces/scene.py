"""Scene of one video: everything about a rendered face that may change from video to video.

Hair and glasses, expression, pose and its drift, light, camera, background. A scene belongs to a face, since hair and
glasses are limited to what that person would wear, but it says nothing about who the person is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.synthetic.faces.identity import FaceIdentity

BACKDROPS = ("studio", "room", "bokeh", "shelf", "outdoors")


@dataclass(frozen=True)
class Wave:
    """A slow quasi-periodic track: a mean and three sinusoids."""

    mean: float
    amplitudes: tuple[float, ...]
    frequencies: tuple[float, ...]
    phases: tuple[float, ...]

    def at(self, t: np.ndarray) -> np.ndarray:
        """Return the value at the times ``t`` (seconds)."""
        total = np.full(np.shape(t), self.mean, dtype=np.float64)
        for a, f, p in zip(self.amplitudes, self.frequencies, self.phases, strict=True):
            total += a * np.sin(2 * np.pi * f * t + p)
        return total


@dataclass(frozen=True)
class Scene:
    """The circumstances of one video; sampled by `sample_scene`. Angles in radians, colours BGR."""

    seed: int
    # what the person wears
    hair_style: str
    hair_colour: tuple[float, float, float]
    hair_volume: float
    hair_part: float
    glasses: str
    glasses_colour: tuple[float, float, float]
    lipstick: float
    stubble: float
    shirt: tuple[float, float, float]
    collar: str
    # expression
    smile: float
    brow_raise: float
    lid_opening: float
    gaze: tuple[float, float]
    # pose and camera
    yaw: Wave
    pitch: Wave
    roll: Wave
    shift_x: Wave
    shift_y: Wave
    zoom: Wave
    scale: float
    centre: tuple[float, float]
    # light
    light: tuple[float, float, float]
    light_colour: tuple[float, float, float]
    ambient: float
    diffuse: float
    specular: float
    # picture
    backdrop: str
    blur: float
    noise: float
    contrast: float
    gamma: float
    saturation: float
    white_balance: tuple[float, float, float]


def _wave(rng: np.random.Generator, mean: float, amplitude: float) -> Wave:
    parts = amplitude * rng.dirichlet((1.0, 1.0, 1.0))
    frequencies = rng.uniform((0.05, 0.15, 0.4), (0.15, 0.4, 0.9))
    phases = rng.uniform(0, 2 * np.pi, 3)
    return Wave(mean, tuple(parts.tolist()), tuple(frequencies.tolist()), tuple(phases.tolist()))


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    a, b, c = (float(x) for x in values)
    return a, b, c


def _hair_style(rng: np.random.Generator, face: FaceIdentity) -> str:
    if face.receding > 0.75:
        return str(rng.choice(["bald", "buzz"]))
    if face.curl > 0.72:
        return str(rng.choice(["curly", "curly", "buzz" if face.sex == "m" else "back", "short"]))
    if face.hair_length < 0.4:
        return str(rng.choice(["short", "parted", "fringe", "short"]))
    if face.hair_length < 0.62:
        return str(rng.choice(["bob", "parted", "fringe", "back"]))
    return str(rng.choice(["long", "long", "bob", "back"]))


def sample_scene(rng: np.random.Generator, face: FaceIdentity) -> Scene:
    """Draw the circumstances of one video of ``face``; the person's own colours and habits limit the choice."""
    hair = np.asarray(face.hair) * rng.normal(1.0, 0.06) + rng.normal(0, 3, 3)
    if face.sex == "f" and rng.random() < 0.08:
        hair = hair * 0.6 + np.array([40, 60, 130]) * 0.5
    azimuth, elevation = rng.normal(0, 0.75), rng.uniform(0.05, 0.95)
    azimuth = float(np.clip(azimuth, -1.3, 1.3))
    light = np.array([np.sin(azimuth) * np.cos(elevation), -np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    warmth = rng.normal(0, 0.07)
    strength = rng.uniform(0.35, 0.7)
    worn = rng.random() < face.wears_glasses
    return Scene(
        seed=int(rng.integers(2**31)),
        hair_style=_hair_style(rng, face),
        hair_colour=_triple(np.clip(hair, 8, 245)),
        hair_volume=float(np.clip(rng.normal(1.0, 0.2), 0.6, 1.5)),
        hair_part=float(rng.uniform(-0.55, 0.55)),
        glasses=str(rng.choice(["round", "square", "thin"])) if worn else "none",
        glasses_colour=_triple(np.array([[24, 22, 24], [40, 48, 78], [120, 124, 128], [70, 40, 30]][rng.integers(4)])),
        lipstick=float(rng.uniform(0.2, 0.9)) if face.sex == "f" and rng.random() < 0.4 else 0.0,
        stubble=float(rng.uniform(0.0, 0.6)) if face.sex == "m" else 0.0,
        shirt=_triple(rng.uniform(20, 225, 3)),
        collar=str(rng.choice(["round", "v", "shirt", "suit"])),
        smile=float(np.clip(rng.normal(0.2, 0.35), -0.4, 1.0)),
        brow_raise=float(rng.normal(0, 0.018)),
        lid_opening=float(np.clip(rng.normal(1.0, 0.1), 0.75, 1.2)),
        gaze=(float(rng.normal(0, 0.018)), float(rng.normal(0, 0.008))),
        yaw=_wave(rng, float(np.clip(rng.normal(0, 0.17), -0.4, 0.4)), float(rng.uniform(0.04, 0.16))),
        pitch=_wave(rng, float(np.clip(rng.normal(0, 0.08), -0.2, 0.2)), float(rng.uniform(0.02, 0.08))),
        roll=_wave(rng, float(np.clip(rng.normal(0, 0.07), -0.2, 0.2)), float(rng.uniform(0.02, 0.07))),
        shift_x=_wave(rng, 0.0, float(rng.uniform(0.005, 0.03))),
        shift_y=_wave(rng, 0.0, float(rng.uniform(0.003, 0.02))),
        zoom=_wave(rng, 1.0, float(rng.uniform(0.0, 0.03))),
        scale=float(rng.uniform(0.215, 0.285)),
        centre=(float(rng.normal(0.5, 0.025)), float(rng.normal(0.425, 0.02))),
        light=_triple(light),
        light_colour=_triple(np.array([1 - warmth, 1.0, 1 + warmth])),
        ambient=float(rng.uniform(0.52, 0.74)),
        diffuse=strength,
        specular=float(rng.uniform(0.03, 0.16)),
        backdrop=str(rng.choice(BACKDROPS)),
        blur=float(rng.choice([0.0, rng.uniform(0.3, 0.9), rng.uniform(0.8, 1.3)], p=[0.4, 0.4, 0.2])),
        noise=float(rng.uniform(0.5, 5.0)),
        contrast=float(rng.uniform(0.82, 1.15)),
        gamma=float(rng.uniform(0.82, 1.25)),
        saturation=float(rng.uniform(0.7, 1.08)),
        white_balance=_triple(rng.normal(1.0, 0.025, 3)),
    )
