"""Write what the encoders of a further round are trained on."""

from __future__ import annotations

from pathlib import Path

from avsieve.rounds.lists import write_round_list
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the list."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="what the round before left: 'speaker wav seconds'")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): who is kept for testing")
    ap.add_argument("--part", type=int, help="part of the list to leave out, from 0")
    ap.add_argument("--parts", type=int, help="number of parts, with --part")
    ap.add_argument("--out", type=Path, required=True, help="list to write")
    args = ap.parse_args()
    if (args.part is None) != (args.parts is None):
        ap.error("--part and --parts go together")
    left_out = None if args.part is None else (args.part, args.parts)
    print(write_round_list(args.list, args.plan, args.out, left_out=left_out))


if __name__ == "__main__":
    run(main)
