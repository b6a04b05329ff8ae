"""Write the report: one HTML page that needs nothing else, and the table that the run ends with as text."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from avsieve.report.detection import read_truth
from avsieve.report.facts import read_failures, read_provenance, read_times
from avsieve.report.media import Media
from avsieve.report.page import Run, render_page, render_summary
from avsieve.report.sheet import Trusted, closest_calls, make_rows, mistakes, most_certain
from avsieve.runtime.scripting import parser, run
from avsieve.storage.atomic import write_text
from avsieve.storage.tables import read_table
from avsieve.wiring.stale_shards import current


def files_in(paths: list[Path], pattern: str, shards: int | None) -> list[Path]:
    """Return the files among ``paths``, and those that fit ``pattern`` in the folders, of the shards that there are."""
    return [
        file for path in paths for file in (current(sorted(path.glob(pattern)), shards) if path.is_dir() else [path])
    ]


def main() -> None:
    """Write the report."""
    ap = parser(__doc__)
    ap.add_argument("--decisions", type=Path, required=True, help="lists/decisions.parquet")
    ap.add_argument("--summary", type=Path, required=True, help="lists/summary.json")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): which shard holds an utterance")
    ap.add_argument("--results", type=Path, help="evaluation/results.csv")
    ap.add_argument("--gains", type=Path, help="evaluation/gains.csv")
    ap.add_argument("--curves", type=Path, help="evaluation/curves.parquet")
    ap.add_argument("--comparison", type=Path, help="comparison/comparison.json")
    ap.add_argument("--comparison-curves", type=Path, help="comparison/curves.parquet")
    ap.add_argument("--truth", type=Path, help="truth table, where the truth is known")
    # Files or the folders they lie in: the paths of a thousand shards would not fit on a command line.
    ap.add_argument("--status", type=Path, nargs="*", default=[], help="status tables of all stages, or their folders")
    ap.add_argument("--faces", type=Path, nargs="*", default=[], help="tars of aligned faces, or their folder")
    ap.add_argument("--wavs", type=Path, nargs="*", default=[], help="tars of wavs, or their folder")
    ap.add_argument("--benchmarks", type=Path, help="folder of Snakemake's benchmark tables")
    ap.add_argument("--provenance", type=Path, nargs="*", default=[], help="provenance of the stages, or its folders")
    ap.add_argument("--shards", type=int, help="number of shards; files of others in these folders are not read")
    ap.add_argument("--headline", default="", help="model whose error rate stands at the top; else the score average")
    ap.add_argument("--builtin", nargs="*", default=[], help="shipped models on data that they do not know: keys")
    ap.add_argument("--title", default="AVSieve", help="title of the page")
    ap.add_argument("--flagged", type=int, default=24, help="flagged utterances on the contact sheet")
    ap.add_argument("--close-calls", type=int, default=6, help="utterances of nearly even evidence")
    ap.add_argument("--mistakes", type=int, default=12, help="mistakes shown, where the truth is known")
    ap.add_argument("--faces-per-row", type=int, default=5, help="faces in a strip of the sheet")
    ap.add_argument("--players", type=int, default=4, help="rows of each sheet that can be listened to")
    ap.add_argument("--voice-s", type=float, default=3.0, help="seconds of a voice")
    ap.add_argument("--out", type=Path, required=True, help="page to write")
    ap.add_argument("--summary-text", type=Path, required=True, help="summary to write (text)")
    args = ap.parse_args()

    decisions = read_table(args.decisions)
    truth = read_truth(args.truth) if args.truth else None
    plan = read_table(args.plan, ["utterance", "shard"])
    trusted = Trusted(decisions)
    sheets = {
        "certain": most_certain(decisions, args.flagged),
        "close": closest_calls(decisions, args.close_calls),
        "wrong": decisions.head(0) if truth is None else mistakes(decisions, truth, args.mistakes),
    }
    shard_of = dict(zip(plan["utterance"], plan["shard"], strict=True))
    with Media(
        files_in(args.faces, "*.faces.tar", args.shards), files_in(args.wavs, "*.wav.tar", args.shards), shard_of
    ) as media:
        rows = {
            name: make_rows(
                chosen,
                media,
                trusted,
                truth,
                faces=args.faces_per_row,
                players=args.players,
                voice_s=args.voice_s,
            )
            for name, chosen in sheets.items()
        }
    times = current(sorted(args.benchmarks.rglob("*.tsv")), args.shards) if args.benchmarks else []
    found = Run(
        decisions=decisions,
        summary=json.loads(args.summary.read_text(encoding="utf-8")),
        title=args.title,
        headline=args.headline,
        builtin=args.builtin,
        results=pd.read_csv(args.results) if args.results else pd.DataFrame(),
        gains=pd.read_csv(args.gains) if args.gains else pd.DataFrame(),
        curves=read_table(args.curves) if args.curves else pd.DataFrame(),
        comparison=json.loads(args.comparison.read_text(encoding="utf-8")) if args.comparison else {},
        comparison_curves=read_table(args.comparison_curves) if args.comparison_curves else pd.DataFrame(),
        truth=truth,
        failures=read_failures(files_in(args.status, "*.status.parquet", args.shards)),
        times=read_times(times, len(plan)),
        provenance=read_provenance(files_in(args.provenance, "*.json", args.shards)),
        **rows,
    )
    write_text(args.out, render_page(found))
    text = render_summary(found, report=args.out.as_posix())
    write_text(args.summary_text, text)
    print(text, end="")


if __name__ == "__main__":
    run(main)
