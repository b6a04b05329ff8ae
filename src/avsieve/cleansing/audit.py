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
too sure). They are pooled (`avsieve.cleansing.opinion_pool`): the value is the median of an equal mixture, the interval
spans them where they disagree, and allows for an error that each has beyond its sample. Methods that say only yes and
no promise nothing and are never more or less sure: of these, what is like anybody tells the precision, and the injected
the recall. Where nothing is flagged, recall is that which errors like the injected would have.

**What is not in the recall.** Errors of kinds that nobody injects. Two are known to occur: the same stranger in many
videos of a speaker (an interviewer), who may win the label, and voices in which two people are heard. The latter are
injected besides: few of them are found, so recall without them is one figure and recall with them another
(`avsieve.cleansing.hidden_voices`). How many there are cannot be known, hence they are kept apart.

Draws are bootstrap samples of speakers; both lists are drawn together. A share of the injected is drawn from its Beta
posterior besides (few are injected of a kind, and all found of ten is not certain to be all), centred on the share of
the kind.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from avsieve.cleansing.audit_sample import Sample, known_errors
from avsieve.cleansing.channel import with_channels
from avsieve.cleansing.cleansed import Cleansed, Tables, cleanse
from avsieve.cleansing.decisions import expected
from avsieve.cleansing.hidden_voices import mixed_voices
from avsieve.cleansing.injection import Injection, Native, inject
from avsieve.cleansing.inputs import MODALITIES, read_plan, unit_rows
from avsieve.cleansing.likeness import likeness_to_label
from avsieve.cleansing.list_digest import list_digest
from avsieve.cleansing.opinion_pool import interval
from avsieve.cleansing.opinions import figures
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.cleansing.table import EmbeddingTable
from avsieve.embedding_files.own_tables import read_embeddings

_LEAST = 30  # so many of each kind are injected, where the rate allows it


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
    what its probabilities promise. ``list_sha256``: of the list (`avsieve.cleansing.list_digest`). ``injected`` errors
    count among ``utterances``, of which ``set_aside`` own suspects are no part. ``recall_by_kind`` (``mixed`` among
    them) and ``recall_by_person`` are of the injected.
    ``mixed_voices``: what `avsieve.cleansing.hidden_voices.mixed_voices` says of those that the list may hide.
    ``kinds`` and ``outside``: the shares that the list's own errors are thought to have.

    Raises
    ------
    AvsieveError
        If the list is too small to spare donors.
    """
    before = cleanse(frame, tables, None, cleansing)
    return measure(before, injection_into(before, frame, tables, settings), tables, settings, cleansing, draws).figures


@dataclass(frozen=True)
class Measured:
    """An audit, and what it rests on.

    Attributes
    ----------
    figures
        What `audit` returns.
    known, flagged
        Of the rows of the injection, (n,) bool: whom the label is known not to fit, and what was flagged.
    """

    figures: dict[str, Any]
    known: np.ndarray
    flagged: np.ndarray


def injection_into(before: Cleansed, frame: pd.DataFrame, tables: Tables, settings: Audit) -> Injection:
    """Break labels of a list, as many as it seems to hold and where it seems to hold them.

    Raises
    ------
    AvsieveError
        If the list is too small to spare donors.
    """
    native = _native(before, tables)
    return inject(frame, settings.model_copy(update=_rates(native, settings, len(frame))), native)


def measure(
    before: Cleansed, injection: Injection, tables: Tables, settings: Audit, cleansing: Cleansing, draws: int = 200
) -> Measured:
    """Cleanse a list with known errors, and compare with the list as it is, ``before``.

    Both come from the same embeddings; the errors may have been drawn by others (`injection_into`).
    """
    injected, sources = _with_channels(before, injection, tables)
    after = cleanse(injection.frame, injected, sources, cleansing)
    known, mixed = known_errors(injection, after, cleansing.policy)
    rng = np.random.default_rng(settings.seed)
    own = likeness_to_label(before, tables, before.decisions.noisy, rng)
    theirs = likeness_to_label(after, injected, after.decisions.noisy & known, rng)
    sample = Sample(before, after, injection, known, mixed, settings, cleansing.policy, draws, rng)
    found = figures(sample, own, theirs)
    kind, flagged = injection.frame["kind"].to_numpy(dtype=object), after.decisions.noisy
    similar = injection.frame["similar"].to_numpy()
    suspects = set(before.scores.utterance[before.decisions.noisy].tolist())
    aside = np.array([u in suspects for u in injection.frame["utterance"]]) & (kind == "")
    told = {
        "list_sha256": list_digest(before.scores.utterance, np.array(before.scores.speakers)[before.scores.speaker]),
        "settings": settings.model_dump() | cleansing.model_dump(exclude={"options"}),
        "utterances": int((~aside & (known | mixed | (kind == ""))).sum()),
        "injected": int((known | mixed).sum()),
        "set_aside": int(aside.sum()),
        "flagged": int(before.decisions.noisy.sum()),
        "measured": {name: interval(values) for name, values in found.items()},
        "recall_by_kind": {
            k: float(flagged[(known | mixed) & (kind == k)].mean()) for k in sorted(set(kind[known | mixed]))
        },
        "recall_by_person": {
            name: float(flagged[known & of].mean())
            for name, of in (("any", ~similar), ("lookalike", similar))
            if (known & of).any()
        },
        "mixed_voices": mixed_voices(sample, found["recall"]),
        "kinds": {k: float(w[0]) for k, w in sample.weight.items()},
        "outside": float(sample.outside[0]),
        "estimated": expected(before.decisions),
    }
    return Measured(told, known, flagged)


def audit_run(
    plan: Path, embeddings: Mapping[str, Sequence[Path]], settings: Audit, cleansing: Cleansing
) -> dict[str, Any]:
    """Do what `audit` does with a run's plan and the embeddings of its shards, modality -> files."""
    return audit(read_plan(plan), load_tables(embeddings), settings, cleansing)


def load_tables(embeddings: Mapping[str, Sequence[Path]]) -> Tables:
    """Read the embeddings of the shards, modality -> files; None where there are none."""
    return {m: _load(paths) for m, paths in embeddings.items()}


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


def _native(before: Cleansed, tables: Tables) -> Native:
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
    before: Cleansed, injection: Injection, tables: Tables
) -> tuple[dict[str, EmbeddingTable | None], dict[str, list[str]]]:
    """Give what was injected into a part of a video the channel of its rest, and mix what is to be mixed."""
    injected, sources = dict(tables), {m: list(names) for m, names in injection.sources.items()}
    row = {u: i for i, u in enumerate(before.scores.utterance.tolist())}
    utterance, own = injection.frame["utterance"].tolist(), injection.frame["own_voice"].to_numpy()
    part = np.flatnonzero(injection.frame["part"].to_numpy() | (own > 0))
    for m, listed in before.of_each(tables):
        there = before.scores.evidence[m].present
        for i in np.flatnonzero(own > 0).tolist():
            if not there[row[utterance[i]]]:
                sources[m][i] = utterance[i]  # no own voice to mix with
        rows = [i for i in part.tolist() if sources[m][i] != utterance[i] and there[row[sources[m][i]]]]
        if not rows:
            continue
        pairs = [(row[utterance[i]], row[sources[m][i]]) for i in rows]
        injected[m], names = with_channels(listed, pairs, "injected/", [float(own[i]) for i in rows])
        for i, name in zip(rows, names, strict=True):
            sources[m][i] = name
    return injected, sources
