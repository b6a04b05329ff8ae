"""Join the evidence of all shards in one table."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.scores import merge_scores
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Merge, one shard at a time in memory."""
    ap = parser(__doc__)
    ap.add_argument("--inputs", type=Path, nargs="+", required=True, help="evidence of the shards")
    ap.add_argument("--out", type=Path, required=True, help="table to write (Parquet)")
    args = ap.parse_args()
    merge_scores(args.inputs, args.out)


if __name__ == "__main__":
    run(main)
