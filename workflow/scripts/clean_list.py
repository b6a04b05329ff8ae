"""Decide over the evidence and write the lists: nothing but this reruns when method, policy or threshold change."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.options import add_options, settings_of
from avsieve.cleansing.scores import read_scores
from avsieve.cleansing.write import cleanse, in_order_of
from avsieve.lists.train_list import read_train_list
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Clean the training list."""
    ap = parser(__doc__)
    ap.add_argument("--train-list", type=Path, required=True, help="train_all.txt: it gives the order of the lists")
    ap.add_argument("--scores", type=Path, required=True, help="evidence of all shards")
    add_options(ap)
    ap.add_argument(
        "--out-dir",
        type=Path,
        required=True,
        help="folder for the cleansed lists, decisions.parquet and summary.json",
    )
    args = ap.parse_args()
    settings = settings_of(args)
    listed = read_train_list(args.train_list)
    scores = in_order_of(read_scores(args.scores), listed["utterance"].tolist())
    cleanse(scores, listed["seconds"].tolist(), args.out_dir, **settings)


if __name__ == "__main__":
    run(main)
