"""What stands in for a damage where there are no signals: how far it moves an embedding, and what it tells of itself.

The cosines are means of what was measured between clean and damaged signals, of the embedded corpus with the shipped
encoders and of real voices and faces with small ones. Another encoder's are others: where there are signals, these are
damaged themselves, and no such figure is used.
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
    single
        Whether it leaves one item of a sequence, as it was; else it moves them all.
    """

    points: tuple[tuple[float, float], ...]
    strength: str = ""
    measures: Mapping[str, str | float] = field(default_factory=dict)
    single: bool = False

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
    "noise": StandIn(((-5, 0.34), (0, 0.52), (5, 0.67), (15, 0.84)), "snr_db"),
    "clipping": StandIn(((0.02, 0.94), (0.1, 0.8), (0.3, 0.6)), "clipped"),
    "short": StandIn(((0.5, 0.52), (1, 0.77), (2, 0.94)), "seconds", {"duration_s": "seconds"}),
    "reverberation": StandIn(((0.3, 0.92), (0.8, 0.77), (1.5, 0.66)), "t60_s"),
    "blur": StandIn(((1, 0.98), (3, 0.82), (6, 0.46)), "sigma"),
    "low_resolution": StandIn(((8, 0.3), (16, 0.58), (32, 0.88)), "pixels"),
    "crop": StandIn(((70, 0.14), (90, 0.39), (100, 0.75)), "pixels"),
    "occlusion": StandIn(((0.2, 0.66), (0.4, 0.36), (0.6, 0.18)), "covered"),
    "overexposure": StandIn(((1, 0.98), (2, 0.84), (3, 0.58)), "stops"),
    "one_frame": StandIn(((1, 0.95),), measures={"n_faces": 1.0}, single=True),
}
"""Kind that needs signals -> its stand-in."""
