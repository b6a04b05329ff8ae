"""Write the training list, `speaker wav seconds`, of every utterance of a plan."""

from __future__ import annotations

from pathlib import Path

from avsieve.lists.durations import durations_of
from avsieve.lists.train_list import write_train_list
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the list."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="plan of all utterances: it gives the order")
    ap.add_argument(
        "--durations",
        type=Path,
        nargs="*",
        default=[],
        help="tables with utterance and duration_s, for what the plan does not know; the last one wins",
    )
    ap.add_argument("--out", type=Path, required=True, help="train_all.txt to write")
    args = ap.parse_args()
    write_train_list(args.out, *durations_of(args.plan, args.durations))


if __name__ == "__main__":
    run(main)
