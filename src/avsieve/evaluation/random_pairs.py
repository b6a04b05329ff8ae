"""BAFFN's protocol: trials of random pairs of a voice and a face, drawn anew several times.

Each side of a trial is a random voice and a random face of one speaker, which mostly come from different videos. Half
of the trials are targets: a speaker, all alike and with replacement, and two different voices and two different faces
of hers. The others are two different speakers, whatever their sex. It is what the code of BAFFN does
(github.com/ZQSong1997/AVMFN-For-Person-Verification); seeds are ours. Its figures, a mean over draws, are none of a
trial list and cannot be compared with such: they are called `PROTOCOL` everywhere.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.evaluation.metrics import summarise

PROTOCOL = "random_pairs"
DRAWS, TRIALS = 20, 20_000
"""As published; half of the trials are targets."""


@dataclass(frozen=True)
class RandomPairs:
    """Trials, each side of which is a row of the voices and one of the faces: (T,) int64 each.

    Attributes
    ----------
    audio, visual
        Rows of both sides: enrol, test.
    is_target
        (T,) bool, the targets first.
    """

    audio: tuple[np.ndarray, np.ndarray]
    visual: tuple[np.ndarray, np.ndarray]
    is_target: np.ndarray


Scorer = Callable[[RandomPairs], np.ndarray]
"""From trials to their scores, (T,)."""


@dataclass(frozen=True)
class People:
    """Who has which rows.

    Attributes
    ----------
    names
        The speakers who have two voices and two faces at least, sorted.
    left_out
        Those who have less.
    audio, visual
        Rows of each of ``names``.
    """

    names: list[str]
    left_out: list[str]
    audio: list[np.ndarray]
    visual: list[np.ndarray]

    @classmethod
    def of(cls, audio: Sequence[str], visual: Sequence[str]) -> People:
        """Sort rows by their speakers.

        Parameters
        ----------
        audio, visual
            The speaker of each row.

        Raises
        ------
        AvsieveError
            If fewer than two speakers have two voices and two faces.
        """
        rows = [_rows_of(speakers) for speakers in (audio, visual)]
        everybody = sorted(set(rows[0]) | set(rows[1]))
        names = [name for name in everybody if all(len(own.get(name, ())) > 1 for own in rows)]
        if len(names) < 2:
            raise AvsieveError(
                f"{len(names)} of {len(everybody)} speakers have two voices and two faces; random pairs need 2 such "
                "speakers at least: is the first part of each name the speaker, in both tables?"
            )
        left_out = sorted(set(everybody) - set(names))
        return cls(names, left_out, *([own[name] for name in names] for own in rows))

    def draw(self, trials: int, rng: np.random.Generator) -> RandomPairs:
        """Draw trials, half of them targets."""
        n = trials // 2
        one = rng.integers(len(self.names), size=trials)
        # The other speaker is anybody else; of a target it is the same.
        other = (one + 1 + rng.integers(len(self.names) - 1, size=trials)) % len(self.names)
        other[:n] = one[:n]
        sides = [_two(rows, one, other, rng) for rows in (self.audio, self.visual)]
        return RandomPairs(sides[0], sides[1], np.arange(trials) < n)


def _rows_of(speakers: Sequence[str]) -> dict[str, np.ndarray]:
    names, place = np.unique(np.array(speakers, dtype=str), return_inverse=True)
    order = np.argsort(place, kind="stable")
    parts = np.split(order, np.cumsum(np.bincount(place, minlength=len(names)))[:-1]) if len(names) else []
    return dict(zip(names.tolist(), parts, strict=True))


def _two(
    rows: Sequence[np.ndarray], one: np.ndarray, other: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Draw a row of each side's speaker; where that is the same speaker, two different ones."""
    size = np.array([len(own) for own in rows])
    flat, first = np.concatenate(rows), np.cumsum(size) - size
    left = rng.integers(size[one])
    right = np.where(one == other, (left + 1 + rng.integers(size[other] - 1)) % size[other], rng.integers(size[other]))
    return flat[first[one] + left], flat[first[other] + right]


def evaluate_draws(
    people: People, scorers: Mapping[str, Scorer], *, draws: int, trials: int, definition: str, seed: int
) -> list[dict[str, str | float | int]]:
    """Draw trials again and again, and score each draw with every system.

    Parameters
    ----------
    scorers
        System -> its scores.
    draws, trials
        How many draws, and how many trials in each, half of them targets.
    definition
        Of the EER.
    seed
        Draw k is that of the seed (``seed``, k), and the same for every system.

    Returns
    -------
    A row per system: ``system``, ``protocol``, ``eer_definition``, ``draws``, ``eer_mean``, ``eer_std`` (over the
    draws, n - 1; 0 for one draw), ``eer_min`` and ``eer_max``.
    """
    found: dict[str, list[float]] = {name: [] for name in scorers}
    for k in range(draws):
        pairs = people.draw(trials, np.random.default_rng([seed, k]))
        for name, scorer in scorers.items():
            found[name].append(float(summarise(scorer(pairs), pairs.is_target, definition=definition)["eer"]))
    return [
        {
            "system": name,
            "protocol": PROTOCOL,
            "eer_definition": definition,
            "draws": draws,
            "eer_mean": statistics.fmean(rates),
            "eer_std": statistics.stdev(rates) if draws > 1 else 0.0,
            "eer_min": min(rates),
            "eer_max": max(rates),
        }
        for name, rates in found.items()
    ]
