"""`avsieve status`: how far a run is, from its files alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb

DESCRIPTION = """Show how far a run is: shards per stage, rate, time left, jobs, failures by reason.

It reads the files of the results and nothing else, so it works under any executor, while a run goes on and after it was
killed. A stage counts as done where its files are; snakemake -n tells whether they are up to date.
"""
EXAMPLES = """examples:
  avsieve status results
  watch -n 60 avsieve status results
  avsieve status results --json | jq '.stages[] | select(.done < .of)'
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), metavar="RESULTS",
        help="results of the workflow, or the folder that Snakemake runs in",
    )  # fmt: skip
    ap.add_argument(
        "--quiet-min", type=float, default=15.0, metavar="MINUTES",
        help="without a changed file for so long, an unfinished run counts as stopped",
    )  # fmt: skip
    ap.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> int:
    """Show; return the exit status."""
    import json

    from avsieve.errors import AvsieveError
    from avsieve.inspection.progress import progress_of
    from avsieve.inspection.progress_text import progress_lines

    if not args.quiet_min > 0:
        raise AvsieveError(f"--quiet-min {args.quiet_min:g}; expected minutes, more than 0")
    facts = progress_of(args.results, quiet_s=60 * args.quiet_min)
    print(json.dumps(facts.as_json(), indent=2) if args.json else "\n".join(progress_lines(facts)))
    return 0


VERB = Verb("show how far a run is", DESCRIPTION, add_arguments, run)
