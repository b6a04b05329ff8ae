"""Fixed thresholds on leave-one-video-out similarities.

Source: Qin et al., "Simple attention module based speaker verification with iterative noisy label detection"
(arXiv:2110.06534), section on noisy label detection: an utterance is noisy when its cosine to its speaker's centre,
built without the utterance's own video, is below a threshold; the noisy ones are dropped and the rule is repeated with
a higher threshold (0.4, then 0.5 in the published lists).

Between its rounds the paper retrains the network. Here the networks stay as they are and only the centres change: the
first threshold meets the centres of all utterances, every later one those re-estimated from the utterances believed
right. The paper works on voices; here either modality, or both, may be asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator

from avsieve.cleansing.method import Method
from avsieve.settings import Block, Cosine, key

if TYPE_CHECKING:
    import numpy as np

    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Evidence, Scores


def _rising(thresholds: list[float]) -> list[float]:
    if not thresholds or thresholds != sorted(thresholds):
        raise ValueError("one or more cosines in rising order")
    return thresholds


class FixedThresholdSettings(Block):
    """Options of fixed thresholds."""

    thresholds: Annotated[list[Cosine], AfterValidator(_rising)] = key(
        lambda: [0.4, 0.5], "Cosines in rising order, one for each round."
    )


class FixedThreshold(Method[FixedThresholdSettings]):
    """What is below one of the thresholds is wrong."""

    name = "fixed_threshold"
    label = "fixed thresholds"
    settings = FixedThresholdSettings

    def judge(self, scores: Scores, settings: FixedThresholdSettings) -> Judgement:
        """Flag each modality whose similarity is below one of the thresholds.

        An utterance that has nothing to be compared with (its speaker's only one) is not judged.
        """
        from avsieve.cleansing.result import from_flags

        audio, visual = (_below(scores.evidence[m], settings.thresholds) for m in ("audio", "visual"))
        return from_flags(scores, audio, visual, thresholds=settings.thresholds)


def _below(evidence: Evidence, thresholds: Sequence[float]) -> np.ndarray:
    flagged = evidence.plain < thresholds[0]
    for threshold in thresholds[1:]:
        flagged |= evidence.similarity < threshold
    return flagged
