"""Measure a list's precision and recall on the user's own data: break labels on purpose, cleanse, and count.

What is asked is the precision and recall of the list as it is, with its own unknown errors. Its probabilities promise
figures too; the audit does not take them at their word. It needs two lists cleansed alike: the user's, and one in which
known errors stand (`avsieve.cleansing.injection`), about as many as the list seems to hold and in the places of those,
with the channel of the video around them (`avsieve.cleansing.channel`), so that they are as hard to find as its own.

**Recall.** With w_k the share of the kind k (video, audio, visual) among the list's own errors, as judged, o the
share of them whose person is outside the list, and r the share of the injected that is flagged,

    R = sum over k of w_k ((1 - o) r(k, inside) + o r(k, outside)).

What tells outside from inside is the lead D of the most similar other speaker over the next: its mean among the flagged
is a mixture, mean(D) = (1 - o) mean(D | injected inside) + o mean(D | injected outside). Summed over the kinds with
their shares, it is solved for o.

**Precision.** Right utterances that are flagged cannot be seen, but they look different from flagged errors. For any
event E that flagged right utterances never have, share(E | flagged) = P share(E | flagged and wrong), and the injected
errors tell the last factor, kind by kind as above. Two events are used:

- `_SURE`: the probability is above .9. Only the order of the probabilities matters, not their scale: a model that is
  too sure is so of the injected as well.
- Its speaker is to the utterance like anybody: z, its similarity to the label (without the own video) less the mean of
  those to other labels, over their standard deviation, is no larger than for most injected errors. By symmetry of
  labels, z of a wrong utterance is that of a draw among the others; of a right one, however hard, it is larger, unless
  nothing of the person is left in it. It knows nothing of probabilities. Similarities are of whitened embeddings.

Flagged right utterances that do have E make either too high, never too low, so each bounds the precision from above.

**Opinions.** Neither is all that is known: of precision there are the first event, the smaller of both, and what the
probabilities promise; of recall what was found of the injected, and what is promised. Each errs in its own way (errors
that nobody suspects have no place in which to inject; kinds of errors that were not injected; probabilities that are
too sure). The interval is that of an equal mixture of their draws (a linear opinion pool, Stone 1961), the value its
median. Where they disagree the audit cannot know, and the interval spans them. Methods that say only yes and no promise
nothing and are never more or less sure: of these, what is like anybody tells the precision, and the injected the
recall.

Draws are bootstrap samples of speakers; both lists are drawn together. A share of the injected is drawn from its Beta
posterior besides (few are injected of a kind, and all found of ten is not certain to be all), centred on the share of
the kind.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.cleansing.channel import Listed, embeddings_of, with_channels
from avsieve.cleansing.decisions import Decisions, decide, expected
from avsieve.cleansing.injection import Injection, Native, inject
from avsieve.cleansing.inputs import MODALITIES, read_plan, unit_rows
from avsieve.cleansing.judge import judge
from avsieve.cleansing.result import Judgement
from avsieve.cleansing.scores import Scores
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable, score_table
from avsieve.embedding_files.own_tables import read_embeddings

_SURE = 0.9  # probability above which a flagged utterance is surely flagged
_TYPICAL = 0.95  # share of the injected whose z lies below the limit
_ALIKE = 1.0  # so much larger z may be of lookalikes closer than any that could be injected
_BLOCK = 20_000  # utterances from which it is learned how people vary
_OTHERS = 200  # labels to which an utterance is compared for z
_LEAST = 30  # so many of each kind are injected, where the rate allows it
_PRIOR = 5.0  # injected videos that the share of the kind counts for in a cell

Tables = Mapping[str, EmbeddingTable | None]


def audit(
    frame: pd.DataFrame, tables: Tables, settings: Audit, cleansing: Cleansing, *, draws: int = 200
) -> dict[str, Any]:
    """Cleanse, inject, cleanse again, and compare; return measured and estimated figures.

    Parameters
    ----------
    frame
        ``utterance`` and ``speaker``.
    tables
        Embeddings per modality; None where there are none.
    draws
        Bootstrap samples of speakers, for intervals of 95 %.

    Returns
    -------
    ``measured``: precision, recall and F1 of the list (value, low, high; None where nothing is flagged), ``estimated``:
    what its probabilities promise. ``injected`` errors count among ``utterances``, of which ``set_aside`` own suspects
    are no part. ``recall_by_kind`` and ``recall_by_person`` are of the injected, ``kinds`` and ``outside`` the shares
    that the list's own errors are thought to have.

    Raises
    ------
    AvsieveError
        If the list is too small to spare donors.
    """
    before = _cleanse(frame, tables, None, cleansing)
    native = _native(before, tables)
    injection = inject(frame, settings.model_copy(update=_rates(native, settings, len(frame))), native)
    injected, sources = _with_channels(before, injection, tables)
    after = _cleanse(injection.frame, injected, sources, cleansing)
    known = _known(injection, after, cleansing.policy)
    rng = np.random.default_rng(settings.seed)
    own = _likeness_to_label(before, tables, before.decisions.noisy, rng)
    theirs = _likeness_to_label(after, injected, after.decisions.noisy & known, rng)
    sample = _Sample(before, after, injection, known, own, theirs, settings, cleansing.policy, draws, rng)
    found = sample.figures()
    kind, flagged = injection.frame["kind"].to_numpy(dtype=object), after.decisions.noisy
    similar = injection.frame["similar"].to_numpy()
    suspects = set(before.scores.utterance[before.decisions.noisy].tolist())
    aside = np.array([u in suspects for u in injection.frame["utterance"]]) & (kind == "")
    return {
        "settings": settings.model_dump() | cleansing.model_dump(exclude={"options"}),
        "utterances": int((~aside & (known | (kind == ""))).sum()),
        "injected": int(known.sum()),
        "set_aside": int(aside.sum()),
        "flagged": int(before.decisions.noisy.sum()),
        "measured": {name: _interval(values) for name, values in found.items()},
        "recall_by_kind": {k: float(flagged[known & (kind == k)].mean()) for k in sorted(set(kind[known]))},
        "recall_by_person": {
            name: float(flagged[known & of].mean())
            for name, of in (("any", ~similar), ("lookalike", similar))
            if (known & of).any()
        },
        "kinds": {k: float(w[0]) for k, w in sample.weight.items()},
        "outside": float(sample.outside[0]),
        "estimated": expected(before.decisions),
    }


def audit_run(
    plan: Path, embeddings: Mapping[str, Sequence[Path]], settings: Audit, cleansing: Cleansing
) -> dict[str, Any]:
    """Do what `audit` does with a run's plan and the embeddings of its shards, modality -> files."""
    return audit(read_plan(plan), {m: _load(paths) for m, paths in embeddings.items()}, settings, cleansing)


