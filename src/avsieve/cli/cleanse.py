"""`avsieve cleanse`: find the wrong labels of a list from any embeddings."""

from __future__ import annotations

import argparse
import textwrap
from pathlib import Path
from typing import Any

from avsieve.cleansing.policy import check_policy
from avsieve.cleansing.settings import Cleansing
from avsieve.cli.verb import Verb
from avsieve.embedding_files.arguments import FORMATS_HELP, add_table_options, table_options
from avsieve.runtime.options import add_settings, settings_of

DESCRIPTION = f"""{__doc__}

{textwrap.fill(FORMATS_HELP, 110)}
"""


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.add_argument(
        "--train-list",
        type=Path,
        required=True,
        help="`speaker wav seconds`, a cleansed list, `speaker wav`, `utterance speaker` (utt2spk), or wavs alone",
    )
    ap.add_argument("--audio", nargs="+", metavar="FILE", help="voice embeddings; formats above")
    ap.add_argument("--visual", nargs="+", metavar="FILE", help="face embeddings; formats above")
    add_table_options(ap)
    ap.add_argument(
        "--out", type=Path, required=True, help="folder for the lists, decisions, summary and scores.parquet"
    )
    add_settings(ap, Cleansing)


def run(args: argparse.Namespace) -> int:
    """Cleanse and print what was found."""
    from avsieve.runtime.cores import one_core_for_blas

    with one_core_for_blas(with_scipy=True):
        return _run(args)


def _run(args: argparse.Namespace) -> int:
    from avsieve.cleansing.anchor_ranks import read_anchor_table
    from avsieve.cleansing.scores import write_scores
    from avsieve.cleansing.table import score_table
    from avsieve.cleansing.write import cleanse
    from avsieve.embedding_files.reading import check_places, read_tables
    from avsieve.embedding_files.table import coverage_lines, reasons_of
    from avsieve.errors import AvsieveError
    from avsieve.lists.layouts import read_corpus_list, with_seconds
    from avsieve.lists.train_list import write_train_list
    from avsieve.review.table import read_review
    from avsieve.runtime.scripting import make_folder
    from avsieve.storage.provenance import sha256_of

    settings = settings_of(Cleansing, args)
    given = {"audio": args.audio, "visual": args.visual}
    if not any(given.values()):
        raise AvsieveError("neither --audio nor --visual was given; give at least one table of embeddings")
    check_policy(settings.policy, [m for m, paths in given.items() if paths])
    for paths in given.values():  # a wrong path is told before the first table is read
        check_places(paths or [])
    if settings.review is not None:
        read_review(settings.review)
    if settings.anchors is not None:
        read_anchor_table(settings.anchors)
    make_folder(args.out, "--out")
    frame = with_seconds(read_corpus_list(args.train_list, args.strip_prefix))
    listed = frame["utterance"].tolist()
    tables = {m: read_tables(p, table_options(args), wanted=listed) if p else None for m, p in given.items()}
    scores = score_table(frame, tables)
    for table in tables.values():
        if table is not None:
            table.forget()  # what follows needs names and reasons
    write_scores(args.out / "scores.parquet", scores)
    write_train_list(args.out / "train_all.txt", listed, frame["seconds"].tolist())
    summary = cleanse(
        scores, frame["seconds"].tolist(), args.out, settings, embeddings=reasons_of(listed, tables),
        list_sha256=sha256_of(args.out / "train_all.txt"),
    )  # fmt: skip
    surplus = {m: table.surplus(listed) for m, table in tables.items() if table is not None}
    rows = [line for m, table in tables.items() if table is not None for line in coverage_lines(m, listed, table)[1:]]
    lines = [*show(summary, surplus), *rows]
    print("\n".join([*lines, f"lists in {args.out}", *show_warnings(summary)]))
    return 0


def show(summary: dict[str, Any], surplus: dict[str, int]) -> list[str]:
    """Return the lines about what there was and what was found.

    Parameters
    ----------
    surplus
        Per modality given: embeddings of no utterance of the list.
    """
    from avsieve.cleansing.decisions import REASON_WORDS, DecisionReason

    n = summary["utterances"]
    lines = [f"{n:,} utterances of {summary['speakers']:,} speakers"]
    for m, more in surplus.items():
        c = summary["coverage"][m]
        odd = f" ({c['not_finite']:,} more are NaN, infinite or zero)" if c["not_finite"] else ""
        beside = f"; {more:,} embeddings are of no utterance in it" if more else ""
        lines.append(f"{m}: {c['embeddings']:,} of {n:,} utterances of the list have an embedding{odd}{beside}")
    counts = ", ".join(f"{summary[name]:,} {name}" for name in ("clean", "noisy", "incomplete"))
    lines.append(f"{counts}; by reason:")
    reasons = sorted(summary["reasons"].items(), key=lambda item: -item[1])
    lines += [f"  {name:26s}{count:8,}  {REASON_WORDS[DecisionReason(name)]}" for name, count in reasons]
    if (estimated := summary["estimated"]) and estimated["precision"] is None:
        lines.append(f"expected: {estimated['wrong']:.1f} wrong labels, none of them likely enough to be flagged")
    elif estimated:
        figures = (f"{k} {estimated[k]:.3f}{_range(estimated['range'][k])}" for k in ("precision", "recall"))
        lines.append(f"expected: {', '.join(figures)}")
    lists = ", ".join(f"{name}.txt {count:,}" for name, count in summary["lists"].items())
    return [*lines, f"lines: {lists}"]


def _range(ends: list[float] | None) -> str:
    """Return the range of an expected figure in words; nothing where it is too narrow to show."""
    return f" ({ends[0]:.3f} to {ends[1]:.3f})" if ends and f"{ends[0]:.3f}" != f"{ends[1]:.3f}" else ""


def show_warnings(summary: dict[str, Any]) -> list[str]:
    """Return the notes, then what must not be passed over."""
    from avsieve.cleansing.warning_texts import warnings_in_words

    lines = []
    for warned in sorted(warnings_in_words(summary), key=lambda w: w.severe):
        names = ", ".join(warned.speakers[:5]) + (", …" if len(warned.speakers) > 5 else "")
        lines.append(f"{'WARNING' if warned.severe else 'note'}: {warned.text}{f': {names}' if names else ''}")
    return lines


VERB = Verb("find the wrong labels in a training list", DESCRIPTION, add_arguments, run)
