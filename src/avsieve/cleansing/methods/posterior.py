"""Joint evidence of both modalities, calibrated by the corpus itself: the default.

Ours. In a metric learned from the corpus (`avsieve.cleansing.metric`), similarities to robust leave-one-video-out
centres, the competition with the nearest other speaker, the number of videos behind the centre and the agreement with
the rest of the own video become likelihoods per modality (`avsieve.cleansing.likelihood`); the videos'
structure joins both modalities and all utterances of a video (`avsieve.cleansing.structure`). Beliefs and ratios are
re-estimated in turn, so nothing is tuned on truth and neither the rate nor the kind of noise need be known.

Two labels that are one person compete with each other; their right utterances would look wrong. Such pairs are found
first (`avsieve.cleansing.suggestions.find_merges`) and do not compete. Where there is too little to learn from,
`avsieve.cleansing.few_speakers` stands in, and what it cannot judge either has no probability.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.cleansing.method import Method
from avsieve.settings import Block, key

if TYPE_CHECKING:
    import numpy as np

    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Evidence, Scores


_SCEPTICAL_ROUNDS = 4


class PosteriorSettings(Block):
    """Options of the posterior."""

    rounds: int = key(6, "How often likelihoods and beliefs are re-estimated.", ge=1)
    seed: int = key(0, "Of the choice of examples that ratios are learned from.", ge=0)
    sceptical: bool = key(
        False,
        "Decide by the sceptical reading: what lies far from its label and is believed by half only is taken for wrong."
        " It finds more, and also flags the noise and the silence of corpora that have much of it.",
    )


class Posterior(Method[PosteriorSettings]):
    """Calibrated probabilities."""

    name = "posterior"
    label = "posterior of voice and face"
    settings = PosteriorSettings

    def judge(self, scores: Scores, settings: PosteriorSettings) -> Judgement:
        """Return calibrated probabilities."""
        import numpy as np

        from avsieve.cleansing.inputs import MODALITIES
        from avsieve.cleansing.learner import Corpus, Learner
        from avsieve.cleansing.likelihood import KINDS, LikelihoodModel
        from avsieve.cleansing.result import Judgement
        from avsieve.cleansing.suggestions import find_merges, without_twins

        first = {m: _first_belief(scores.learned[m]) for m in MODALITIES}
        twins = find_merges(scores, np.minimum(first["audio"], first["visual"]))
        evidence = {m: without_twins(scores, m, twins) for m in MODALITIES}
        learner = Learner(Corpus(evidence, first, scores.video_code(), scores.speaker), settings.seed)
        for _ in range(settings.rounds):
            learner.reestimate(sceptical=False)
        models, shares = learner.models, learner.found.shares
        learned = {m: model.mixture for m, model in models.items() if isinstance(model, LikelihoodModel)}
        facts = {
            "judged_by": {m: models[m].name if models[m].works else "nothing" for m in MODALITIES},
            "video_shares": shares.states.round(5).tolist(),
            "utterance_shares": shares.cases.round(5).tolist(),
            "kinds_of_wrong": {m: dict(zip(KINDS, x.round(4).tolist(), strict=True)) for m, x in learned.items()},
        }
        # Without evidence of its own a belief is what the structure assumes: no judgement.
        judged = {m: ~np.isnan(scores.learned[m].similarity) & models[m].works for m in MODALITIES}
        why = {m: models[m].why for m in MODALITIES if scores.learned[m].present.any() and not judged[m].any()}
        believed = _probabilities(scores, learner.cases(), judged)
        for _ in range(min(settings.rounds, _SCEPTICAL_ROUNDS)):
            learner.reestimate(sceptical=True)
        sceptical = Judgement(*_probabilities(scores, learner.cases(), judged), calibrated=True)
        if settings.sceptical:
            believed = (sceptical.audio_wrong, sceptical.visual_wrong, sceptical.wrong)
        return Judgement(*believed, calibrated=True, facts=facts, unjudged=why, sceptical=sceptical)


def _probabilities(
    scores: Scores, cases: np.ndarray, judged: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return how likely voice, face, and either are wrong, (n,) each, from P(case) (n, 4)."""
    import numpy as np

    # Where another person may be the speaker: theirs would be right, and all others wrong in both modalities.
    doubt = scores.doubt.astype(float)
    right = (1 - doubt) * cases[:, 0] + doubt * scores.rival.astype(float)
    a = np.where(judged["audio"], 1 - right - (1 - doubt) * cases[:, 2], np.nan)
    v = np.where(judged["visual"], 1 - right - (1 - doubt) * cases[:, 1], np.nan)
    return a, v, np.where(np.isnan(a), v, np.where(np.isnan(v), a, 1 - right))


def _first_belief(e: Evidence) -> np.ndarray:
    """Place each similarity between the impostors' and the better half of the corpus's own."""
    import numpy as np

    known = e.similarity[~np.isnan(e.similarity)]
    wrong = e.foreign[~np.isnan(e.foreign)]
    if len(known) < 2 or len(wrong) < 2:
        return np.ones(len(e.similarity))
    low, high = float(np.median(wrong)), float(np.quantile(known, 0.85))
    z = (np.nan_to_num(e.similarity) - (low + high) / 2) / max(high - low, 1e-3)
    return np.where(np.isnan(e.similarity), 1.0, 1 / (1 + np.exp(-np.clip(12 * z, -30, 30))))
