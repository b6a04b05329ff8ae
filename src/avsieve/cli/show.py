"""`avsieve show UTTERANCE`: why an utterance was flagged or kept, beside what is usual."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb

DESCRIPTION = """Show why an utterance was flagged or kept: its numbers beside what is usual in the corpus and for its
speaker, the other clips of its video, the evidence for the suggested speaker, and where its files are.
"""
EXAMPLES = """examples:
  avsieve show id00012/21Uxsk56VDQ/00001
  avsieve show id00012/21Uxsk56VDQ/00001.wav --results cleansed
  avsieve show id00012/21Uxsk56VDQ/00001 --json | jq .places
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument("utterance", metavar="UTTERANCE", help="speaker/video/utterance")
    ap.add_argument(
        "--results", type=Path, default=Path("results"), metavar="DIR",
        help="results of the workflow, or the folder of avsieve cleanse --out",
    )  # fmt: skip
    ap.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> int:
    """Show; return the exit status."""
    import json

    from avsieve.inspection.run_files import find_run
    from avsieve.inspection.utterance import utterance_facts
    from avsieve.inspection.utterance_text import utterance_lines

    facts = utterance_facts(find_run(args.results), args.utterance)
    print(json.dumps(facts.as_json(), indent=2) if args.json else "\n".join(utterance_lines(facts)))
    return 0


VERB = Verb("show why an utterance was flagged or kept", DESCRIPTION, add_arguments, run)
