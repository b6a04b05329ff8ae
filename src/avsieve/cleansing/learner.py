"""Re-estimate ratios and beliefs in turn, on all of a corpus or on enough of its speakers, then judge everybody.

What is learned are the ratios, the kinds of wrong and the shares of `avsieve.cleansing.structure`: a few dozen figures
of the whole corpus, which speakers with some ten thousand videos settle as well as a million utterances do. What is a
speaker's or a video's own depends on no other speaker, so all are judged in the end, a block of speakers at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from avsieve.cleansing.few_speakers import FewModel, model_for
from avsieve.cleansing.inputs import MODALITIES
from avsieve.cleansing.likelihood import LikelihoodModel, company_of
from avsieve.cleansing.scores import Evidence
from avsieve.cleansing.structure import CASES, Inference, Shares, infer

ENOUGH = 150_000  # utterances to learn from; what has no more is learned from as a whole
_BLOCK = 50_000  # utterances judged at once: they stay in the processor's cache


@dataclass
class Corpus:
    """Of n utterances: evidence and the first belief that they are right (n,), per modality; codes from 0 (n,)."""

    evidence: Mapping[str, Evidence]
    right: Mapping[str, np.ndarray]
    video: np.ndarray
    speaker: np.ndarray

    def __len__(self) -> int:
        return len(self.video)

    def take(self, rows: np.ndarray) -> Corpus:
        """Return whole videos of it by their rows."""
        evidence = {m: e.take(rows) for m, e in self.evidence.items()}
        right = {m: belief[rows] for m, belief in self.right.items()}
        codes = (np.unique(x[rows], return_inverse=True)[1] for x in (self.video, self.speaker))
        return Corpus(evidence, right, *codes)

    def some_speakers(self, least: int, seed: int) -> Corpus:
        """Return speakers drawn blindly until there are ``least`` utterances; all where there are no more."""
        if len(self) <= least:
            return self
        count = np.bincount(self.speaker)
        order = np.random.default_rng(seed).permutation(len(count))
        enough = int(np.searchsorted(np.cumsum(count[order]), least)) + 1
        drawn = np.isin(self.speaker, order[:enough])
        return self.take(np.flatnonzero(drawn))

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Yield the rows of whole speakers, some ``size`` at a time."""
        order = np.argsort(self.speaker, kind="stable")
        ends = np.cumsum(np.bincount(self.speaker))
        first = 0
        while first < len(order):
            # Up to the speaker with whom there are enough; the last block has what is left.
            end = int(ends[np.minimum(np.searchsorted(ends, first + size), len(ends) - 1)])
            yield order[first:end]
            first = end


class Learner:
    """What is learned of a corpus so far.

    Parameters
    ----------
    corpus
        All utterances.
    seed
        Of the choice of speakers and examples, where there are more than enough.
    """

    def __init__(self, corpus: Corpus, seed: int) -> None:
        self.corpus = corpus
        self.part = corpus.some_speakers(ENOUGH, seed)
        self.models: dict[str, LikelihoodModel | FewModel] = {
            m: model_for(e, self.part.video, self.part.speaker, seed) for m, e in self.part.evidence.items()
        }
        self.found = Inference(np.zeros((len(self.part), 4)), dict(self.part.right), Shares())

    def reestimate(self, sceptical: bool) -> None:
        """Learn from the beliefs as they are, and find new ones."""
        audio, visual = (self.models[m].log_likelihood(self.found.settled[m], sceptical) for m in MODALITIES)
        self.found = infer(audio, visual, self.part.video, self.part.speaker, self.found.shares)
        for i, m in enumerate(MODALITIES):
            self.models[m].update_mixture(self.found.cases[:, CASES[:, i] == 0].sum(axis=1))

    def cases(self) -> np.ndarray:
        """Return P(case) (n, 4) of all utterances by what has been learned."""
        if self.part is self.corpus:
            return self.found.cases
        cases = np.empty((len(self.corpus), 4))
        for rows in self.corpus.blocks(_BLOCK):
            block = self.corpus.take(rows)
            evidence = ((m, block.evidence[m]) for m in MODALITIES)
            audio, visual = (self.models[m].of(e, company_of(e, block.video)) for m, e in evidence)
            cases[rows] = infer(audio, visual, block.video, block.speaker, self.found.shares, learn=False).cases
        return cases
