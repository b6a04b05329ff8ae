"""`avsieve compare A B`: show where two cleansed lists agree and where they differ."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    lists = (
        "six columns with a flag; clean utterances only (three columns, like train_clean.txt); or noisy ones only "
        "(Qin's lists; video ids may lack their first character)"
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
    ap.add_argument("--out", type=Path, help="folder for agreement.json, speakers.csv and agreement.png")


def run(args: argparse.Namespace) -> int:
    """Compare, print a table, and write it with its picture."""
    from dataclasses import asdict

    from avsieve.cleansing.agreement import compare, draw
    from avsieve.cleansing.published_lists import read_both
    from avsieve.lists.layouts import read_corpus_list
    from avsieve.storage.atomic import write_json, write_text

    every = read_corpus_list(args.train_list, args.strip_prefix)["utterance"].tolist() if args.train_list else None
    named = (args.first_lists, args.second_lists)
    flags = read_both(args.first, args.second, every, lists=named, strip_prefix=args.strip_prefix)
    agreement, table = compare(*flags)
    print(f"{agreement.utterances} utterances in both lists")
    print(f"{'':20s}{'second clean':>14s}{'second noisy':>14s}")
    print(f"{'first clean':20s}{agreement.both_clean:14d}{agreement.only_second:14d}")
    print(f"{'first noisy':20s}{agreement.only_first:14d}{agreement.both_noisy:14d}")
    print(f"agreement {agreement.agreement:.4f}, Cohen's kappa {agreement.kappa:.4f}")
    if agreement.kappa < 0:
        print(
            "WARNING: the lists agree less than by chance: does one of them have its flags turned round, or name the "
            "noisy in place of the clean? (--first-lists, --second-lists)"
        )
    worst = table[(table["only_first"] + table["only_second"]) > 0].head(10)
    if len(worst):
        print("most disagreement:")
        print(worst.to_string(index=False))
    if args.out:
        values = asdict(agreement) | {"agreement": agreement.agreement, "kappa": agreement.kappa}
        write_json(args.out / "agreement.json", values)
        write_text(args.out / "speakers.csv", table.to_csv(index=False, lineterminator="\n"))
        draw(args.out / "agreement.png", agreement, table, (args.first.stem, args.second.stem))
    return 0


VERB = Verb("agreement of two cleansed lists: Cohen's kappa, and disagreements by speaker", __doc__, add_arguments, run)
