"""Remove the files of shards that a run no longer has, left from one with more of them."""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run
from avsieve.storage.stale_shards import remove_left_over


def main() -> None:
    """Remove them."""
    ap = parser(__doc__)
    ap.add_argument("--results", type=Path, required=True, help="folder of the results")
    ap.add_argument("--shards", type=int, required=True, help="number of shards that there are")
    args = ap.parse_args()
    removed = remove_left_over(args.results, args.shards)
    print(f"{removed} files of shards beyond the first {args.shards} removed from {args.results}")


if __name__ == "__main__":
    run(main)
