"""Make a trial list of the utterances that the cleansing trusts, among the people who are kept for testing.

Trials made of a list carry its wrong labels as errors that no model can avoid. These leave out what the cleansing
flags, and what it could not judge: they are optimistic where it errs by leaving out hard ones.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.evaluation.trial_lists import kept_for_trials
from avsieve.evaluation.trial_maker import add_options, trusted, write_made
from avsieve.runtime.scripting import parser, run
from avsieve.storage.tables import read_table


def main() -> None:
    """Make the list."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet)")
    ap.add_argument("--decisions", type=Path, required=True, help="lists/decisions.parquet")
    add_options(ap)
    args = ap.parse_args()
    chosen = kept_for_trials(read_table(args.plan, ["utterance", "subset", "held_out"]))
    decisions = read_table(args.decisions, ["utterance", "decision", "reason"])
    print(write_made(args, *trusted(chosen, decisions)))


if __name__ == "__main__":
    run(main)
