"""Plan a run: list every utterance of the source, give each a shard, and write one table per shard."""

from __future__ import annotations

import sys
from pathlib import Path

from avsieve.runtime.scripting import parser, run
from avsieve.sources.command_line import parse_with_source
from avsieve.sources.plan import build_plan, counts_of, rows_in_words, write_plan
from avsieve.sources.plan_note import note_plan
from avsieve.sources.source_note import write_note
from avsieve.storage.atomic import write_json


def main() -> None:
    """Plan the run."""
    ap = parser(__doc__)
    ap.add_argument("--shards", type=int, required=True, help="number of shards")
    ap.add_argument("--holdout", type=float, required=True, help="share of the speakers kept for trials")
    ap.add_argument("--holdout-seed", type=int, required=True, help="seed of their choice")
    ap.add_argument("--out", type=Path, required=True, help="the plan (Parquet)")
    ap.add_argument("--shard-dir", type=Path, required=True, help="folder of the shards' plans")
    ap.add_argument("--watch-list", type=Path, help="where to note what the clips were when the run was planned (JSON)")
    ap.add_argument("--watched", help="that, in words")
    ap.add_argument("--note", type=Path, help="where to note what each shard was planned with (JSON)")
    ap.add_argument("--key", help="digest of what the plan is made from")
    ap.add_argument("--of-all", help="what the shards are told, where each is to be fetched again")
    args, source, outputs = parse_with_source(ap, "plan", sys.argv[1:])
    rows = source.load("plan")(source.settings, **outputs)
    plan = build_plan(rows, args.shards, args.holdout, args.holdout_seed)
    write_plan(plan, args.out, args.shard_dir, args.shards)
    write_note(args.out.parent, source.note())
    if args.note is not None:
        note_plan(args.note, args.key, args.of_all or "", rows_in_words(plan, args.shards))
    if args.watch_list is not None:
        write_json(args.watch_list, {"told": args.watched or ""})
    print(counts_of(plan, args.shards))


if __name__ == "__main__":
    run(main)
