"""`avsieve anchors`: utterances that the maintainers of a trial list removed by hand, and what a run says of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb

DESCRIPTION = """List the utterances that the maintainers of a trial list removed by hand, since their labels are wrong.

Give the list before and after they corrected it, such as VoxCeleb1's veri_test.txt and veri_test2.txt. With --results
the command tells where a run ranks these utterances and how many of them it flags. The run must have cleansed the
corpus that the trials are of.
"""
EXAMPLES = """examples:
  avsieve anchors --original veri_test.txt --cleaned veri_test2.txt --out anchors.csv
  avsieve anchors --original list_test_all.txt --cleaned list_test_all2.txt --results results
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument("--original", type=Path, required=True, metavar="LIST", help="trial list as it was first")
    ap.add_argument("--cleaned", type=Path, required=True, metavar="LIST", help="the same after its correction")
    ap.add_argument("--results", type=Path, metavar="DIR", help="folder of a run, to tell where it ranks them")
    ap.add_argument("--strip-prefix", metavar="TEXT", help="beginning of the names that is no part of an id")
    ap.add_argument("--out", type=Path, metavar="FILE", help="CSV file for the utterances")
    ap.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> int:
    """Compare, print and write; return the exit status."""
    import json
    from dataclasses import asdict

    from avsieve.inspection.anchor_ranks import rank_anchors
    from avsieve.inspection.anchors import find_anchors, write_anchors
    from avsieve.inspection.anchors_text import anchor_lines
    from avsieve.inspection.decided import read_decided
    from avsieve.inspection.run_files import find_run

    files = find_run(args.results) if args.results else None
    anchors = find_anchors(args.original, args.cleaned, args.strip_prefix)
    found = rank_anchors(anchors.utterances, read_decided(files.decisions), str(files.folder)) if files else None
    lines = anchor_lines(anchors, found)
    if args.out:
        ranks = {r.utterance: asdict(r) for r in found.ranked} if found else None
        write_anchors(args.out, anchors.utterances, ranks)
        lines += ["", f"{len(anchors.utterances):,} utterances in {args.out}"]
    value = {"format": "avsieve.anchors/1", **anchors.as_json(), "run": found.as_json() if found else None}
    print(json.dumps(value, indent=2) if args.json else "\n".join(lines))
    return 0


VERB = Verb("list utterances that a trial list's maintainers removed by hand", DESCRIPTION, add_arguments, run)
