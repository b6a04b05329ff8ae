"""The kinds of damage, and conditions under one name: data alone.

How far a kind moves an embedding, where there are no signals, stands in `avsieve.evaluation.conditions.stand_ins`.
"""

from __future__ import annotations

from typing import Any

from avsieve.damage.kinds import KINDS as SIGNALS
from avsieve.evaluation.conditions.contract import MISSING, MODALITIES, OTHER_PERSON, Kind
from avsieve.registry import Registry

_LABELS = {"short": "a short piece", "low_resolution": "low resolution", "crop": "a crop", "one_frame": "a single face"}

KINDS: Registry[Kind] = Registry(
    "kind of damage",
    {
        **{
            name: Kind(_LABELS.get(name, name), (modality,), settings)
            for modality, kinds in SIGNALS.items()
            for name, settings in kinds.items()
        },
        MISSING: Kind("the modality is missing", MODALITIES, signals=False),
        OTHER_PERSON: Kind("another person's voice or face", MODALITIES, signals=False),
    },
)
"""Name -> kind."""

_NOUNS = {"audio": "voice", "visual": "face"}

STANDARD: list[dict[str, Any]] = [
    *({"name": f"noise_{snr}", "kind": "noise", "snr_db": snr} for snr in (15, 5, 0, -5)),
    *(
        {"name": kind, "kind": kind}
        for kind in (
            "clipping", "short", "reverberation", "blur", "low_resolution", "occlusion", "overexposure", "one_frame",
        )
    ),
    *(
        {"name": f"no_{_NOUNS[modality]}_{side}", "kind": MISSING, "modality": modality, "side": side}
        for side in ("enrol", "test", "both")
        for modality in MODALITIES
    ),
    {
        "name": "crossed",
        "parts": [
            {"kind": MISSING, "modality": "audio", "side": "enrol"},
            {"kind": MISSING, "modality": "visual", "side": "test"},
        ],
    },
    *(
        {"name": f"other_{_NOUNS[modality]}", "kind": OTHER_PERSON, "modality": modality, "share": 0.02}
        for modality in MODALITIES
    ),
]  # fmt: skip
"""Each damage by itself, on the test side where nothing else is said."""

VUT: list[dict[str, Any]] = [
    {
        "name": "vut",
        "one_of": [
            {"kind": "crop", "pixels": 70, "share": 0.2, "side": "both"},
            {"kind": "blur", "sigma": [0.1, 3.0], "kernel": 7, "share": 0.2, "side": "both"},
            {"kind": "noise", "snr_db": 1, "share": 0.2, "side": "both"},
            {"kind": "noise", "snr_db": 1, "sound": "white", "share": 0.2, "side": "both"},
        ],
    }
]
"""The noisy trials of Bahounek's thesis (FIT VUT Brno 2024, still images): four utterances in five are damaged in one
modality, half of these in either."""

AVN: list[dict[str, Any]] = [
    {
        "name": "avn",
        "one_of": [
            {"kind": "noise", "snr_db": [-5.0, 5.0], "share": 0.25, "side": "both"},
            {"kind": "reverberation", "t60_s": [0.8, 1.5], "share": 0.25, "side": "both"},
            {"kind": "low_resolution", "pixels": [8, 20], "share": 0.25, "side": "both"},
            {"kind": "occlusion", "covered": [0.3, 0.6], "share": 0.25, "side": "both"},
        ],
    }
]
"""Trials after the noisy set of Qian, Chen and Wang (IEEE/ACM TASLP 29, 2021), in which never both modalities are good:
one of the two is damaged of every utterance, badly. How the authors damage theirs is not known to us; the kinds and
strengths are our choice."""

VARIED: list[dict[str, Any]] = [
    {"name": "varied_noise", "kind": "noise", "snr_db": [-5.0, 20.0]},
    {"name": "varied_short", "kind": "short", "seconds": [0.5, 1.5]},
    {"name": "varied_reverberation", "kind": "reverberation", "t60_s": [0.3, 1.5]},
    {"name": "varied_blur", "kind": "blur", "sigma": [1.0, 6.0]},
    {"name": "varied_low_resolution", "kind": "low_resolution", "pixels": [8, 48]},
    {"name": "varied_occlusion", "kind": "occlusion", "covered": [0.1, 0.6]},
]
"""Six kinds of damage, of a strength that is drawn for each utterance: to learn from. The other kinds are left out, so
that an evaluation by `STANDARD` has some that nothing was learned from."""

PRESETS = {"standard": STANDARD, "vut": VUT, "avn": AVN, "varied": VARIED}
"""Name -> entries of ``evaluation.damage.conditions``."""
