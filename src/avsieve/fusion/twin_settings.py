"""The settings of damaged twins. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import Any

from avsieve.evaluation.conditions.settings import Damage
from avsieve.settings import key

RERUNS = "make_twins"


class TwinSettings(Damage):
    """Damaged twins of training utterances, from which models learn what bad quality is worth.

    Conditions are those of `evaluation.damage` (`side` means nothing here), and should not be the very ones that are
    evaluated: `varied` draws the strength of each damage and leaves kinds out. Models that learn from twins: those that
    calibrate scores, `evidence` and `avn_e`.
    """

    RERUNS = RERUNS

    noise: str | list[str] | None = key(
        None,
        "Folder of recordings of noise, or several; not those of the evaluation. Without one, as in "
        "`evaluation.damage`.",
        "damage_twins",
    )
    rooms: str | list[str] | None = key(
        None, "Folder of impulse responses of rooms, or several; without one, rooms are generated.", "damage_twins"
    )
    utterances: int = key(
        20_000,
        "Training utterances that have twins at most, chosen by the seed; each has one in every condition.",
        ge=1,
    )

    @property
    def expanded(self) -> dict[str, Any]:
        """What decides of the table of twins."""
        return super().expanded | {"utterances": self.utterances}
