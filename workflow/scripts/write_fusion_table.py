"""Write every fusion model in one table: each list of trials and condition, against the baselines, with its costs."""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the table."""
    ap = parser(__doc__)
    ap.add_argument("--results", type=Path, required=True, help="evaluation/results.csv")
    ap.add_argument("--against", type=Path, required=True, help="evaluation/against.csv")
    ap.add_argument("--times", type=Path, required=True, help="evaluation/times.csv")
    ap.add_argument("--training", type=Path, nargs="*", default=[], help="provenance of the trained models (JSON)")
    ap.add_argument("--table", type=Path, required=True, help="table to write (CSV)")
    ap.add_argument("--text", type=Path, required=True, help="the same to read (Markdown)")
    args = ap.parse_args()

    from avsieve.report.fusion_table import write_fusion_table

    print(
        write_fusion_table(args.results, args.against, args.times, args.training, table=args.table, text=args.text),
        end="",
    )


if __name__ == "__main__":
    run(main)
