"""`avsieve overlap A B`: which people of one corpus are in another."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path

from avsieve.cli.verb import Verb
from avsieve.embedding_files.arguments import FORMATS_HELP, add_table_options, table_options

DESCRIPTION = f"""Tell which people of corpus A are in corpus B: those of a training set who are in the test set.

A and B are results folders of the workflow, whatever their source, or lists whose embeddings are given (--audio-a,
--visual-b, ...); a folder of avsieve cleanse --out is its list. Both must be embedded with the same models. The
probability that two labels are one person is learned from the corpora: it is no threshold on a cosine.

{textwrap.fill(FORMATS_HELP, 110)}
"""
EXAMPLES = """examples:
  avsieve overlap train/results test/results --out overlap
  avsieve overlap train/results test/results --by visual --sheet pairs.jpg
  avsieve overlap glint.txt vox1.txt --visual-a glint.npz --visual-b vox1.npz --at 0.1
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.epilog = EXAMPLES
    for which, words in (("a", "people who may be left out"), ("b", "people to look for")):
        ap.add_argument(which, type=Path, metavar=which.upper(), help=f"{words}: folder of a run, or a list")
    for which in "ab":
        for m, words in (("audio", "voice"), ("visual", "face")):
            ap.add_argument(
                f"--{m}-{which}", nargs="+", metavar="FILE", help=f"{words} embeddings of {which.upper()}, if a list"
            )
    add_table_options(ap)
    ap.add_argument("--by", choices=["audio", "visual", "both"], default="both", help="what to compare people by")
    ap.add_argument(
        "--at", type=_share, default=0.5, metavar="P", help="probability from which a speaker of A is left out"
    )
    ap.add_argument("--least", type=_share, default=0.01, metavar="P", help="probability from which a pair is listed")
    ap.add_argument("--out", type=Path, metavar="FOLDER", help="folder for overlap.csv and exclude.txt")
    ap.add_argument("--sheet", type=Path, metavar="FILE", help="write faces of the likeliest pairs as .png or .jpg")
    ap.add_argument("--json", action="store_true", help="print JSON; docs/formats.md describes it")


def run(args: argparse.Namespace) -> int:
    """Compare, print and write; return the exit status."""
    from avsieve.runtime.cores import one_core_for_blas

    with one_core_for_blas(with_scipy=True):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    import json

    from avsieve.overlap.corpora import corpus_of, refuse_other_models
    from avsieve.overlap.encoders import refuse_other_encoders
    from avsieve.overlap.facts import overlap_facts, write_overlap
    from avsieve.overlap.search import overlap
    from avsieve.overlap.text import overlap_lines
    from avsieve.runtime.scripting import make_folder

    modalities = ["audio", "visual"] if args.by == "both" else [args.by]
    if args.sheet:
        from avsieve.inspection.sheet import check_ending

        check_ending(args.sheet)
    if args.out:
        make_folder(args.out, "--out")
    options = table_options(args)
    a = corpus_of(args.a, {"audio": args.audio_a, "visual": args.visual_a}, options, "a", modalities)
    b = corpus_of(args.b, {"audio": args.audio_b, "visual": args.visual_b}, options, "b", modalities)
    refuse_other_models(a, b, modalities)
    people = a.people(), b.people()
    for m in modalities:
        if all(side.has(m).any() for side in people):
            refuse_other_encoders(*people, m)
    facts = overlap_facts((a.name, b.name), *people, overlap(*people, modalities), at=args.at, least=args.least)
    lines = overlap_lines(facts)
    if args.out:
        write_overlap(args.out, facts)
        lines += ["", f"overlap.csv and exclude.txt in {args.out}"]
    if args.sheet:
        from avsieve.overlap.sheet import write_pairs

        shown = write_pairs(args.sheet, (a.results, b.results), facts)
        lines += ["", f"{shown.faces:,} faces of {shown.items} in {args.sheet}", *shown.notes]
    print(json.dumps(facts.as_json(), indent=2) if args.json else "\n".join(lines))
    return 0


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a probability above 0, up to 1")
    return value


VERB = Verb("tell which people of one corpus are in another", DESCRIPTION, add_arguments, run)
