"""The settings of cleansing: of the decision, and of its audit. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import model_validator

from avsieve.cleansing.registry import METHODS
from avsieve.errors import ConfigError
from avsieve.registry import Registry
from avsieve.settings import Block, Share, filled, key

if TYPE_CHECKING:
    MethodName = str
else:
    MethodName = Literal[METHODS.names]

Policy = Literal["either", "audio", "visual", "both"]


class Cleansing(Block):
    """The decision based on the similarities."""

    PLUG_INS: ClassVar[dict[str, Registry[Any]]] = {"options": METHODS}

    method: MethodName = key(
        "posterior", "How similarities are turned into a probability that a label is wrong.", "clean_list"
    )
    policy: Policy = key("either", "What must be wrong for an utterance to be flagged.", "clean_list")
    threshold: Share = key(0.5, "Probability above which an utterance is flagged.", "clean_list")
    options: dict[str, Any] = key(dict, 'Options of the method, such as `{"thresholds": [0.4, 0.5]}`.', "clean_list")
    review: str | None = key(
        None,
        "CSV file with the decisions of reviewers, from `avsieve review fold` or with the columns "
        "`utterance,decision`. They stand, whatever the method says, and its probabilities are recalibrated by them.",
        "clean_list",
    )
    anchors: str | None = key(
        None,
        "CSV file with utterances that are known to be wrong, from `avsieve anchors --out` or with the column "
        "`utterance`. They change no decision: `summary.json` and `avsieve inspect` tell where the method ranks them.",
        "clean_list",
    )

    @model_validator(mode="after")
    def _has_the_methods_options(self) -> Cleansing:
        try:
            filled(METHODS[self.method].settings, self.options, self.method)
        except ConfigError as error:
            raise ValueError(f"options: {error}") from None
        return self


class Audit(Block):
    """An audit of the list: wrong labels are injected and the cleansing must find them (`snakemake audit_noise`)."""

    rate: float = key(
        0.1,
        "Largest share of the utterances whose label is corrupted: as many as the list seems to hold already, and a "
        "quarter of this share in any case.",
        "audit_noise",
        gt=0,
        le=0.5,
    )
    kinds: dict[Literal["video", "audio", "visual"], Share] = key(
        lambda: {"video": 0.5, "audio": 0.25, "visual": 0.25}, "Shares of the kinds of error.", "audit_noise"
    )
    outside: Share = key(0.3, "Share of the corrupted labels whose person is outside the list.", "audit_noise")
    similar: Share = key(
        0.2,
        "Share of the corrupted labels whose person is one of the five most similar to the speaker.",
        "audit_noise",
    )
    mixed: Share = key(
        0.5,
        "Voices in which two people are heard, injected besides: this share of the number of corrupted voices.",
        "audit_noise",
    )
    seed: int = key(0, "Seed for choosing the labels to corrupt.", "audit_noise", ge=0)
