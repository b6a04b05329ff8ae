"""`avsieve review fold`: join what the reviewers of a folder have decided into one table for the cleansing."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb

DESCRIPTION = """What people have decided about utterances.

FOLDER has a log per reviewer, <reviewer>.jsonl, to which a review page or your own tool appends a line per decision.
fold joins them: the latest decision of each reviewer counts, the majority of those who decided wins, and a tie is
unsure. The table is for cleansing.review in the configuration, or for avsieve cleanse --review.
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = "examples:\n  avsieve review fold reviews --out review.csv"
    ap.add_argument("action", choices=["fold"], help="fold: join all logs of FOLDER into one table")
    ap.add_argument("folder", type=Path, metavar="FOLDER", help="folder with a log per reviewer, <reviewer>.jsonl")
    ap.add_argument("--out", type=Path, required=True, metavar="FILE", help="the table to write (CSV)")


def run(args: argparse.Namespace) -> int:
    """Fold, and print how much there is."""
    from collections import Counter

    from avsieve.review.fold import fold_into

    folded = fold_into(args.folder, args.out)
    decided = Counter(row.decision for row in folded.rows)
    counts = ", ".join(f"{count:,} {name}" for name, count in sorted(decided.items()))
    apart = [row for row in folded.rows if row.disagreement]
    n, m = len(folded.rows), len(folded.reviewers)
    lines = [f"{n:,} utterance{'s' if n != 1 else ''} by {m:,} reviewer{'s' if m != 1 else ''}: {counts or 'none'}"]
    if apart:
        ties = sum(row.resolved == "tie" for row in apart)
        names = ", ".join(row.utterance for row in apart[:3])
        lines.append(f"reviewers disagree on {len(apart):,}, {ties:,} of them a tie, hence unsure: {names}")
    lines += [f"WARNING: {line}" for line in folded.told]
    print("\n".join([*lines, f"table in {args.out}"]))
    return 0


VERB = Verb("join the decisions of reviewers into a table", DESCRIPTION, add_arguments, run)
