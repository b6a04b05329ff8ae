"""Write the report: one HTML page that needs nothing else, and the table that the run ends with as text."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

from avsieve.report.settings import Report
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run


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
    ap.add_argument("--rounds", type=Path, help="rounds/rounds.json")
    ap.add_argument("--truth", type=Path, help="truth table, where the truth is known")
    ap.add_argument("--audit", type=Path, help="audit/audit.json, shown where it is there")
    # Files or the folders they lie in: the paths of a thousand shards would not fit on a command line.
    ap.add_argument("--status", type=Path, nargs="*", default=[], help="status tables of all stages, or their folders")
    ap.add_argument(
        "--faces", type=Path, nargs="*", default=[], help="tars of aligned faces, or their folder with the detections"
    )
    ap.add_argument("--wavs", type=Path, nargs="*", default=[], help="tars of wavs, or their folder")
    ap.add_argument("--clips", type=Path, nargs="*", default=[], help="media indices, or their folder")
    ap.add_argument("--benchmarks", type=Path, help="folder of Snakemake's benchmark tables")
    ap.add_argument("--provenance", type=Path, nargs="*", default=[], help="provenance of the stages, or its folders")
    ap.add_argument("--shards", type=int, help="number of shards; files of others in these folders are not read")
    ap.add_argument("--headline", required=True, help="model whose error rate stands at the top")
    ap.add_argument("--builtin", nargs="*", default=[], help="shipped models on data that they do not know: keys")
    add_settings(ap, Report, leave=["with_audit"], required=True)
    ap.add_argument("--out", type=Path, required=True, help="page to write")
    ap.add_argument("--summary-text", type=Path, required=True, help="summary to write (text)")
    args = ap.parse_args()

    from avsieve.report.write import Inputs, read_run, write_report

    inputs = Inputs(**{field.name: getattr(args, field.name) for field in fields(Inputs)})
    found = read_run(inputs, settings_of(Report, args), headline=args.headline, builtin=args.builtin)
    print(write_report(found, args.out, args.summary_text), end="")


if __name__ == "__main__":
    run(main)
