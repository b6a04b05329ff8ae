"""Decide over the evidence and write the lists: nothing but this reruns when method, policy or threshold change."""

from __future__ import annotations

import json
from pathlib import Path

from avsieve.cleansing.decisions import POLICIES
from avsieve.cleansing.outcome import cleanse, in_order_of
from avsieve.cleansing.registry import METHODS
from avsieve.cleansing.scores import read_scores
from avsieve.errors import ConfigError
from avsieve.lists import read_train_list
from avsieve.scripting import parser, run


def main() -> None:
    """Clean the training list."""
    ap = parser(__doc__)
    ap.add_argument("--train-list", type=Path, required=True, help="train_all.txt: it gives the order of the lists")
    ap.add_argument("--scores", type=Path, required=True, help="evidence of all shards")
    ap.add_argument("--method", choices=METHODS, default="posterior", help="how evidence becomes a probability")
    ap.add_argument(
        "--policy", choices=POLICIES, default="either", help="what must be wrong for an utterance to be noisy"
    )
    ap.add_argument("--threshold", type=float, default=0.5, help="probability above which an utterance is noisy")
    ap.add_argument(
        "--options", default="{}", help="options of the method as JSON, such as '{\"thresholds\": [0.4, 0.5]}'"
    )
    ap.add_argument(
        "--out-dir",
        type=Path,
        required=True,
        help="folder for the two cleansed lists, decisions.parquet and summary.json",
    )
    args = ap.parse_args()
    try:
        options = json.loads(args.options)
    except json.JSONDecodeError as error:
        raise ConfigError(f"--options {args.options!r}: {error}; expected a JSON object") from error
    listed = read_train_list(args.train_list)
    scores = in_order_of(read_scores(args.scores), listed["utterance"].tolist())
    cleanse(
        scores,
        listed["seconds"].tolist(),
        args.out_dir,
        method=args.method,
        policy=args.policy,
        threshold=args.threshold,
        options=options,
    )


if __name__ == "__main__":
    run(main)
