"""`avsieve review`: judge utterances by eye and ear, and join what reviewers have decided."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb
from avsieve.errors import AvsieveError
from avsieve.review import plan_command

DESCRIPTION = """Judge utterances by eye and ear.

avsieve review RESULTS opens a page in the browser that shows a run's utterances with their faces and voices beside
trusted ones of the same label. Each decision is a line of REVIEWS/<reviewer>.jsonl, on the disk before the page goes
on. The server answers this machine alone, and needs the extra avsieve[review].

avsieve review RESULTS --plan N draws the clips that are worth a look, and a random sample: a queue of the page. With
--estimate the command tells what the judged part of it says of the list's precision and recall, and opens no page.

avsieve review fold FOLDER joins the logs of a folder, <reviewer>.jsonl, written by the page or your own tool: the
latest decision of each reviewer counts, the majority of those who decided wins, and a tie is unsure. The table is for
cleansing.review in the configuration, or for avsieve cleanse --review.
"""
EXAMPLES = """examples:
  avsieve review results
  avsieve review results --reviewer ann --port 8000 --no-browser
  avsieve review results --plan 200
  avsieve review results --estimate
  avsieve review fold reviews --out review.csv
"""
FOLD = "fold"


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument(
        "results", metavar="RESULTS",
        help="results of the workflow, or the folder of avsieve cleanse --out; or the word fold, to join logs",
    )  # fmt: skip
    ap.add_argument("folder", nargs="?", type=Path, metavar="FOLDER", help="with fold: folder with a log per reviewer")
    ap.add_argument("--out", type=Path, metavar="FILE", help="with fold: the table to write (CSV)")
    ap.add_argument("--reviewer", metavar="NAME", help="who decides (default: who is logged in)")
    ap.add_argument(
        "--reviews", type=Path, metavar="FOLDER",
        help="folder of the logs (default: reviews beside a folder results, else in RESULTS)",
    )  # fmt: skip
    ap.add_argument("--port", type=int, default=0, metavar="N", help="port of 127.0.0.1 (default: any that is free)")
    ap.add_argument("--no-browser", action="store_true", help="print the address only")
    ap.add_argument("--keys", type=Path, metavar="FILE", help="other keys, JSON; docs/formats.md describes it")
    ap.add_argument("--media-from", type=Path, metavar="DIR", help="results whose faces and voices are shown")
    ap.add_argument("--against", type=Path, metavar="DIR|LIST", help="another run or list, to see where both disagree")
    plan_command.add_arguments(ap)


def run(args: argparse.Namespace) -> int:
    """Fold, plan, estimate, or serve until interrupted; return the exit status."""
    if args.results == FOLD:
        return _fold(args)
    if args.folder is not None or args.out is not None:
        found = f"FOLDER {args.folder}" if args.folder is not None else f"--out {args.out}"
        raise AvsieveError(f"{found} without fold; expected avsieve review fold FOLDER --out FILE, or RESULTS alone")
    if args.json and not args.estimate:
        raise AvsieveError("--json without --estimate; expected both, or neither")
    if args.new_plan and args.plan is None:
        raise AvsieveError("--new-plan without --plan; expected both, or neither")
    if args.plan is not None or args.estimate:
        print("\n".join(plan_command.run(args)))
        return 0
    try:
        from avsieve.review.server.session import Settings
        from avsieve.review.server.start import serve, user_name
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("starlette", "uvicorn", "anyio", "h11"):
            raise
        raise AvsieveError(
            f"the package {package} is missing, with which the page is served: pip install avsieve[review]"
        ) from None
    reviewer = args.reviewer or user_name()
    settings = Settings(Path(args.results), reviewer, args.reviews, args.media_from, args.against)
    serve(settings, port=args.port, browser=not args.no_browser, keys=args.keys, tell=_tell)
    return 0


def _tell(line: str) -> None:
    print(line, flush=True)


def _fold(args: argparse.Namespace) -> int:
    """Fold, and print how much there is."""
    from collections import Counter

    from avsieve.review.fold import fold_into

    if args.folder is None or args.out is None:
        missing = "FOLDER" if args.folder is None else "--out"
        raise AvsieveError(f"fold without {missing}; expected avsieve review fold FOLDER --out FILE")
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


VERB = Verb("judge utterances in a browser, and join the decisions of reviewers", DESCRIPTION, add_arguments, run)
