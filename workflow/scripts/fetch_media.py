"""Bring the clips of one shard, and write its media index: where each clip lies and how long it is."""

from __future__ import annotations

import sys
from pathlib import Path

from avsieve.scripting import parser, run
from avsieve.sources.load import parse_with_source
from avsieve.tables import read_table, write_table


def main() -> None:
    """Fetch one shard."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the shard's plan")
    ap.add_argument("--index", type=Path, required=True, help="the media index to write (Parquet)")
    ap.add_argument("--status", type=Path, required=True, help="the status table to write (Parquet)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    args, source = parse_with_source(ap, "fetch", sys.argv[1:])
    index, status = source.fetch(read_table(args.plan), args)
    status.check(args.max_failed)
    status.write(args.status)
    write_table(args.index, index)


if __name__ == "__main__":
    run(main)