def _load(paths: Sequence[Path]) -> EmbeddingTable | None:
    """Read the shards' embeddings in half precision: 1.1 GB for the faces of VoxCeleb2."""
    names: list[str] = []
    parts = []
    for path in paths:
        ids, matrix = read_embeddings(path)
        names += ids
        if len(ids):
            parts.append(matrix.astype(np.float16))
    return EmbeddingTable(names, np.concatenate(parts)) if parts else None


@dataclass
class _Cleansed:
    """A list, whose embeddings its utterances take, and what the cleansing says of it."""

    sources: dict[str, list[str]]
    scores: Scores
    judgement: Judgement
    decisions: Decisions

    def listed(self, modality: str, table: EmbeddingTable) -> Listed:
        """Return one modality; what is not flagged is trusted."""
        trusted = self.scores.evidence[modality].present & ~self.decisions.noisy
        speaker, video = self.scores.speaker.astype(np.int64), self.scores.video_code()
        return Listed(table, self.sources[modality], speaker, video, trusted)

    def of_each(self, tables: Tables) -> Iterator[tuple[str, Listed]]:
        """Yield the modalities that have embeddings."""
        for m in MODALITIES:
            if (table := tables.get(m)) is not None:
                yield m, self.listed(m, table)


def _cleanse(
    frame: pd.DataFrame, tables: Tables, sources: dict[str, list[str]] | None, cleansing: Cleansing
) -> _Cleansed:
    scores = score_table(frame[["utterance", "speaker"]], dict(tables), sources)
    judgement = judge(scores, cleansing.method, cleansing.options)
    decisions = decide(scores, judgement, cleansing.policy, cleansing.threshold)
    return _Cleansed(sources or {m: frame["utterance"].tolist() for m in MODALITIES}, scores, judgement, decisions)


