"""Split tables of segments or single faces into the shards of a plan, as if the encoders had written them."""

from __future__ import annotations

import json
from pathlib import Path

from avsieve.embedding_files.arguments import add_table_options, table_options
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Split."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="plan of all utterances")
    ap.add_argument(
        "--tables",
        type=json.loads,
        required=True,
        metavar="JSON",
        help="names of segmentations, or frames, with a list of Parquet tables each",
    )
    add_table_options(ap, required=True)
    ap.add_argument("--shards", type=int, required=True, help="number of shards")
    ap.add_argument("--out", type=Path, required=True, help="folder of the stage's outputs")
    args = ap.parse_args()

    from avsieve.sources.embeddings.split_sequences import split_sequences
    from avsieve.storage.ids import shard_names
    from avsieve.storage.tables import read_table

    plan, shards = read_table(args.plan, ["utterance", "shard"]), shard_names(args.shards)
    split_sequences(plan, shards, args.tables, args.out, table_options(args))


if __name__ == "__main__":
    run(main)
