"""What stands in for a damage where there are no signals: how far it moves an embedding, and what it tells of itself.

The cosines are round figures of the order that embeddings of clean and damaged recordings have. They are not measured:
where there are signals, these are damaged themselves, and no such figure is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any


@dataclass(frozen=True)
class StandIn:
    """The stand-in of a kind of damage.

    Attributes
    ----------
    points
        Pairs of a strength, rising, and the cosine of the damaged embedding to the clean one; straight lines between
        them, and constant outside.
    strength
        The parameter that is the strength; nothing where there is one cosine.
    measures
        Quality measures of the embeddings' tables that it lowers, and to what: a number, or the parameter's value.
    """

    points: tuple[tuple[float, float], ...]
    strength: str = ""
    measures: Mapping[str, str | float] = field(default_factory=dict)

    def similarity(self, parameters: Mapping[str, Any]) -> float:
        """Return the cosine at the strength that ``parameters`` (drawn, no ranges) tell."""
        first, last = self.points[0], self.points[-1]
        x = float(parameters[self.strength]) if self.strength else first[0]
        if x <= first[0]:
            return first[1]
        for (left, low), (right, high) in pairwise(self.points):
            if x <= right:
                return low + (high - low) * (x - left) / (right - left)
        return last[1]


STAND_INS = {
    "noise": StandIn(((-5, 0.25), (0, 0.45), (5, 0.6), (15, 0.85)), "snr_db"),
    "clipping": StandIn(((0.02, 0.95), (0.1, 0.75), (0.3, 0.5)), "clipped"),
    "short": StandIn(((0.5, 0.4), (1, 0.55), (2, 0.75), (4, 0.9)), "seconds", {"duration_s": "seconds"}),
    "reverberation": StandIn(((0.2, 0.9), (0.8, 0.7), (2, 0.5)), "t60_s"),
    "blur": StandIn(((0.5, 0.98), (3, 0.8), (6, 0.5)), "sigma"),
    "low_resolution": StandIn(((8, 0.35), (16, 0.6), (32, 0.85), (56, 0.95)), "pixels"),
    "crop": StandIn(((50, 0.6), (70, 0.75), (100, 0.95)), "pixels"),
    "occlusion": StandIn(((0.2, 0.85), (0.4, 0.65), (0.6, 0.4)), "covered"),
    "overexposure": StandIn(((1, 0.85), (2, 0.65), (3, 0.45)), "stops"),
    "one_frame": StandIn(((1, 0.8),), measures={"n_faces": 1.0}),
}
"""Kind that needs signals -> its stand-in."""