def _native(before: _Cleansed, tables: Tables) -> Native:
    judgement = before.judgement
    alone = np.isnan(judgement.audio_wrong) | np.isnan(judgement.visual_wrong)
    wrong = {"audio": np.nan_to_num(judgement.audio_wrong), "visual": np.nan_to_num(judgement.visual_wrong)}
    both = np.where(alone, 0.0, np.nan_to_num(judgement.both_wrong))
    centres = [unit_rows(listed.sums(listed.speaker)[0]) for _, listed in before.of_each(tables)]
    # The last speakers may have nothing that is trusted: they are like nobody.
    centres = [np.pad(c, ((0, len(before.scores.speakers) - len(c)), (0, 0))) for c in centres]
    return Native(wrong | {"both": both}, before.scores.speakers, np.concatenate(centres, axis=1))


def _rates(native: Native, settings: Audit, utterances: int) -> dict[str, Any]:
    """Return the rate and the kinds of what is injected: of each kind about what the list holds.

    The settings bound them from above, and a quarter of that from below: a few errors tell nothing of recall.
    """
    both = native.wrong["both"]
    own = {"video": both, **{m: native.wrong[m] - both for m in MODALITIES}}
    total = sum(settings.kinds.values())
    rates = {}
    for name, share in settings.kinds.items():
        most = settings.rate * share / total if total else 0.0
        rates[name] = float(np.clip(own[name].mean(), min(most, max(most / 4, _LEAST / utterances)), most))
    rate = sum(rates.values())
    return {"rate": rate, "kinds": {name: r / rate for name, r in rates.items()}} if rate else {}


def _with_channels(
    before: _Cleansed, injection: Injection, tables: Tables
) -> tuple[dict[str, EmbeddingTable | None], dict[str, list[str]]]:
    """Give what was injected into a part of a video the channel of its rest."""
    injected, sources = dict(tables), {m: list(names) for m, names in injection.sources.items()}
    row = {u: i for i, u in enumerate(before.scores.utterance.tolist())}
    utterance, part = injection.frame["utterance"].tolist(), np.flatnonzero(injection.frame["part"].to_numpy())
    for m, listed in before.of_each(tables):
        there = before.scores.evidence[m].present
        rows = [i for i in part.tolist() if sources[m][i] != utterance[i] and there[row[sources[m][i]]]]
        if not rows:
            continue
        pairs = [(row[utterance[i]], row[sources[m][i]]) for i in rows]
        injected[m], names = with_channels(listed, pairs, "injected/")
        for i, name in zip(rows, names, strict=True):
            sources[m][i] = name
    return injected, sources


def _known(injection: Injection, after: _Cleansed, policy: str) -> np.ndarray:
    """Tell what is known to be wrong in the policy's sense and has what was broken: no face found is no wrong face."""
    kind = injection.frame["kind"].to_numpy(dtype=object)
    has = {m: after.scores.evidence[m].present for m in MODALITIES}
    there = np.select([kind == m for m in MODALITIES], [has[m] for m in MODALITIES], has["audio"] | has["visual"])
    return np.isin(kind, _kinds_that_count(policy)) & there


def _kinds_that_count(policy: str) -> list[str]:
    return {"either": ["video", "audio", "visual"], "audio": ["video", "audio"], "visual": ["video", "visual"]}.get(
        policy, ["video"]
    )


