"""Identity of a rendered face: proportions, relief, skin, eyes, hair and marks that stay the same in every video.

Lengths are in face units: half of the mean width across the cheekbones (about 68 mm). The origin lies between the
pupils, ``u`` points to the right of the image, ``v`` down, ``z`` to the camera. The means follow adult anthropometry
(Farkas, *Anthropometry of the Head and Face*, 1994: pupils 63 mm apart, chin 110 mm below the eyes, mouth 51 mm wide);
the spread is about twice as wide, so that a small network has something to go by.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

Sex = Literal["f", "m"]

# Skin from light to dark, RGB.
_SKIN = np.array(
    [[246, 214, 196], [234, 192, 165], [214, 166, 132], [186, 134, 100], [142, 96, 68], [104, 68, 50]], dtype=np.float64
)
_EYES = np.array(
    [[96, 62, 40], [70, 44, 30], [116, 92, 52], [98, 118, 82], [110, 138, 160], [92, 112, 132]], np.float64
)
_HAIR = np.array([[28, 24, 24], [52, 36, 28], [88, 60, 40], [134, 96, 58], [190, 152, 100], [134, 62, 34]], np.float64)

FACIAL_HAIR = ("none", "stubble", "moustache", "goatee", "beard")


@dataclass(frozen=True)
class FaceIdentity:
    """What makes a face that person's face; sampled by `sample_face`. Colours are BGR floats in 0..255."""

    sex: Sex
    seed: int
    # outline
    forehead_width: float
    cheek_width: float
    jaw_width: float
    jaw_height: float
    chin_width: float
    chin: float
    crown: float
    hairline: float
    # eyes
    eye_spacing: float
    eye_width: float
    eye_height: float
    eye_tilt: float
    eye_peak: float
    lid_crease: float
    socket: float
    eye_bags: float
    # brows
    brow_height: float
    brow_thickness: float
    brow_arch: float
    brow_slope: float
    brow_length: float
    brow_gap: float
    # nose
    nose_length: float
    nose_width: float
    nose_bridge: float
    nose_height: float
    nose_tip: float
    nose_upturn: float
    # mouth
    mouth_height: float
    mouth_width: float
    upper_lip: float
    lower_lip: float
    cupid: float
    mouth_corner: float
    # relief and the rest
    cheekbone: float
    brow_ridge: float
    chin_relief: float
    ear_size: float
    ear_spread: float
    neck_width: float
    skew: tuple[float, float, float]
    age: float
    # surface
    skin: tuple[float, float, float]
    iris: tuple[float, float, float]
    hair: tuple[float, float, float]
    curl: float
    hair_length: float
    receding: float
    facial_hair: str
    freckles: float
    moles: tuple[tuple[float, float, float], ...]
    wears_glasses: float


def _blend(palette: np.ndarray, position: float) -> np.ndarray:
    """Return the colour at ``position`` (0..1) along ``palette`` as BGR."""
    x = position * (len(palette) - 1)
    i = min(int(x), len(palette) - 2)
    rgb = palette[i] * (1 - (x - i)) + palette[i + 1] * (x - i)
    return rgb[::-1]


def _bgr(colour: np.ndarray) -> tuple[float, float, float]:
    b, g, r = np.clip(colour, 0, 255).round(2).tolist()
    return b, g, r


