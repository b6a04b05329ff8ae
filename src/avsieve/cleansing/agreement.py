"""Compare two cleansed lists: how far they agree beyond chance, and who disagrees where."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

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


def draw(path: str | Path, agreement: Agreement, table: pd.DataFrame, names: tuple[str, str]) -> None:
    """Draw the four counts and the speakers on whom the lists disagree most, as PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    a = agreement
    cells = [[a.both_clean, a.only_second], [a.only_first, a.both_noisy]]
    shade = [[c / max(sum(row), 1) for c in row] for row in cells]
    left.imshow(shade, cmap="Blues", vmin=0, vmax=1.4)
    for i, row in enumerate(cells):
        for j, count in enumerate(row):
            left.text(j, i, f"{count:,}", ha="center", va="center")
    left.set(xticks=[0, 1], yticks=[0, 1], xticklabels=["clean", "noisy"], yticklabels=["clean", "noisy"])
    left.set(xlabel=names[1], ylabel=names[0], title=f"agreement {a.agreement:.2%}, kappa {a.kappa:.3f}")
    top = table[(table["only_first"] + table["only_second"]) > 0].head(15).iloc[::-1]
    right.barh(top["speaker"], top["only_first"], label=f"noisy in {names[0]} only")
    right.barh(top["speaker"], top["only_second"], left=top["only_first"], label=f"noisy in {names[1]} only")
    right.set(xlabel="utterances", title="where they disagree")
    right.legend(fontsize=8)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120, metadata={"Software": None})
    plt.close(figure)
