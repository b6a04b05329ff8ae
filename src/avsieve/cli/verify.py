"""`avsieve verify`: whether the files of a run are whole, and current."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb

DESCRIPTION = """Check the files of a run: what is damaged or missing, and what is stale.

Every file is compared with the checksum that was recorded when it was written. A job is stale if what it was made from
has changed since: a file of the results, a list, a model or a clip of yours, the code, or the models of the package.
The command that makes it anew is shown; what follows from it, Snakemake makes anew by itself.
"""
EXAMPLES = """exit status: 0 all is whole and current, 3 something is stale, 4 something is damaged or missing

examples:
  avsieve verify results
  avsieve verify results --quick
  snakemake --cores all --forcerun $(avsieve verify results --remake)
  avsieve verify results --json | jq '.findings[] | select(.kind == "damaged")'
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), metavar="RESULTS",
        help="results of the workflow, or the folder that Snakemake runs in",
    )  # fmt: skip
    ap.add_argument("--cores", type=int, metavar="N", help="files read at a time (default: the cores there are)")
    ap.add_argument("--quick", action="store_true", help="compare sizes instead of checksums, and read no content")
    how = ap.add_mutually_exclusive_group()
    how.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")
    how.add_argument("--remake", action="store_true", help="print only the files to make anew, as snakemake takes them")


def run(args: argparse.Namespace) -> int:
    """Check; return the exit status."""
    import json

    from avsieve.errors import AvsieveError
    from avsieve.inspection.verified import verify
    from avsieve.inspection.verified_text import remade, verified_lines
    from avsieve.runtime.cores import granted_cores

    if args.cores is not None and args.cores < 1:
        raise AvsieveError(f"--cores {args.cores}; expected 1 or more")
    found = verify(args.results, cores=args.cores or granted_cores(), quick=args.quick)
    if args.json:
        print(json.dumps(found.as_json(), indent=2))
    else:
        print("\n".join(remade(found) if args.remake else verified_lines(found, quick=args.quick)))
    return found.status


VERB = Verb("check the files of a run: damaged, missing or stale", DESCRIPTION, add_arguments, run)