def sample_face(rng: np.random.Generator, sex: Sex) -> FaceIdentity:
    """Draw a person's face.

    Parameters
    ----------
    rng
        Source of every draw: equal states give equal faces.
    sex
        ``'f'`` or ``'m'``; shifts the distributions, which overlap as they do in people.
    """
    male = sex == "m"

    def around(f: float, m: float, sd: float, limit: float = 2.2) -> float:
        return float((m if male else f) + sd * np.clip(rng.normal(), -limit, limit))

    tone = float(rng.beta(1.3, 1.5))
    skin = _blend(_SKIN, tone) + rng.normal(0, 1, 3) * (5, 5, 3)
    dark = tone > 0.55
    iris = _EYES[int(rng.integers(0, 3 if dark else len(_EYES)))][::-1] * rng.uniform(0.8, 1.15)
    hair = _HAIR[int(rng.integers(0, 3 if dark else len(_HAIR)))][::-1] * rng.uniform(0.8, 1.15)
    age = float(rng.beta(1.5, 2.2))
    grey = np.clip((age - 0.55) * 2.2, 0, 0.9) * rng.uniform(0.3, 1)
    hair = hair * (1 - grey) + np.array([172, 172, 174]) * grey
    forehead = around(0.86, 0.88, 0.05)
    cheek = around(0.96, 1.02, 0.055)
    jaw = around(0.72, 0.81, 0.065)
    marks = tuple(
        (float(rng.uniform(-0.75, 0.75)), float(rng.uniform(-0.6, 1.35)), float(rng.uniform(0.014, 0.03)))
        for _ in range(int(rng.choice([0, 0, 1, 2, 3])))
    )
    weights = [0.36, 0.24, 0.1, 0.12, 0.18] if male else [1.0, 0, 0, 0, 0]
    return FaceIdentity(
        sex=sex,
        seed=int(rng.integers(2**31)),
        forehead_width=forehead,
        cheek_width=cheek,
        jaw_width=min(jaw, cheek - 0.03),
        jaw_height=around(1.02, 1.06, 0.06),
        chin_width=around(0.29, 0.37, 0.05),
        chin=around(1.56, 1.68, 0.09),
        crown=around(-1.50, -1.50, 0.07),
        hairline=around(-0.92, -0.95, 0.10),
        eye_spacing=around(0.455, 0.465, 0.032),
        eye_width=around(0.215, 0.205, 0.018),
        eye_height=around(0.115, 0.098, 0.018),
        eye_tilt=around(0.05, 0.02, 0.07),
        eye_peak=around(0.0, 0.0, 0.18),
        lid_crease=float(rng.uniform(0, 1)),
        socket=around(0.9, 1.15, 0.25),
        eye_bags=float(np.clip(rng.normal(0.2 + 0.6 * age, 0.2), 0, 1)),
        brow_height=around(0.29, 0.25, 0.04),
        brow_thickness=around(0.052, 0.078, 0.016),
        brow_arch=around(0.075, 0.045, 0.03),
        brow_slope=around(0.05, 0.0, 0.09),
        brow_length=around(0.275, 0.29, 0.025),
        brow_gap=around(0.0, -0.02, 0.03),
        nose_length=around(0.70, 0.76, 0.07),
        nose_width=around(0.225, 0.255, 0.036),
        nose_bridge=around(0.085, 0.1, 0.02),
        nose_height=around(0.36, 0.42, 0.06),
        nose_tip=around(0.105, 0.12, 0.022),
        nose_upturn=around(0.02, 0.0, 0.045),
        mouth_height=around(1.03, 1.09, 0.045),
        mouth_width=around(0.355, 0.38, 0.04),
        upper_lip=around(0.085, 0.068, 0.022),
        lower_lip=around(0.118, 0.1, 0.026),
        cupid=float(rng.uniform(0.1, 0.6)),
        mouth_corner=around(0.0, 0.0, 0.022),
        cheekbone=around(0.05, 0.04, 0.025),
        brow_ridge=around(0.01, 0.06, 0.025),
        chin_relief=around(0.07, 0.10, 0.04),
        ear_size=around(0.37, 0.41, 0.04),
        ear_spread=float(rng.uniform(0.06, 0.2)),
        neck_width=around(0.50, 0.63, 0.045),
        skew=tuple(float(x) for x in rng.normal(0, (0.012, 0.018, 0.018))),  # type: ignore[arg-type]
        age=age,
        skin=_bgr(skin),
        iris=_bgr(iris),
        hair=_bgr(hair),
        curl=float(rng.beta(1.2, 1.6) if not dark else rng.beta(2.0, 1.2)),
        hair_length=around(0.75, 0.2, 0.2),
        receding=float(np.clip(rng.normal(0.35 * age + 0.05, 0.2), 0, 1)) if male else 0.0,
        facial_hair=str(rng.choice(FACIAL_HAIR, p=weights)),
        freckles=float(rng.beta(1.2, 2.0)) if tone < 0.4 and rng.random() < 0.3 else 0.0,
        moles=marks,
        wears_glasses=float(rng.choice([0.05, 0.35, 0.85], p=[0.6, 0.2, 0.2])),
    )
