"""Choose the cohort of the AS-norm: utterances of a training list, the same for every model that is evaluated."""

from __future__ import annotations

from pathlib import Path

from avsieve.comparison.arm_lists import thin, without_held_out, write_rows
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the cohort's list."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): who is kept for testing")
    ap.add_argument("--per-speaker", type=int, help="most utterances of a speaker; all without it")
    ap.add_argument("--out", type=Path, required=True, help="list to write")
    args = ap.parse_args()
    rows = thin(without_held_out(args.list, args.plan), args.per_speaker)
    write_rows(args.out, rows)
    print(f"{len(rows)} utterances of {rows['speaker'].nunique()} speakers")


if __name__ == "__main__":
    run(main)
