"""Make the table of damaged trials: under each condition, what is done to which utterance. Every model reads it."""

from __future__ import annotations

from pathlib import Path

from avsieve.config.evaluation import Evaluation
from avsieve.evaluation.conditions.manifest import damage_trials
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Make the table."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): which utterances there are")
    add_settings(ap, Evaluation, only=["damage"], required=True)
    ap.add_argument("--level", choices=["signal", "embedding"], required=True, help="what is damaged")
    ap.add_argument("--out", type=Path, required=True, help="table to write (Parquet)")
    args = ap.parse_args()
    print(damage_trials(args.out, args.trials, args.plan, args.damage, level=args.level))


if __name__ == "__main__":
    run(main)
