"""A mixture of two Gaussians per modality: the threshold comes from the data.

Source: the dynamic loss gate of Han, Chen and Qian (arXiv:2208.01928; with label correction arXiv:2304.05754), which
fits two Gaussians to the losses of an epoch and gates at their crossing. Here the similarities to the plain
leave-one-video-out centre take the place of the losses, since nothing is trained while cleansing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.cleansing.method import Method
from avsieve.settings import Block, key

if TYPE_CHECKING:
    import numpy as np

    from avsieve.cleansing.result import Judgement
    from avsieve.cleansing.scores import Scores

_SAMPLE = 100_000


class MixtureSettings(Block):
    """Options of the mixture."""

    robust_centres: bool = key(False, "Use the re-estimated centres instead of the plain ones.")
    seed: int = key(0, "Of the choice of similarities that the mixture is fitted to.", ge=0)


class Mixture(Method[MixtureSettings]):
    """What belongs to the lower of two Gaussians is wrong; the modalities are taken as independent."""

    name = "mixture"
    label = "mixture of two Gaussians"
    settings = MixtureSettings

    def judge(self, scores: Scores, settings: MixtureSettings) -> Judgement:
        """Return each modality's probability of belonging to the lower component."""
        import numpy as np

        from avsieve.cleansing.inputs import MODALITIES
        from avsieve.cleansing.result import Judgement, unjudged_of

        wrong, facts = {}, {}
        for m in MODALITIES:
            e = scores.evidence[m]
            similarity = e.similarity if settings.robust_centres else e.plain
            wrong[m], facts[m] = _lower_component(similarity, settings.seed)
            wrong[m] = np.where(e.present, wrong[m], np.nan)
        a, v = wrong["audio"], wrong["visual"]
        either = np.where(np.isnan(a), v, np.where(np.isnan(v), a, 1 - (1 - a) * (1 - v)))
        return Judgement(a, v, either, calibrated=True, facts=facts, unjudged=unjudged_of(scores, a, v))


def _lower_component(similarity: np.ndarray, seed: int) -> tuple[np.ndarray, dict[str, float]]:
    import numpy as np
    from sklearn.mixture import GaussianMixture

    known = np.flatnonzero(~np.isnan(similarity))
    probability = np.full(len(similarity), np.nan)
    if len(known) < 10:
        return probability, {"share": 0.0}
    x = similarity[known].astype(float)[:, None]
    sample = x if len(x) <= _SAMPLE else np.random.default_rng(seed).choice(x, _SAMPLE, replace=False, axis=0)
    start = np.quantile(sample, [0.05, 0.6])[:, None]
    model = GaussianMixture(2, means_init=start, random_state=seed, reg_covar=1e-5).fit(sample)
    low = int(model.means_.argmin())
    p = model.predict_proba(x)[:, low]
    # The wider Gaussian wins again far above the other's mean: a high similarity is never a sign of a wrong label.
    p[x[:, 0] > model.means_.max()] = 0.0
    probability[known] = p
    facts = {"share": model.weights_[low], "low": model.means_[low, 0], "high": model.means_[1 - low, 0]}
    return probability, {k: round(float(v), 5) for k, v in facts.items()}
