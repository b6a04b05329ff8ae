"""Make the table of damaged twins: which training utterances are damaged under each condition, and how."""

from __future__ import annotations

from pathlib import Path

from avsieve.fusion.settings import Fusion
from avsieve.fusion.twin_table import write_twins
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Make the table."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list before cleansing: speaker wav seconds")
    ap.add_argument("--plan", type=Path, required=True, help="the plan; its held-out speakers have no twins")
    add_settings(ap, Fusion, only=["twins"], required=True)
    ap.add_argument("--level", choices=["signal", "embedding"], required=True, help="what is damaged")
    ap.add_argument("--out", type=Path, required=True, help="table to write (Parquet)")
    args = ap.parse_args()
    print(write_twins(args.out, args.list, args.plan, args.twins, level=args.level))


if __name__ == "__main__":
    run(main)
