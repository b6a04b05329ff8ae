"""The rounds in words: what the page and the terminal say of them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 100
FEW = 10  # wrong labels, below which their shares and intervals tell nothing
NO_PROOF = (
    "The audit breaks labels after the training, so it cannot see wrong labels that an encoder has learnt: it favours "
    "later rounds."
)


def number(value: float | None, digits: int = 3) -> str:
    """Format a figure, or a dash where there is none."""
    return "-" if value is None else f"{value:.{digits}f}"


def with_interval(found: Mapping[str, Any] | None, digits: int = 3, *, sign: bool = False) -> str:
    """Format a figure with its interval."""
    if not found or found["value"] is None:
        return "-"
    value = f"{found['value']:+.{digits}f}" if sign else number(found["value"], digits)
    if found["low"] is None:
        return value
    return f"{value} ({number(found['low'], digits)} to {number(found['high'], digits)})"


def encoders_in_words(facts: Mapping[str, Any]) -> str:
    """Tell whose encoders were trained anew."""
    names = {"audio": "voices", "visual": "faces"}
    trained = " and ".join(names[m] for m in facts["trained"])
    kept = "".join(f"; the encoder of {names[m]} is kept" for m in facts["kept"])
    return f"Encoders of {trained} were trained on what the round before left of the list{kept}."


def changes_in_words(own: Mapping[str, Any]) -> str:
    """Tell what a round changed."""
    changed = own["changes"]
    words = (
        f"Round {own['round']} flags {changed['flagged']:,} of {changed['utterances']:,}: {changed['newly_flagged']:,} "
        f"new, {changed['acquitted']:,} acquitted (kappa {number(changed['kappa'])}, Jaccard "
        f"{number(changed['jaccard'])})."
    )
    if "newly_flagged_by_truth" in changed:
        new, gone = changed["newly_flagged_by_truth"], changed["acquitted_by_truth"]
        right, known = new.get("clean", 0), sum(new.values())
        words += f" By the truth {known - right:,} of the new flags and {sum(gone.values()) - gone.get('clean', 0):,} "
        words += "of the acquitted are wrong labels."
    return words


def gain_in_words(own: Mapping[str, Any]) -> str:
    """Tell whether a round is better than the first, where the truth is known; nothing elsewhere."""
    found = own.get("truth")
    if not found or found.get("f1_gain", {}).get("value") is None:
        return ""
    gain = found["f1_gain"]
    verdict = _side(gain, "it is better", "it is worse", "which is open")
    return f"F1 against the first round, by the truth: {with_interval(gain, sign=True)}: {verdict}."


def confirmation_in_words(own: Mapping[str, Any]) -> list[str]:
    """Tell what speaks for a round that confirms itself, a paragraph each."""
    found, lines = own["confirmation"], []
    if known := found.get("by_truth"):
        labels = f"{known['wrong']:,} wrong label{'s' * (known['wrong'] != 1)}"
        words = (
            f"The encoders of round {own['round']} were trained with {labels} that the round before had left in; this "
            f"round finds {known['found_late']:,} of them, and flags {known['newly_flagged_right']:,} right ones that "
            "it was trained with. "
        )
        if known["wrong"] < FEW:
            words += "That is too few to tell whether it confirms itself."
        else:
            words += (
                "Area under the ROC, wrong against right, of what was left in: "
                f"{with_interval(known['area_before'])} before, {with_interval(known['area_after'])} now."
            )
        lines.append(words)
    if folds := found.get("by_folds"):
        lines.append(
            f"Of {folds['utterances']:,} utterances that were trained with, {folds['flagged_held_out_only']:,} are "
            f"flagged only when they are held out, {folds['flagged_trained_only']:,} only when they are trained with "
            f"(excess {with_interval(folds['excess'], sign=True)})."
        )
        if "hidden" in folds and folds["wrong"]["utterances"] >= FEW:
            lines.append(_hidden_in_words(folds))
    return lines


def _hidden_in_words(folds: Mapping[str, Any]) -> str:
    wrong, hidden, ranks = folds["wrong"], folds["hidden"], folds["found_gain"]
    among = _side(
        ranks, "its ranks do so too", "its ranks do not", "whether its ranks do, beyond a shift of all, is open"
    )
    verdict = _side(
        hidden, f"it confirms itself; {among}", "it does not confirm itself", "whether it confirms itself is open"
    )
    return (
        f"Of the {wrong['utterances']:,} wrong ones among them, {wrong['flagged_held_out_only']:,} are flagged only "
        f"when they are held out, {wrong['flagged_trained_only']:,} only when they are trained with; beyond what "
        f"happens to right ones, training with wrong labels hides {with_interval(hidden, sign=True)} of them. "
        f"As many flags as there are wrong ones find {with_interval(folds['found_held_out'])} of them held out, "
        f"{with_interval(folds['found_trained'])} trained with (difference "
        f"{with_interval(ranks, sign=True)}): {verdict}."
    )


def _side(found: Mapping[str, Any], above: str, below: str, between: str) -> str:
    if found["low"] is None:
        return between
    return above if found["low"] > 0 else below if found["high"] < 0 else between


def rounds_text(facts: Mapping[str, Any]) -> str:
    """Tell in plain text, at most 100 columns wide, what further rounds are worth.

    Parameters
    ----------
    facts
        ``rounds.json``.
    """
    rounds = facts["rounds"]
    lines = textwrap.wrap(encoders_in_words(facts), WIDTH)
    lines += ["", f"{'round':10}{'flagged':>9}{'precision':>27}{'recall':>27}{'F1':>27}"]
    for own in rounds:
        for what, found in measured(own):
            figures = "".join(f"{with_interval(found.get(name)):>27}" for name in ("precision", "recall", "f1"))
            lines.append(f"{own['round'] + ' ' + what:10}{own['flagged']:>9,}{figures}"[: WIDTH + 1].rstrip())
    lines += ["", *_error_rates(rounds)]
    for own in rounds[1:]:
        told = [changes_in_words(own), gain_in_words(own), *confirmation_in_words(own)]
        lines += [line for words in told if words for line in textwrap.wrap(words, WIDTH)]
    lines.append("")
    if facts["audit_left_out"]:
        lines += textwrap.wrap(f"No audit: {facts['audit_left_out']}.", WIDTH)
    else:
        lines += textwrap.wrap(NO_PROOF, WIDTH)
    if facts["speakers"] < 20:
        lines.append("Intervals: 95 %, speakers drawn anew; with fewer than 20 speakers they are too narrow.")
    return "\n".join(lines) + "\n"


def measured(own: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Return what was measured of a round: by the truth, by the audit."""
    found = [("truth", own["truth"] or {}), ("audit", (own["audit"] or {}).get("measured", {}))]
    return [(what, figures) for what, figures in found if figures]


def _error_rates(rounds: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [row for own in rounds for row in own["error_rates"]]
    lines = []
    for name in dict.fromkeys(row["list"] for row in rows):
        lines.append(f"EER % of the encoders, trials `{name}`:")
        for system in dict.fromkeys(row["system"] for row in rows):
            own = [row for row in rows if row["list"] == name and row["system"] == system]
            figures = ", ".join(f"round {row['round']} {100 * row['eer']:.2f}" for row in own)
            lines.append(f"  {system}: {figures}")
    return [*lines, ""] if lines else []
