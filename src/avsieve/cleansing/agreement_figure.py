"""A figure of how far two cleansed lists agree."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from avsieve.cleansing.agreement import Agreement


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
