"""Coarse then fine: peculiar utterances first, then what is unlike the clean set.

Source: the abstract of Tao, Lee, Shi and Li, "Speaker recognition with two-step multi-modal deep cleansing"
(arXiv:2210.15903, AVCleanse): a coarse step looks for peculiar samples, a fine step filters noisy labels, with frozen
audio and visual networks.

This is a reconstruction. The code was never published and the thresholds are not in the abstract. Here the coarse step
calls an utterance peculiar when the speaker centres, asked with the mean similarity of both modalities, name somebody
else; the fine step flags it when its similarity to the centre of its speaker's clean set is below a threshold in either
modality. The thresholds, unless given, lie half-way between the middle of the impostors and the middle of the clean
set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.cleansing.method import Method
from avsieve.settings import Block, Cosine, key

if TYPE_CHECKING:
    import numpy as np

    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Evidence, Scores


class TwoStepSettings(Block):
    """Options of the two steps."""

    audio_threshold: Cosine | None = key(None, "Cosine of the fine step for voices; nothing for one from the data.")
    visual_threshold: Cosine | None = key(None, "Cosine of the fine step for faces; nothing for one from the data.")


class TwoStep(Method[TwoStepSettings]):
    """What either step finds is wrong."""

    name = "two_step"
    label = "coarse and fine step"
    settings = TwoStepSettings

    def judge(self, scores: Scores, settings: TwoStepSettings) -> Judgement:
        """Flag what either step finds."""
        import numpy as np

        from avsieve.cleansing.inputs import MODALITIES
        from avsieve.cleansing.result import from_flags

        own = np.stack([scores.evidence[m].similarity for m in MODALITIES])
        count = np.maximum((~np.isnan(own)).sum(axis=0), 1)
        peculiar = np.nansum(own, axis=0) / count < np.nan_to_num(scores.joint[:, 0], nan=-1.0)
        flags, used = {}, {}
        for m, given in zip(MODALITIES, (settings.audio_threshold, settings.visual_threshold), strict=True):
            e = scores.evidence[m]
            used[m] = _half_way(e, ~peculiar) if given is None else given
            # A peculiar utterance is wrong in the modality that names somebody else.
            below = (e.similarity < used[m]) | (peculiar & (e.similarity < e.other[:, 0]))
            flags[m] = np.where(np.isnan(used[m]), np.nan, below)
        return from_flags(
            scores,
            flags["audio"],
            flags["visual"],
            thresholds={m: None if np.isnan(x) else x for m, x in used.items()},
            peculiar=int(peculiar.sum()),
        )


def _half_way(e: Evidence, clean: np.ndarray) -> float:
    import numpy as np

    own, foreign = e.similarity[clean & ~np.isnan(e.similarity)], e.foreign[~np.isnan(e.foreign)]
    if not len(own) or not len(foreign):
        return float("nan")
    return float(np.median(own) + np.median(foreign)) / 2
