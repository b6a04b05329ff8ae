"""Write a training list without the speakers who are kept for testing."""

from __future__ import annotations

from pathlib import Path

from avsieve.comparison.arm_lists import write_arm
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the list."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): who is held out")
    ap.add_argument("--out", type=Path, required=True, help="list to write")
    args = ap.parse_args()
    print(write_arm(args.list, args.plan, args.out))


if __name__ == "__main__":
    run(main)
