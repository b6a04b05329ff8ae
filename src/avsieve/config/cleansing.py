"""The configuration of the cleansing of a run: the decision, and how often the list is cleansed."""

from __future__ import annotations

from typing import Literal

from pydantic import field_validator

from avsieve.cleansing.settings import Cleansing
from avsieve.settings import key


class RunCleansing(Cleansing):
    """The decision based on the similarities."""

    rounds: int = key(
        1,
        "How often the list is cleansed. In each round after the first, encoders are trained (`training.audio`, "
        "`training.visual`) on what the round before left of the list, and score all of it again, in folders of their "
        "own (`rounds/2`, …). The lists in `lists`, and what is trained on them, stay those of the first round. (The "
        "option `rounds` of a method is another thing: there no encoder is trained.)",
        "list_round",
        ge=1,
        le=9,
    )
    rounds_folds: int = key(
        0,
        "With more than one round: parts of the list, one of which is held out of a training at a time, to see whether "
        "encoders accept wrong labels because they were trained with them (`rounds/2-without-0`, …). Costs as many "
        "trainings and embeddings again, for each round after the first; 0 for none.",
        "list_round",
        ge=0,
        le=10,
    )
    rounds_modalities: list[Literal["audio", "visual"]] = key(
        lambda: ["audio", "visual"],
        "Encoders that are trained anew for a further round; one that is left out stays that of the first round.",
        "train_audio_round",
        min_length=1,
    )

    @field_validator("rounds_folds")
    @classmethod
    def _holds_out_a_part(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("one part is all of the list: give 0 for none, or at least 2")
        return folds


ROUND_KEYS = tuple(name for name in RunCleansing.model_fields if name not in Cleansing.model_fields)
"""Keys that no decision depends on."""
