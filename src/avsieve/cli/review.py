"""`avsieve review`: what to review, what it tells, and the decisions of reviewers in one table for the cleansing."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb
from avsieve.review import plan_command

DESCRIPTION = """What people have decided about utterances.

FOLDER has a log per reviewer, <reviewer>.jsonl, to which a review page or your own tool appends a line per decision.
fold joins them: the latest decision of each reviewer counts, the majority of those who decided wins, and a tie is
unsure. The table is for cleansing.review in the configuration, or for avsieve cleanse --review.

With --plan or --estimate the folder is that of a run's results: --plan draws the clips that are worth a look, and a
random sample; --estimate tells the precision and recall of the list from what was judged of it.
"""
EXAMPLES = """examples:
  avsieve review results --plan 200
  avsieve review results --estimate
  avsieve review fold reviews --out review.csv
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument("action", metavar="fold|RESULTS", help="fold: join all logs of FOLDER; else the results of a run")
    ap.add_argument("folder", type=Path, nargs="?", metavar="FOLDER", help="of fold: a log per reviewer in each file")
    ap.add_argument("--out", type=Path, metavar="FILE", help="of fold: the table to write (CSV)")
    ap.add_argument("--json", action="store_true", help="of --estimate: print JSON; docs/formats.md describes it")
    plan_command.add_arguments(ap)


def run(args: argparse.Namespace) -> int:
    """Plan, estimate or fold."""
    import json

    from avsieve.errors import AvsieveError

    if args.plan is not None:
        told = plan_command.run_plan(
            args.action, args.plan, seed=args.seed, new_plan=args.new_plan, reviews=args.reviews
        )  # fmt: skip
        print("\n".join(told))
        return 0
    if args.estimate:
        found = plan_command.run_estimate(args.action, reviews=args.reviews)
        print(json.dumps(found.as_json(), indent=2) if args.json else "\n".join(found.lines()))
        return 0
    if args.action != "fold":
        raise AvsieveError(f"avsieve review {args.action}: nothing to do; give --plan N or --estimate")
    if args.folder is None or args.out is None:
        raise AvsieveError("avsieve review fold: give a folder of logs, and --out FILE for the table")
    return _fold(args)


def _fold(args: argparse.Namespace) -> int:
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


VERB = Verb(
    "draw what is worth a review, tell what it says of the list, join the reviewers' decisions",
    DESCRIPTION,
    add_arguments,
    run,
)
