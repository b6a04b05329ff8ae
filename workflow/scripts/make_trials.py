"""Make the trial list of a run: balanced targets and impostors among the people who are kept for testing.

The utterances are those of the plan's test subset; where it has none, those of the speakers held out of training. Of
these, only those that a truth table calls clean are taken, if it knows any of them; without one, the trials carry the
list's own errors, and `make_trusted_trials` makes others beside them.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.config.evaluation import Evaluation
from avsieve.evaluation.trial_lists import kept_for_trials
from avsieve.evaluation.trial_maker import known_right, write_made
from avsieve.report.detection import read_truth
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Make the list."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet)")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind, where the truth is known")
    add_settings(ap, Evaluation, only=["sex", "max_targets", "same_sex_share", "trials_seed"], required=True)
    ap.add_argument("--out", type=Path, required=True, help="trial list to write")
    args = ap.parse_args()
    chosen = known_right(kept_for_trials(args.plan), read_truth(args.truth) if args.truth else None)
    made = write_made(
        args.out,
        chosen,
        sex=args.sex,
        max_targets=args.max_targets,
        same_sex_share=args.same_sex_share,
        seed=args.trials_seed,
    )
    print(made)


if __name__ == "__main__":
    run(main)
