"""Whether a round confirms itself: whether encoders accept wrong labels because they were trained with them.

What the round before left in the list is trained on, with the wrong labels that it overlooked. An encoder that has
learnt such a label finds the utterance where the label says. Two signs of it, both free of the scale of similarities,
which differs from encoder to encoder: an utterance's place is its rank by the probability that its label is wrong, as a
share of the list.

**By the truth.** Of what was left in, how well the ranks tell wrong from right labels (the area under the ROC), under
the encoders before and after. The encoders before have just passed over these very utterances, so their area is low by
selection: a rise is no proof of a gain, a fall is one of confirmation.

**By folds.** Encoders that were trained without a part of the list judge it; encoders that were trained without another
part, of the same size, judge it as well. Both come from equally many utterances, and what was left in was decided by
neither, so what differs is the training with the label alone. Right labels move too when they are held out (an encoder
knows its own examples best), so only that wrong ones are flagged *more* often than right ones is confirmation
(`hidden`). A shift of all probabilities brings wrong ones over the threshold first, and would show there too. So the
ranks are asked besides: as many are called wrong as are, the first by rank, on either side, and the share of the wrong
labels among these is compared (`found_gain`), which no shift changes. Without a truth there is still what is flagged
when it is held out and accepted when it is trained with, against the reverse: without memory both are equally many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from avsieve.report.detection import with_truth
from avsieve.rounds.agreement import NOISY
from avsieve.rounds.draws import Draws, figure
from avsieve.rounds.lists import parts_of


def ranked(decisions: pd.DataFrame) -> pd.DataFrame:
    """Return decisions with ``rank``: the share of the judged utterances that seem less wrong; NaN if not judged."""
    rank = decisions["p_wrong"].rank(method="average")
    return decisions.assign(rank=(rank - 0.5) / max(int(rank.notna().sum()), 1))


def assembled(arms: Sequence[pd.DataFrame], *, held_out: bool) -> pd.DataFrame:
    """Put the decisions of encoders that lack a part each together to one table over all utterances.

    Parameters
    ----------
    arms
        Of the encoders without part 0, 1, …
    held_out
        Whether an utterance is judged by those that lack its part; else by those that lack the next one.
    """
    utterances = arms[0]["utterance"]
    part = parts_of(utterances.tolist(), len(arms))
    part = part if held_out else (part + 1) % len(arms)
    rows = [
        ranked(arm).set_index("utterance").loc[utterances[part == number]].reset_index()
        for number, arm in enumerate(arms)
    ]
    return pd.concat(rows).set_index("utterance").loc[utterances].reset_index()


def confirmation(
    before: pd.DataFrame,
    after: pd.DataFrame,
    trained_on: set[str],
    *,
    truth: pd.DataFrame | None = None,
    folds: Mapping[str, pd.DataFrame] | None = None,
    replicates: int = 1000,
    seed: int = 0,
) -> dict[str, Any]:
    """Look for signs that a round confirms itself.

    Parameters
    ----------
    before, after
        Decisions of the round before, and of this one.
    trained_on
        What the encoders of this one were trained on.
    truth
        ``utterance`` and ``kind``, if known.
    folds
        What `assembled` gives: ``held_out`` and ``trained``.
    replicates, seed
        Draws of speakers.

    Returns
    -------
    ``trained_on``: utterances that were trained on and judged. With the truth ``by_truth``: how many of them are
    ``wrong``, how many of these are ``found_late``, how many right ones are ``newly_flagged``, and the areas
    (``area_before``, ``area_after``, ``area_gain``). With folds ``by_folds``: ``flagged_held_out_only``,
    ``flagged_trained_only`` and their difference as a share of the utterances (``excess``); with the truth too the same
    of the ``wrong`` and the ``right`` ones, ``hidden`` (the difference of these excesses: what training with wrong
    labels hides), ``found_held_out``, ``found_trained`` and ``found_gain`` (the share of the wrong found by as many
    flags as there are wrong ones), and the areas (``area_held_out``, ``area_trained``, ``area_gain``).
    """
    rows = _joined({"before": ranked(before), "after": ranked(after)} | dict(folds or {}), trained_on)
    found: dict[str, Any] = {"trained_on": len(rows)}
    if not len(rows):
        return found
    draws = Draws(rows["speaker"].tolist(), replicates, seed)
    wrong = right = None
    if truth is not None:
        # Judged by the round before: what the truth says of a voice or a face that was not seen counts nowhere.
        kind = with_truth(before, truth).drop_duplicates("utterance").set_index("utterance")["kind_true"]
        kind = kind.reindex(rows.index)
        wrong, right = (kind.notna() & (kind != "clean")).to_numpy(), (kind == "clean").to_numpy()
        found["by_truth"] = _by_truth(rows, draws, wrong, right)
    if folds:
        found["by_folds"] = _by_folds(rows, draws, wrong, right)
    return found


def _joined(tables: Mapping[str, pd.DataFrame], trained_on: set[str]) -> pd.DataFrame:
    """Return the utterances that were trained on and judged by all: ``speaker``, and rank and flag by each."""
    rows = None
    for name, table in tables.items():
        own = table[table["utterance"].isin(trained_on) & table["p_wrong"].notna()].set_index("utterance")
        columns = {f"{name}_rank": own["rank"], f"{name}_flagged": own["decision"] == NOISY}
        columns = {"speaker": own["speaker"]} | columns if rows is None else columns
        part = pd.DataFrame(columns)
        rows = part if rows is None else rows.join(part, how="inner")
    assert rows is not None
    return rows


def _by_truth(rows: pd.DataFrame, draws: Draws, wrong: np.ndarray, right: np.ndarray) -> dict[str, Any]:
    flagged = rows["after_flagged"].to_numpy(dtype=bool)
    before, after = (draws.area(rows[f"{name}_rank"].to_numpy(), wrong, right) for name in ("before", "after"))
    return {
        "wrong": int(wrong.sum()),
        "found_late": int((wrong & flagged).sum()),
        "newly_flagged_right": int((right & flagged).sum()),
        "area_before": figure(before),
        "area_after": figure(after),
        "area_gain": figure(after - before),
    }


def _by_folds(rows: pd.DataFrame, draws: Draws, wrong: np.ndarray | None, right: np.ndarray | None) -> dict[str, Any]:
    held, trained = (rows[f"{name}_flagged"].to_numpy(dtype=bool) for name in ("held_out", "trained"))
    found: dict[str, Any] = _one_sided(draws, held, trained, np.ones(len(rows), bool))
    if wrong is None or right is None:
        return found
    of_held, of_trained = (rows[f"{name}_rank"].to_numpy() for name in ("held_out", "trained"))
    more = held.astype(float) - trained
    sides = {
        "found": [draws.share(_foremost(rank, wrong, right), wrong) for rank in (of_held, of_trained)],
        "area": [draws.area(rank, wrong, right) for rank in (of_held, of_trained)],
    }
    found |= {
        "wrong": _one_sided(draws, held, trained, wrong),
        "right": _one_sided(draws, held, trained, right),
        "hidden": figure(draws.share(more, wrong) - draws.share(more, right)),
    }
    for name, (out, within) in sides.items():
        found |= {
            f"{name}_held_out": figure(out),
            f"{name}_trained": figure(within),
            f"{name}_gain": figure(out - within),
        }
    return found


def _foremost(rank: np.ndarray, wrong: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Tell what ranks among the first of the known rows, (n,) bool: as many as are wrong; of equal ones all or none."""
    known = wrong | right
    count = int(wrong.sum())
    if not count:
        return np.zeros(len(rank), bool)
    limit = np.sort(rank[known])[-count]
    above = known & (rank >= limit)
    return above if above.sum() == count else known & (rank > limit)


def _one_sided(draws: Draws, held: np.ndarray, trained: np.ndarray, of: np.ndarray) -> dict[str, Any]:
    """Count what is flagged by one side alone, among the rows ``of``."""
    return {
        "utterances": int(of.sum()),
        "flagged_held_out_only": int((held & ~trained & of).sum()),
        "flagged_trained_only": int((trained & ~held & of).sum()),
        "excess": figure(draws.share(held.astype(float) - trained, of)),
    }
