"""VoxCeleb's corpora and lists, told by what they count.

A folder or list bears no name that one could trust; how many speakers, videos and utterances it has does. Counts are
those of the corpora's own statistics (Nagrani, Chung and Zisserman 2017; Chung, Nagrani and Zisserman 2018, and the
project's page): speakers, videos and utterances of the dev and test parts, and the three parts of VoxCeleb1's
identification split. Trial lists are recognised in `avsieve.evaluation.trials`.
"""

from __future__ import annotations

from dataclasses import dataclass

# Of the utterances; further away a list is another list, not one with holes.
NEAR = 0.02


@dataclass(frozen=True)
class KnownCorpus:
    """A corpus, or a part of one, whose counts are published."""

    name: str
    utterances: int
    speakers: int
    videos: int | None = None


KNOWN_CORPORA = (
    KnownCorpus("VoxCeleb1 dev", 148_642, 1_211, 21_819),
    KnownCorpus("VoxCeleb1 test", 4_874, 40, 677),
    KnownCorpus("VoxCeleb1, dev and test", 153_516, 1_251, 22_496),
    KnownCorpus("VoxCeleb1, identification, train", 138_361, 1_251),
    KnownCorpus("VoxCeleb1, identification, validation", 6_904, 1_251),
    KnownCorpus("VoxCeleb1, identification, test", 8_251, 1_251),
    KnownCorpus("VoxCeleb2 dev", 1_092_009, 5_994, 145_569),
    KnownCorpus("VoxCeleb2 test", 36_237, 118, 4_911),
)


@dataclass(frozen=True)
class Recognised:
    """What a list or folder was recognised as."""

    corpus: KnownCorpus
    utterances: int
    speakers: int

    @property
    def is_whole(self) -> bool:
        """Whether every utterance and speaker of the corpus is there."""
        return (self.utterances, self.speakers) == (self.corpus.utterances, self.corpus.speakers)

    def __str__(self) -> str:
        if self.is_whole:
            return self.corpus.name
        told = []
        for word, here, whole in (
            ("utterances", self.utterances, self.corpus.utterances),
            ("speakers", self.speakers, self.corpus.speakers),
        ):
            if here < whole:
                told.append(f"{here:,} of {whole:,} {word}: {whole - here:,} missing")
            elif here > whole:
                told.append(f"{here:,} {word}, {here - whole:,} more than the {whole:,} of the whole")
        return f"like {self.corpus.name}, but {'; '.join(told)}"


def recognise(utterances: int, speakers: int) -> Recognised | None:
    """Name the corpus that has these counts, or nearly has them; None where none does.

    A near miss has at most 2 % of the utterances and of the speakers too few, or too many; the identification split,
    whose parts share all speakers, is told by its utterances.
    """

    def distance(corpus: KnownCorpus) -> float:
        return max(abs(utterances / corpus.utterances - 1), abs(speakers / corpus.speakers - 1))

    nearest = min(KNOWN_CORPORA, key=distance)
    return Recognised(nearest, utterances, speakers) if distance(nearest) <= NEAR else None


def named(utterances: int, speakers: int) -> str:
    """Return counts in words with the corpus behind them, where one is recognised."""
    found = recognise(utterances, speakers)
    words = f"{utterances:,} utterance{'s' * (utterances != 1)} of {speakers:,} speaker{'s' * (speakers != 1)}"
    return f"{words} ({found})" if found else words
