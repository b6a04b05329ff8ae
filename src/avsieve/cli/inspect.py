"""`avsieve inspect`: what a run found, at a glance: counts, worst speakers and videos, warnings, what to do next."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb

DESCRIPTION = """Show what a run found: counts, failures, precision and recall, worst speakers and videos, warnings.

RESULTS is the results folder of the workflow, or the folder of avsieve cleanse --out. A training list (train_all.txt,
train_all_clean.txt, ...) has counts only.
"""
EXAMPLES = """examples:
  avsieve inspect results
  avsieve inspect results --speaker id00012          one speaker: videos, flagged clips, who they may be
  avsieve inspect results --video id00012/21Uxsk56VDQ
  avsieve inspect results --worst 20 --by utterance | cut -d' ' -f1
  avsieve inspect results --worst 20 --by video --sheet worst.jpg
  avsieve inspect results --json | jq .kinds
  avsieve inspect results --reviews reviews          with what the reviewed plan tells of the list
  avsieve inspect cleansed/train_all_clean.txt
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    ap.add_argument("path", type=Path, metavar="RESULTS|LIST", help="folder of a run, or a training list")
    ap.add_argument("--top", type=_count, default=10, metavar="N", help="length of the tables of the overview")
    ap.add_argument("--least-left", type=_count, default=5, metavar="N", help="warn of speakers left with fewer")
    which = ap.add_mutually_exclusive_group()
    which.add_argument("--speaker", metavar="ID", help="show one speaker")
    which.add_argument("--video", metavar="ID", help="show one video, speaker/video")
    which.add_argument("--worst", type=_count, metavar="N", help="show only the N worst of --by")
    ap.add_argument("--by", choices=["speaker", "video", "utterance"], help="what --worst ranks (default: speaker)")
    ap.add_argument(
        "--sheet", type=Path, metavar="FILE", help="write faces of the worst (--worst, --by) as .png or .jpg"
    )
    ap.add_argument("--strip-prefix", metavar="TEXT", help="leading folder in the names of a list")
    ap.add_argument(
        "--reviews", type=Path, metavar="FOLDER", help="tell what its reviewed plan says (avsieve review --plan)"
    )
    ap.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> int:
    """Show; return the exit status."""
    import json

    from avsieve.errors import AvsieveError
    from avsieve.inspection.list_facts import list_facts
    from avsieve.inspection.overview_text import list_lines

    if args.by and args.worst is None and args.sheet is None:
        raise AvsieveError(f"--by {args.by} says what --worst ranks; give --worst N too")
    if args.reviews and (args.speaker or args.video or args.worst is not None or args.sheet):
        raise AvsieveError("--reviews goes with the overview; leave --speaker, --video, --worst and --sheet out")
    if args.sheet and (args.speaker or args.video):
        raise AvsieveError("--sheet shows the worst of --by, not one --speaker or --video; leave one of them out")
    if args.path.is_file():
        if asked := [
            f"--{o}" for o in ("speaker", "video", "worst", "sheet", "reviews") if getattr(args, o) is not None
        ]:
            raise AvsieveError(f"{asked[0]} needs the decisions of a run, and {args.path} is a list; name a folder")
        facts = list_facts(args.path, args.strip_prefix, top=args.top)
        print(json.dumps(facts.as_json(), indent=2) if args.json else "\n".join(list_lines(facts)))
        return 0
    value, lines = _of_run(args)
    print(json.dumps(value, indent=2) if args.json else "\n".join(lines))
    return 0


def _of_run(args: argparse.Namespace) -> tuple[dict, list[str]]:
    """Return what is asked of a run, for JSON and in words."""
    from avsieve.inspection import overview_text as words
    from avsieve.inspection.decided import read_decided
    from avsieve.inspection.details import speaker_facts, video_facts
    from avsieve.inspection.overview import overview
    from avsieve.inspection.run_files import find_run
    from avsieve.inspection.worst import worst_of

    run = find_run(args.path)
    decided = read_decided(run.decisions)
    if args.speaker:
        speaker = speaker_facts(decided, args.speaker, top=args.top)
        return speaker.as_json(), words.speaker_lines(speaker)
    if args.video:
        video = video_facts(decided, args.video)
        return video.as_json(), words.video_lines(video)
    if args.worst is not None or args.sheet:
        worst = worst_of(decided, args.by or "speaker", 20 if args.worst is None else args.worst)
        lines = words.clip_lines(worst.clips) or words.group_lines(worst.groups) or ["nothing is flagged"]
        if args.sheet:
            from avsieve.inspection.sheet import write_sheet

            shown = write_sheet(args.sheet, run, decided, worst)
            lines += ["", f"{shown.faces:,} faces of {shown.items} in {args.sheet}", *shown.notes]
        return worst.as_json(), lines
    found = overview(run, top=args.top, least_left=args.least_left, decided=decided)
    value, lines = found.as_json(), words.overview_lines(found)
    if args.reviews:
        from avsieve.inspection.text import section
        from avsieve.review.estimate import estimate_run

        told = estimate_run(run, args.reviews)
        value["reviewed"] = told.as_json()
        lines += section("what the reviewed plan tells", told.lines())
    return value, lines


def _count(text: str) -> int:
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a whole number from 1")
    return value


VERB = Verb("show what a run found: counts, worst speakers and videos, warnings", DESCRIPTION, add_arguments, run)
