"""Bring the clips of one shard, and write its media index: where each clip lies and how long it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from avsieve.runtime.scripting import parser, run
from avsieve.sources.command_line import parse_with_source
from avsieve.sources.watch_list import watched_of, write_watch_list
from avsieve.storage.tables import read_table, write_table


def main() -> None:
    """Fetch one shard."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the shard's plan")
    ap.add_argument("--index", type=Path, required=True, help="the media index to write (Parquet)")
    ap.add_argument("--status", type=Path, required=True, help="the status table to write (Parquet)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--watch-list", type=Path, help="where to note what the clips were when they were indexed (JSON)")
    ap.add_argument("--watch-roots", type=json.loads, help="folders that the index starts from (JSON)")
    ap.add_argument("--watched", help="description of the clips that the run was planned with")
    args, source, outputs = parse_with_source(ap, "fetch", sys.argv[1:])
    rows = read_table(args.plan)
    index, status = source.load("fetch")(rows, source.settings, **outputs)
    status.check(args.max_failed)
    status.write(args.status)
    write_table(args.index, index)
    if args.watch_list is not None:
        also = source.load("also_watched")(rows, index, source.settings) if source.also_watched else []
        roots = args.watch_roots or {}
        places = [*also, *watched_of(index, roots)]
        write_watch_list(args.watch_list, args.watched or "", places, roots)


if __name__ == "__main__":
    run(main)
