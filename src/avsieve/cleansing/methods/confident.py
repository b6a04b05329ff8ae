"""Confident learning by cleanlab, as a peer to compare with.

Source: Northcutt, Jiang and Chuang, "Confident learning: estimating uncertainty in dataset labels" (JAIR 2021), in
cleanlab's batched form. Class probabilities are a softmax over cosines to speaker centres that do not contain the
utterance's video: out of sample, as the method asks. Only an utterance's own and nearest speakers have a probability
worth the name; the rest share what is left, so a batch of rows is the only dense matrix.

Confident learning knows closed sets only: a voice that is nobody's label has no true class. And it knows one label per
item: voices and faces are inspected one after the other, each by itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from avsieve.cleansing.method import Method
from avsieve.errors import AvsieveError
from avsieve.settings import Block, key

if TYPE_CHECKING:
    import numpy as np

    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Evidence, Scores

_BATCH = 4096


class ConfidentSettings(Block):
    """Options of confident learning."""

    sharpness: float = key(
        20.0, "Factor on the cosines in the softmax; encoders with a margin are trained with about 30.",
        gt=0, allow_inf_nan=False,
    )  # fmt: skip
    score: Literal["self_confidence", "normalized_margin"] = key(
        "self_confidence", "cleanlab's quality score: the lowest are flagged."
    )


class Confident(Method[ConfidentSettings]):
    """What cleanlab's batched `LabelInspector` flags is wrong."""

    name = "confident"
    label = "confident learning (cleanlab)"
    settings = ConfidentSettings

    def judge(self, scores: Scores, settings: ConfidentSettings) -> Judgement:
        """Flag what cleanlab flags.

        Raises
        ------
        AvsieveError
            If cleanlab is not installed.
        """
        import numpy as np

        from avsieve.cleansing.inputs import MODALITIES
        from avsieve.cleansing.result import from_flags

        try:
            from cleanlab.experimental.label_issues_batched import LabelInspector
        except ImportError as error:
            raise AvsieveError("the method 'confident' needs cleanlab: pip install 'cleanlab>=2.7'") from error

        def inspect(e: Evidence) -> np.ndarray:
            flagged = np.full(len(scores), np.nan)
            known = np.flatnonzero(~np.isnan(e.similarity) & (e.other_speaker[:, 0] >= 0))
            # cleanlab wants every class to occur; classes are renumbered to those that do.
            classes = np.unique(scores.speaker[known])
            label = np.searchsorted(classes, scores.speaker)
            if len(classes) > 1 and len(known):
                inspector = LabelInspector(
                    num_class=len(classes), verbose=False, n_jobs=1,
                    quality_score_kwargs={"method": settings.score},
                )  # fmt: skip
                batches = [known[i : i + _BATCH] for i in range(0, len(known), _BATCH)]
                for rows in batches:
                    p = _probabilities(scores.speaker[rows], e, rows, classes, settings.sharpness)
                    inspector.update_confident_thresholds(label[rows], p)
                for rows in batches:
                    p = _probabilities(scores.speaker[rows], e, rows, classes, settings.sharpness)
                    inspector.score_label_quality(label[rows], p)
                flagged[known] = 0.0
                flagged[known[np.asarray(inspector.get_label_issues(), dtype=np.int64)]] = 1.0
            return flagged

        audio, visual = (inspect(scores.evidence[m]) for m in MODALITIES)
        return from_flags(scores, audio, visual, sharpness=settings.sharpness)


def _probabilities(
    speaker: np.ndarray, e: Evidence, rows: np.ndarray, classes: np.ndarray, sharpness: float
) -> np.ndarray:
    """Return a dense batch (len(rows), len(classes)) of class probabilities."""
    import numpy as np

    candidates = np.concatenate([speaker[:, None], e.other_speaker[rows]], axis=1)
    cosine = np.concatenate([e.similarity[rows][:, None], e.other[rows]], axis=1)
    column = np.searchsorted(classes, np.clip(candidates, 0, None)).clip(max=len(classes) - 1)
    valid = (candidates >= 0) & (classes[column] == candidates)
    odds = np.where(valid, np.exp(sharpness * np.nan_to_num(cosine)), 0.0)
    # Everybody else: as likely as a speaker of no likeness at all.
    others = max(len(classes) - candidates.shape[1], 0)
    total = odds.sum(axis=1) + others
    p = np.repeat((1 / total)[:, None], len(classes), axis=1)
    row = np.repeat(np.arange(len(rows)), candidates.shape[1]).reshape(candidates.shape)
    p[row[valid], column[valid]] = (odds / total[:, None])[valid]
    return p / p.sum(axis=1, keepdims=True)
