"""Both lists of an audit drawn anew: sums over bootstrap samples of speakers, and shares of what was injected."""

from __future__ import annotations

import numpy as np

from avsieve.cleansing.cleansed import Cleansed
from avsieve.cleansing.injection import Injection
from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.settings import Audit

_PRIOR = 5.0  # injected videos that the share of the kind counts for in a cell


class Sample:
    """Sums of both lists per speaker, drawn ``draws`` times; the first of all vectors (1 + draws,) is undrawn."""

    def __init__(
        self, before: Cleansed, after: Cleansed, injection: Injection, known: np.ndarray, mixed: np.ndarray,
        settings: Audit, policy: str, draws: int, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.before, self.after, self.known, self.settings, self.rng = before, after, known, settings, rng
        self.mixed = mixed
        names = before.scores.speakers  # nobody is in the other list who is not in this
        at = {s: i for i, s in enumerate(names)}
        self.code = {
            "own": before.scores.speaker.astype(np.int64),
            "injected": np.array([at[s] for s in after.scores.speakers])[after.scores.speaker],
        }
        count = len(names)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
        self.times = np.concatenate([np.ones((1, count)), drawn])
        self.kinds = kinds_that_count(policy)
        self.found_kind = np.where(np.isin(before.decisions.kind, self.kinds), before.decisions.kind, self.kinds[0])
        self.kind = injection.frame["kind"].to_numpy(dtype=object)
        self.is_outside = injection.frame["outside"].to_numpy()
        self.weight = self._weights()
        self.outside = self._outside()

    def sums(self, which: str, values: np.ndarray) -> np.ndarray:
        """Return the sum of ``values`` (n,) over each draw's utterances of a list, (1 + draws,)."""
        per_speaker = np.bincount(self.code[which], weights=values.astype(float), minlength=self.times.shape[1])
        return np.asarray(self.times @ per_speaker)

    def _weights(self) -> dict[str, np.ndarray]:
        """Return the share of each kind among the list's own errors; as injected where it has none."""
        judgement = self.before.judgement
        both = np.nan_to_num(judgement.both_wrong)
        single = {"audio": judgement.audio_wrong, "visual": judgement.visual_wrong}
        wrong = {"video": both} | {m: np.clip(np.nan_to_num(single[m]) - both, 0, None) for m in MODALITIES}
        # A kind of which nothing was injected is left out: nothing is known of its recall.
        there = [k for k in self.kinds if (self.known & (self.kind == k)).any()]
        asked: dict[str, float] = dict(self.settings.kinds.items())
        sums = {k: self.sums("own", wrong[k]) + 1e-6 * asked.get(k, 0) for k in there}
        total = np.add.reduce(list(sums.values())) if sums else np.ones(len(self.times))
        return {k: x / total for k, x in sums.items()}

    def _outside(self) -> np.ndarray:
        """Return which share of the list's own errors is somebody outside the list, (1 + draws,)."""
        lead, injected_lead = _lead(self.before), _lead(self.after)
        flagged, hit = self.before.decisions.noisy, self.after.decisions.noisy & self.known
        excess, whole = np.zeros(len(self.times)), np.zeros(len(self.times))
        for k, weight in self.weight.items():
            inside, outside = (
                self.mean("injected", injected_lead, hit & (self.kind == k) & of)
                for of in (~self.is_outside, self.is_outside)
            )
            own = self.mean("own", lead, flagged & (self.found_kind == k))
            # Without flagged ones of the kind, or without injected of both sorts, it says nothing.
            known = np.isfinite(inside - own) & np.isfinite(inside - outside)
            excess += np.where(known, weight * (inside - own), 0)
            whole += np.where(known, weight * (inside - outside), 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(excess / whole, 0, 1)
        return np.where(np.isfinite(share) & (whole > 0), share, self.settings.outside)

    def mean(self, which: str, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the mean of ``values`` (n,) over ``rows`` (n,) bool of each draw, (1 + draws,); NaN without rows."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.sums(which, np.where(rows, values, 0)) / self.sums(which, rows))

    def share(self, event: np.ndarray, rows: np.ndarray, kind: str) -> np.ndarray:
        """Return which share of the injected ``rows`` of a kind has the event, at the list's own share of outsiders."""
        of_kind = rows & (self.kind == kind)
        # Utterances of a video share their fate: so many independent ones there are per utterance.
        each = len(np.unique(self.after.scores.video_code()[of_kind])) / max(int(of_kind.sum()), 1)
        overall = (self.sums("injected", event & of_kind) * each + 0.5) / (self.sums("injected", of_kind) * each + 1)
        total = np.zeros(len(self.times))
        for of, weight in ((~self.is_outside, 1 - self.outside), (self.is_outside, self.outside)):
            hits = self.sums("injected", event & of_kind & of) * each + _PRIOR * overall
            misses = self.sums("injected", ~event & of_kind & of) * each + _PRIOR * (1 - overall)
            share = self.rng.beta(hits, misses)
            share[0] = hits[0] / (hits[0] + misses[0])
            total += weight * share
        return total


def known_errors(injection: Injection, after: Cleansed, policy: str) -> tuple[np.ndarray, np.ndarray]:
    """Tell what is known to be wrong in the policy's sense and has what was broken: no face found is no wrong face.

    Returns
    -------
    tuple of numpy.ndarray
        (n,) bool each: whom the label does not fit, and in whom somebody else is heard besides.
    """
    kind = injection.frame["kind"].to_numpy(dtype=object)
    has = {m: after.scores.evidence[m].present for m in MODALITIES}
    there = np.select([kind == m for m in MODALITIES], [has[m] for m in MODALITIES], has["audio"] | has["visual"])
    kinds = kinds_that_count(policy)
    return np.isin(kind, kinds) & there, (kind == "mixed") & has["audio"] & ("audio" in kinds)


def kinds_that_count(policy: str) -> list[str]:
    """Return the kinds of error that a policy asks about."""
    return {"either": ["video", "audio", "visual"], "audio": ["video", "audio"], "visual": ["video", "visual"]}.get(
        policy, ["video"]
    )


def _lead(side: Cleansed) -> np.ndarray:
    """Return how far the most similar other speaker is ahead of the next, (n,), in what is wrong."""
    scores, kind = side.scores, side.decisions.kind
    other = {m: scores.evidence[m].other for m in MODALITIES}
    leads = {k: x[:, 0] - x[:, 1] for k, x in (*other.items(), ("video", scores.joint))}
    chosen = np.where(kind == "audio", leads["audio"], np.where(kind == "visual", leads["visual"], leads["video"]))
    return np.nan_to_num(chosen)
