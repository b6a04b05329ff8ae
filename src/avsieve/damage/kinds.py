"""The kinds of damage to signals; `avsieve.evaluation.conditions.registry` has those that need no signal, too."""

from __future__ import annotations

from avsieve.damage.settings import (
    Blur,
    Clipping,
    Crop,
    LowResolution,
    Noise,
    Occlusion,
    OneFrame,
    Overexposure,
    Reverberation,
    Short,
)
from avsieve.settings import Block

KINDS: dict[str, dict[str, type[Block]]] = {
    "audio": {"noise": Noise, "clipping": Clipping, "short": Short, "reverberation": Reverberation},
    "visual": {
        "blur": Blur,
        "low_resolution": LowResolution,
        "crop": Crop,
        "occlusion": Occlusion,
        "overexposure": Overexposure,
        "one_frame": OneFrame,
    },
}
"""Modality -> kind -> its parameters."""
OTHERS = ("missing", "other_person")
"""Kinds that damage no signal: a modality that is not there, and one that is somebody else's."""
