"""`avsieve cleanse`: find the wrong labels of a list from embeddings made by anybody."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from avsieve.embedding_files.arguments import FORMATS_HELP, add_table_options, table_options


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line."""
    ap = subparsers.add_parser(
        "cleanse", help="find the wrong labels of a training list", description=f"{__doc__} {FORMATS_HELP}",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )  # fmt: skip
    ap.add_argument("--train-list", type=Path, required=True, help="lines of `speaker wav seconds`")
    ap.add_argument("--audio", nargs="+", metavar="FILE", help="voice embeddings; formats above")
    ap.add_argument("--visual", nargs="+", metavar="FILE", help="face embeddings; formats above")
    add_table_options(ap)
    ap.add_argument(
        "--out", type=Path, required=True, help="folder for the lists, decisions, summary and scores.parquet"
    )
    ap.add_argument("--method", default="posterior", help="posterior, fixed_threshold, two_step, mixture or confident")
    ap.add_argument("--policy", default="either", help="what must be wrong: either, audio, visual or both")
    ap.add_argument("--threshold", type=float, default=0.5, help="probability above which an utterance is noisy")
    ap.add_argument("--options", default="{}", help="options of the method as JSON")


def main(args: argparse.Namespace) -> int:
    """Cleanse and print what was found."""
    import json

    from avsieve.cleansing.outcome import cleanse
    from avsieve.cleansing.scores import write_scores
    from avsieve.cleansing.table import score_table
    from avsieve.embedding_files.reading import check_places, read_tables
    from avsieve.embedding_files.table import coverage, coverage_lines, reasons_of
    from avsieve.errors import ConfigError
    from avsieve.lists import read_train_list, write_train_list

    try:
        options = json.loads(args.options)
    except json.JSONDecodeError as error:
        raise ConfigError(f"--options {args.options!r}: {error}; expected a JSON object") from error
    frame = read_train_list(args.train_list)
    given = {"audio": args.audio, "visual": args.visual}
    for paths in given.values():  # a wrong path is told before the first table is read
        check_places(paths or [])
    listed = frame["utterance"].tolist()
    tables = {m: read_tables(p, table_options(args), wanted=listed) if p else None for m, p in given.items()}
    for modality, table in tables.items():
        # With none at all the error that follows says so.
        if table is not None and coverage(listed, table).n_with:
            print("\n".join(coverage_lines(modality, listed, table)))
    scores = score_table(frame, tables)
    write_scores(args.out / "scores.parquet", scores)
    write_train_list(args.out / "train_all.txt", frame["utterance"].tolist(), frame["seconds"].tolist())
    summary = cleanse(
        scores, frame["seconds"].tolist(), args.out,
        method=args.method, policy=args.policy, threshold=args.threshold, options=options,
        embeddings=reasons_of(listed, tables),
    )  # fmt: skip
    print(f"{summary['utterances']} utterances of {summary['speakers']} speakers: {summary['noisy']} noisy")
    for kind, count in summary["noisy_by_kind"].items():
        print(f"  {kind:8s}{count}")
    if estimated := summary["estimated"]:
        shown = ", ".join(f"{k} {estimated[k]:.3f}" for k in ("precision", "recall") if estimated[k] is not None)
        print(f"expected: {shown or 'nothing to find'}")
    warnings = summary["warnings"]
    if warnings["emptied_speakers"]["count"]:
        emptied = warnings["emptied_speakers"]
        print(f"WARNING: {emptied['count']} speakers would be emptied: {' '.join(emptied['speakers'][:5])} …")
    if warnings["merge_count"]:
        pairs = ", ".join(f"{a} = {b}" for a, b, _ in warnings["merge"][:5])
        print(f"labels that look like one person: {warnings['merge_count']} ({pairs})")
    print(f"lists in {args.out}")
    return 0
