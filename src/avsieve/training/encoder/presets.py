"""Published recipes by name: what the configuration and the command lines take for the keys that are not given.

Names are those of the configuration's keys, which are also those of the options.
"""

from __future__ import annotations

from typing import Any

# Tao et al., "Speaker recognition with two-step multi-modal deep cleansing", ICASSP 2023, as its code trains: Adam, a
# factor of 0.97 after each of 99 epochs, the whole margin from the first step on, no limit on the gradient. Its mixed
# precision is left to the machine's settings; its margin was computed in float16, which ours never is.
_AVCLEANSE: dict[str, Any] = {
    "epochs": 99,
    "batch": 400,
    "margin_from": 0.0,
    "margin_until": 0.0,
    "optimiser": "adam",
    "weight_decay": 2e-5,
    "clip": 0.0,
    "schedule": "exponential",
    "lr": 1e-3,
    "lr_decay": 0.97,
    "epoch_steps": 0,
    "warmup": 0.0,
}

AUDIO: dict[str, dict[str, Any]] = {
    "none": {},
    "avcleanse": {
        **_AVCLEANSE,
        "arch": "ecapa1024",
        "crop_s": 2.015,
        "augment": ["none", "room", "babble", "music", "noise"],
        "stack": 0.0,
        "gain_db": 0.0,
        "mixing": "voxceleb_trainer",
        "mask": 0.1,
        "margin": 0.2,
        "scale": 30.0,
    },
}

# One random frame an utterance and step; mirrored, always blurred with a kernel of 5 x 9, sometimes grey, nothing else;
# read with cv2.imread and never turned to RGB.
VISUAL: dict[str, dict[str, Any]] = {
    "none": {},
    "avcleanse": {
        **_AVCLEANSE,
        "arch": "iresnet18",
        "augment": True,
        "flip": 0.5,
        "grey": 0.2,
        "smooth": 1.0,
        "blur": 0.0,
        "noise": 0.0,
        "erase": 0.0,
        "jitter": 0.0,
        "shift": 0.0,
        "channels": "bgr",
        "margin": 0.4,
        "scale": 64.0,
    },
}


def with_preset(presets: dict[str, dict[str, Any]], values: dict[str, Any]) -> dict[str, Any]:
    """Return ``values`` and, for the keys they lack, those of the preset that they name.

    Steps that are given stand against the preset's epochs. An unknown name changes nothing: whoever checks it says so.
    """
    chosen = presets.get(str(values.get("preset", "none")), {})
    if "steps" in values:
        chosen = {k: v for k, v in chosen.items() if k != "epochs"}
    return {**chosen, **values}


def keys_of(presets: dict[str, dict[str, Any]]) -> set[str]:
    """Return the keys that any of the presets sets, or that stand against one of them."""
    found = {key for preset in presets.values() for key in preset}
    return found | {"steps"} if "epochs" in found else found