def _likeness_to_label(side: _Cleansed, tables: Tables, rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return z (n,) of the flagged rows, in what is wrong; NaN elsewhere and where there is nothing to compare."""
    found = {m: np.full(len(rows), np.nan) for m in MODALITIES}
    for m, listed in side.of_each(tables):
        wanted = np.flatnonzero(rows & side.scores.evidence[m].present)
        if not len(wanted):
            continue
        total, size = _padded(listed.sums(listed.speaker), len(side.scores.speakers))
        whiten = _whitening(listed, total, size, rng)
        mean = total.sum(axis=0) / max(size.sum(), 1)
        videos = np.unique(listed.video[wanted])
        at = np.full(int(listed.video.max()) + 1, -1)
        at[videos] = np.arange(len(videos))
        of_video, in_video = _padded(listed.sums(at[listed.video]), len(videos))
        some = rng.permutation(np.flatnonzero(size > 0))[:_OTHERS]
        others = unit_rows((total[some] - size[some, None] * mean) @ whiten)
        for part, E in embeddings_of(listed.table, listed.names, wanted):
            speaker, video = listed.speaker[part], at[listed.video[part]]
            left = size[speaker] - in_video[video]
            own = unit_rows((total[speaker] - of_video[video] - left[:, None] * mean) @ whiten)
            E = unit_rows((E - mean) @ whiten)
            mine = np.where(left > 0, np.einsum("ij,ij->i", E, own), np.nan)
            theirs = np.ma.masked_array(E @ others.T, mask=speaker[:, None] == some[None])
            spread = theirs.std(axis=1).filled(0)
            found[m][part] = (mine - theirs.mean(axis=1).filled(np.nan)) / np.where(spread > 0, spread, np.nan)
    a, v, kind = found["audio"], found["visual"], side.decisions.kind
    both = np.where(np.isnan(a), v, np.where(np.isnan(v), a, (a + v) / np.sqrt(2)))
    return np.where(kind == "audio", a, np.where(kind == "visual", v, both))


def _padded(sums: tuple[np.ndarray, np.ndarray], count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sums and numbers of ``count`` groups: the last may have nothing that is trusted."""
    total, size = sums
    more = count - len(size)
    return np.pad(total, ((0, more), (0, 0))), np.pad(size, (0, more))


def _whitening(listed: Listed, total: np.ndarray, size: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the map (D, D) float32 after which people vary alike in all directions.

    Else a few directions in which everybody varies would decide what is like anybody. Comparisons with labels stay
    fair in any metric. The scatter within speakers is shrunk towards a multiple of the identity, the more the fewer
    utterances there are.
    """
    rows = np.flatnonzero(listed.trusted & (size[listed.speaker] > 1))
    rows = np.sort(rng.permutation(rows)[:_BLOCK])
    dim = total.shape[1]
    scatter = np.zeros((dim, dim))
    for part, E in embeddings_of(listed.table, listed.names, rows):
        R = E - total[listed.speaker[part]] / size[listed.speaker[part], None].astype(np.float32)
        scatter += R.T @ R
    scatter /= max(len(rows), 1)
    even = np.trace(scatter) / dim
    shrink = dim / (dim + len(rows))
    value, vector = np.linalg.eigh((1 - shrink) * scatter + (shrink * even if even > 0 else 1) * np.eye(dim))
    return np.asarray((vector / np.sqrt(np.maximum(value, 1e-9))) @ vector.T, np.float32)


class _Sample:
    """Sums of both lists per speaker, drawn ``draws`` times; the first of all vectors (1 + draws,) is undrawn."""

    def __init__(
        self, before: _Cleansed, after: _Cleansed, injection: Injection, known: np.ndarray, z_own: np.ndarray,
        z_injected: np.ndarray, settings: Audit, policy: str, draws: int, rng: np.random.Generator,
    ) -> None:  # fmt: skip
        self.before, self.after, self.known, self.rng = before, after, known, rng
        self.z_own, self.z_injected, self.settings = z_own, z_injected, settings
        names = before.scores.speakers  # nobody is in the other list who is not in this
        at = {s: i for i, s in enumerate(names)}
        self.code = {
            "own": before.scores.speaker.astype(np.int64),
            "injected": np.array([at[s] for s in after.scores.speakers])[after.scores.speaker],
        }
        count = len(names)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=draws)
        self.times = np.concatenate([np.ones((1, count)), drawn])
        self.kinds = _kinds_that_count(policy)
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
                self._mean("injected", injected_lead, hit & (self.kind == k) & of)
                for of in (~self.is_outside, self.is_outside)
            )
            own = self._mean("own", lead, flagged & (self.found_kind == k))
            # Without flagged ones of the kind, or without injected of both sorts, it says nothing.
            known = np.isfinite(inside - own) & np.isfinite(inside - outside)
            excess += np.where(known, weight * (inside - own), 0)
            whole += np.where(known, weight * (inside - outside), 0)
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.clip(excess / whole, 0, 1)
        return np.where(np.isfinite(share) & (whole > 0), share, self.settings.outside)

    def _mean(self, which: str, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.sums(which, np.where(rows, values, 0)) / self.sums(which, rows))

    def _share(self, event: np.ndarray, rows: np.ndarray, kind: str) -> np.ndarray:
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

    def recall(self) -> np.ndarray:
        """Return the pooled draws of the list's recall."""
        flagged = self.after.decisions.noisy
        if not self.weight:
            return np.zeros(0)
        found = np.add.reduce([w * self._share(flagged, self.known, k) for k, w in self.weight.items()])
        return np.concatenate([found, self._promised()])

    def _promised(self, of: np.ndarray | None = None) -> np.ndarray:
        """Return the share of the probabilities that is flagged, by both readings of the data.

        It is the share of ``of`` (n,), or of all that is thought wrong; empty where nothing is promised.
        """
        decisions = self.before.decisions
        if not self.before.judgement.calibrated or not decisions.noisy.any():
            return np.zeros(0)
        shares = []
        for reading in (decisions.probability, decisions.sceptical):
            p = np.nan_to_num(reading)
            with np.errstate(divide="ignore", invalid="ignore"):
                share = self.sums("own", np.where(decisions.noisy, p, 0)) / self.sums("own", p if of is None else of)
            shares.append(share[np.isfinite(share)])
        return np.concatenate(shares)

    def _ratio(
        self, own: np.ndarray, injected: np.ndarray, valid: np.ndarray, valid_injected: np.ndarray
    ) -> np.ndarray:
        """Return share(E | flagged) over share(E | flagged and wrong), (1 + draws,)."""
        flagged = self.before.decisions.noisy & valid
        hit = self.after.decisions.noisy & self.known & valid_injected
        called = self.sums("own", flagged)
        if not hit.any():
            return np.full(len(self.times), np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            wrong = np.add.reduce(
                [self.sums("own", flagged & (self.found_kind == k)) / called * self._share(injected, hit, k)
                 for k in self.weight]
            )  # fmt: skip
            return np.asarray(self.sums("own", own & flagged) / called / wrong)

    def precision(self) -> np.ndarray:
        """Return the pooled draws of the list's precision; empty where nothing is flagged."""
        if not self.before.decisions.noisy.any() or not self.weight:
            return np.zeros(0)
        p, injected_p = (np.nan_to_num(x.decisions.probability) for x in (self.before, self.after))
        all_own, all_injected = np.ones(len(p), bool), np.ones(len(injected_p), bool)
        sure = self._ratio(p > _SURE, injected_p > _SURE, all_own, all_injected)
        known = ~np.isnan(self.z_injected)
        limit = np.quantile(self.z_injected[known], _TYPICAL) + _ALIKE if known.any() else np.nan
        like_anybody = self._ratio(self.z_own <= limit, self.z_injected <= limit, ~np.isnan(self.z_own), known)
        if not self.before.judgement.calibrated:
            sure = np.full(len(sure), 1.0)  # yes and no have no order
        sure = np.minimum(sure[np.isfinite(sure)], 1.0)
        like_anybody = like_anybody[np.isfinite(like_anybody)]
        smaller = np.minimum(np.resize(like_anybody, len(sure)), sure) if len(like_anybody) else sure
        if not self.before.judgement.calibrated:
            return smaller
        return np.concatenate([sure, smaller, self._promised(self.before.decisions.noisy)])

    def figures(self) -> dict[str, np.ndarray]:
        """Return draws of precision, recall and F1; none where there is nothing to tell."""
        precision, recall = self.precision(), self.recall()
        if not len(precision) or not len(recall):
            return {"precision": precision, "recall": recall, "f1": np.zeros(0)}
        both = self.rng.choice(recall, size=len(precision))
        return {
            "precision": precision,
            "recall": recall,
            "f1": 2 * precision * both / np.maximum(precision + both, 1e-9),
        }


def _lead(side: _Cleansed) -> np.ndarray:
    """Return how far the most similar other speaker is ahead of the next, (n,), in what is wrong."""
    scores, kind = side.scores, side.decisions.kind
    other = {m: scores.evidence[m].other for m in MODALITIES}
    leads = {k: x[:, 0] - x[:, 1] for k, x in (*other.items(), ("video", scores.joint))}
    chosen = np.where(kind == "audio", leads["audio"], np.where(kind == "visual", leads["visual"], leads["video"]))
    return np.nan_to_num(chosen)


def _interval(draws: np.ndarray) -> dict[str, float | None]:
    """Return the median and the bounds of 95 %; None without draws."""
    if not len(draws):
        return {"value": None, "low": None, "high": None}
    low, value, high = (float(q) for q in np.quantile(draws, [0.025, 0.5, 0.975]))
    return {"value": value, "low": low, "high": high}
