"""Run an export: choose the utterances, write them in a form, and tell the counts."""

from __future__ import annotations

import argparse
import sys

from avsieve.errors import ConfigError
from avsieve.export.contents import Contents
from avsieve.export.datasets import write_datasets
from avsieve.export.folders import write_folders
from avsieve.export.selection import Wish, select
from avsieve.export.webdataset import write_webdataset
from avsieve.storage.atomic import write_json


def run_export(form: str, args: argparse.Namespace) -> int:
    """Export, print the counts, and write them where that is asked for."""
    wish = Wish(args.subset, args.speakers, args.utterances, args.share, args.seed)
    table = select(args.results, wish)
    contents = Contents(args.results, args.what, sorted(table["shard"].unique()))
    contents.refuse_other_plan(table)
    if form == "tree":
        if args.threads < 1:
            raise ConfigError(f"--threads {args.threads}; expected 1 or more")
        counts = write_folders(table, contents, args.out, threads=args.threads)
    else:
        if args.part_mb <= 0:
            raise ConfigError(f"--part-mb {args.part_mb}; expected more than 0")
        write = write_webdataset if form == "webdataset" else write_datasets
        seed = args.seed if args.shuffle else None
        counts = write(table, contents, args.out, part_bytes=int(args.part_mb * 1e6), shuffle_seed=seed)
    speakers = int(table["speaker"].nunique())
    done = f"{counts['written']} written, {counts['left']} there before"
    sys.stdout.write(
        f"{counts['utterances']:,} utterances of {speakers:,} speakers, {counts['files']:,} files, "
        f"{counts['bytes'] / 1e6:,.1f} MB in {args.out} ({done})\n"
    )
    if args.summary:
        # What depends on how often the export ran is left out: equal exports give equal bytes.
        lasting = {k: v for k, v in counts.items() if k in ("utterances", "files", "bytes", "parts")}
        facts = {"form": form, "subset": args.subset, "what": list(contents.kinds), "speakers": speakers}
        write_json(args.summary, facts | lasting)
    return 0
