"""Compare two cleansed lists: how far they agree beyond chance, and who disagrees where."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from avsieve.errors import ListError


@dataclass
class Agreement:
    """Counts of utterances in both lists; ``only_first`` are noisy in the first list alone."""

    both_clean: int
    only_first: int
    only_second: int
    both_noisy: int
    missing_first: int
    missing_second: int

    @property
    def utterances(self) -> int:
        """How many utterances both lists hold."""
        return self.both_clean + self.only_first + self.only_second + self.both_noisy

    @property
    def agreement(self) -> float:
        """Share of utterances on which the lists agree."""
        return (self.both_clean + self.both_noisy) / self.utterances

    @property
    def kappa(self) -> float:
        """Cohen's kappa: agreement beyond that of two lists that flag as often, independently; NaN if neither flags."""
        n = self.utterances
        first, second = (self.only_first + self.both_noisy) / n, (self.only_second + self.both_noisy) / n
        chance = first * second + (1 - first) * (1 - second)
        return (self.agreement - chance) / (1 - chance) if chance < 1 else float("nan")


def compare(first: pd.Series, second: pd.Series) -> tuple[Agreement, pd.DataFrame]:
    """Compare two Series of bool (True = clean) indexed by utterance.

    Returns
    -------
    Agreement
        Over the utterances of both.
    pandas.DataFrame
        Per speaker, sorted by how often the lists disagree: ``utterances``, ``only_first``, ``only_second``,
        ``both_noisy``.

    Raises
    ------
    ListError
        If no utterance is in both.
    """
    common = first.index.intersection(second.index)
    if not len(common):
        raise ListError(f"no utterance is in both lists (first: {first.index[0]}; second: {second.index[0]})")
    a, b = ~first.loc[common].to_numpy(), ~second.loc[common].to_numpy()
    speakers = pd.Series([u.split("/", 1)[0] for u in common], name="speaker")
    counts = {"utterances": a | True, "only_first": a & ~b, "only_second": b & ~a, "both_noisy": a & b}
    table = pd.DataFrame(counts).astype(int).groupby(speakers).sum()
    order = (table["only_first"] + table["only_second"]).sort_values(ascending=False, kind="stable").index
    total = {k: int(v.sum()) for k, v in counts.items()}
    clean = total["utterances"] - total["only_first"] - total["only_second"] - total["both_noisy"]
    result = Agreement(
        clean, total["only_first"], total["only_second"], total["both_noisy"],
        len(second) - len(common), len(first) - len(common),
    )  # fmt: skip
    return result, table.loc[order].reset_index()
