"""Make the trial list of a run: balanced targets and impostors among the people who are kept for testing.

The utterances are those of the plan's test subset; where it has none, those of the speakers held out of training. Of
these, only those that a truth table calls clean are taken, if it knows any of them; without one, the trials carry the
list's own errors, and `make_trusted_trials` makes others beside them.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.evaluation.trial_lists import kept_for_trials
from avsieve.evaluation.trial_maker import add_options, write_made
from avsieve.report.detection import read_truth
from avsieve.runtime.scripting import parser, run
from avsieve.storage.tables import read_table


def main() -> None:
    """Make the list."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet)")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind, where the truth is known")
    add_options(ap)
    args = ap.parse_args()
    chosen = kept_for_trials(read_table(args.plan, ["utterance", "subset", "held_out"]))
    if args.truth:
        truth = read_truth(args.truth)
        if truth["utterance"].isin(chosen).any():
            right = set(truth.loc[truth["kind"] == "clean", "utterance"])
            chosen = [utterance for utterance in chosen if utterance in right]
        else:
            print(f"WARNING: {args.truth} knows none of the {len(chosen)} utterances to test on: labels as given")
    print(write_made(args, chosen))


if __name__ == "__main__":
    run(main)
