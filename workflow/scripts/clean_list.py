"""Decide over the evidence and write the lists: nothing but this reruns when method, policy or threshold change."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.write import cleanse_list
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Clean the training list."""
    ap = parser(__doc__)
    ap.add_argument("--train-list", type=Path, required=True, help="train_all.txt: it gives the order of the lists")
    ap.add_argument("--scores", type=Path, required=True, help="evidence of all shards")
    add_settings(ap, Cleansing, required=True)
    ap.add_argument(
        "--out-dir",
        type=Path,
        required=True,
        help="folder for the cleansed lists, decisions.parquet and summary.json",
    )
    args = ap.parse_args()
    cleanse_list(args.train_list, args.scores, args.out_dir, settings_of(Cleansing, args))


if __name__ == "__main__":
    run(main)
