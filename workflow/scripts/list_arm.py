"""Write a training list without the speakers who are kept for testing."""

from __future__ import annotations

from pathlib import Path

from avsieve.comparison.arm_lists import without_held_out, write_rows
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the list."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): who is held out")
    ap.add_argument("--out", type=Path, required=True, help="list to write")
    args = ap.parse_args()
    rows = without_held_out(args.list, args.plan)
    write_rows(args.out, rows)
    print(f"{len(rows)} utterances of {rows['speaker'].nunique()} speakers")


if __name__ == "__main__":
    run(main)
