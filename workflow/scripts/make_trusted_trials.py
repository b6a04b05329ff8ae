"""Make a trial list of the utterances that the cleansing trusts, among the people who are kept for testing.

Trials made of a list carry its wrong labels as errors that no model can avoid. These leave out what the cleansing
flags, and what it could not judge: they are optimistic where it errs by leaving out hard ones.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.config.evaluation import Evaluation
from avsieve.evaluation.trial_lists import kept_for_trials
from avsieve.evaluation.trial_maker import trusted, write_made
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run
from avsieve.storage.tables import read_table


def main() -> None:
    """Make the list."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet)")
    ap.add_argument("--decisions", type=Path, required=True, help="lists/decisions.parquet")
    add_settings(ap, Evaluation, only=["sex", "max_targets", "same_sex_share", "trials_seed"], required=True)
    ap.add_argument("--out", type=Path, required=True, help="trial list to write")
    args = ap.parse_args()
    decisions = read_table(args.decisions, ["utterance", "decision", "reason"])
    chosen, nobody = trusted(kept_for_trials(args.plan), decisions)
    made = write_made(
        args.out,
        chosen,
        sex=args.sex,
        max_targets=args.max_targets,
        same_sex_share=args.same_sex_share,
        seed=args.trials_seed,
        nobody=nobody,
    )
    print(made)


if __name__ == "__main__":
    run(main)
