"""Split tables of embeddings of one modality into the shards of a plan, as if the encoders had written them."""

from __future__ import annotations

from pathlib import Path

from avsieve.embedding_files.arguments import FORMATS_HELP, add_table_options, table_options
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Split."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="plan of all utterances")
    ap.add_argument("--modality", choices=["audio", "visual"], required=True, help="what the tables hold")
    ap.add_argument("--tables", nargs="*", default=[], help=f"none: the modality is missing. {FORMATS_HELP}")
    add_table_options(ap, required=True)
    ap.add_argument("--shards", type=int, required=True, help="number of shards")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--out", type=Path, required=True, help="folder of the stage's outputs")
    args = ap.parse_args()

    from avsieve.sources.embeddings.split import split_checked
    from avsieve.storage.ids import shard_names
    from avsieve.storage.tables import read_table

    plan, shards = read_table(args.plan, ["utterance", "shard"]), shard_names(args.shards)
    split_checked(plan, shards, args.modality, args.tables, args.out, table_options(args), max_failed=args.max_failed)


if __name__ == "__main__":
    run(main)
