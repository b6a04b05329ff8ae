"""Plan a source without writing anything, to tell which shards another plan concerns.

``python -m avsieve.sources.plan_ahead KIND --shards N …`` takes the options of `plan_shards.py` that say what is
planned, and prints shard -> its utterances in words (`avsieve.sources.plan_note.ShardNote`), in JSON. Snakemake starts
it when what a plan is made from has changed: planning imports pandas, and its memory goes when it ends.
"""

from __future__ import annotations

import json
import sys

from avsieve.runtime.scripting import parser, run
from avsieve.sources.command_line import parse_with_source
from avsieve.sources.plan import check_rows, rows_in_words


def plan_ahead(words: list[str]) -> dict[str, str]:
    """Return shard -> its utterances in words.

    Parameters
    ----------
    words
        The kind of the source, its settings as options, and ``--shards``.

    Raises
    ------
    AvsieveError
        If the source cannot be planned.
    """
    ap = parser(__doc__)
    ap.add_argument("--shards", type=int, required=True, help="number of shards")
    args, source, outputs = parse_with_source(ap, "plan", words)
    rows = source.load("plan")(source.settings, **outputs)
    check_rows(rows)
    return rows_in_words(rows, args.shards)


def main() -> None:
    """Tell what the shards would hold."""
    sys.stdout.write(json.dumps(plan_ahead(sys.argv[1:])) + "\n")


if __name__ == "__main__":
    run(main)
