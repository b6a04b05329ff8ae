"""`avsieve compare A B`: show where two runs or cleansed lists agree, and what changed from the first to the second."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.cli.verb import Verb

if TYPE_CHECKING:
    import pandas as pd

    from avsieve.cleansing.agreement import Agreement

DESCRIPTION = """Show where two runs or cleansed lists agree, and what changed from the first to the second.

Each is the results folder of the workflow, the folder of avsieve cleanse --out, or a list. Lists tell only what is kept
and what is left out; two runs also which kinds and suggestions changed, and which settings.
"""
EXAMPLES = """examples:
  avsieve compare results other/results --out difference
  avsieve compare results theirs.txt
  avsieve compare cleansed/train_all_clean.txt vox2dev_noisy.txt --second-lists noisy
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    lists = (
        "folder of a run; or a list: six columns with a flag; clean utterances only (three columns, like "
        "train_clean.txt); or noisy ones only (Qin's lists; video ids may lack their first character)"
    )
    ap.add_argument("first", type=Path, help=lists)
    ap.add_argument("second", type=Path, help="the same")
    ap.add_argument("--train-list", type=Path, help="list of all utterances; needed if neither list has all of them")
    for which in ("first", "second"):
        ap.add_argument(
            f"--{which}-lists", choices=["clean", "noisy"],
            help=f"which utterances the {which} list contains, if it has no flags; by default recognised from its "
            "columns",
        )  # fmt: skip
    ap.add_argument("--strip-prefix", metavar="PREFIX", help="prefix to remove from the names")
    ap.add_argument(
        "--out", type=Path, help="folder for changed.csv, changes.json, agreement.json, speakers.csv and agreement.png"
    )
    ap.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> int:
    """Compare, print a table, and write it with its picture."""
    import json
    from dataclasses import asdict

    from avsieve.cleansing.agreement import compare
    from avsieve.cleansing.agreement_figure import draw
    from avsieve.inspection.changes import compare_sides, write_changed
    from avsieve.inspection.changes_text import change_lines
    from avsieve.inspection.sides import flags_of, read_sides
    from avsieve.lists.layouts import read_corpus_list
    from avsieve.storage.atomic import write_json, write_text

    every = read_corpus_list(args.train_list, args.strip_prefix)["utterance"].tolist() if args.train_list else None
    named = (args.first_lists, args.second_lists)
    sides = read_sides(args.first, args.second, every, lists=named, strip_prefix=args.strip_prefix)
    changes, changed = compare_sides(*sides)
    agreement, table = compare(*map(flags_of, sides))
    print(
        json.dumps(changes.as_json(), indent=2)
        if args.json
        else "\n".join([*_agreement_lines(agreement, table), *change_lines(changes)])
    )
    if args.out:
        values = asdict(agreement) | {"agreement": agreement.agreement, "kappa": agreement.kappa}
        write_json(args.out / "agreement.json", values)
        write_json(args.out / "changes.json", changes.as_json())
        write_changed(args.out / "changed.csv", changed)
        write_text(args.out / "speakers.csv", table.to_csv(index=False, lineterminator="\n"))
        draw(args.out / "agreement.png", agreement, table, (args.first.stem, args.second.stem))
    return 0


def _agreement_lines(agreement: Agreement, table: pd.DataFrame) -> list[str]:
    """Return how far both agree beyond chance, and the speakers on whom they agree least."""
    lines = [
        f"{agreement.utterances} utterances in both lists",
        f"{'':20s}{'second clean':>14s}{'second noisy':>14s}",
        f"{'first clean':20s}{agreement.both_clean:14d}{agreement.only_second:14d}",
        f"{'first noisy':20s}{agreement.only_first:14d}{agreement.both_noisy:14d}",
        f"agreement {agreement.agreement:.4f}, Cohen's kappa {agreement.kappa:.4f}",
    ]
    if agreement.kappa < 0:
        lines.append(
            "WARNING: the lists agree less than by chance: does one of them have its flags turned round, or name the "
            "noisy in place of the clean? (--first-lists, --second-lists)"
        )
    worst = table[(table["only_first"] + table["only_second"]) > 0].head(10)
    if len(worst):
        lines += ["most disagreement:", *worst.to_string(index=False).splitlines()]
    return lines


VERB = Verb("agreement of two runs or cleansed lists, and what changed between them", DESCRIPTION, add_arguments, run)
