"""Make the trial list of a run: balanced targets and impostors among the people who are kept for testing.

The utterances are those of the plan's test subset; where it has none, those of the speakers held out of training. Of
these, the ones that a truth table calls wrong are left out; without one, the trials carry the list's own errors.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.evaluation.trial_maker import NoTrialsError, make_trials, read_sex
from avsieve.evaluation.trials import write_no_trials, write_trials
from avsieve.report.detection import read_truth
from avsieve.scripting import parser, run
from avsieve.tables import read_table


def main() -> None:
    """Make the list."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet)")
    ap.add_argument(
        "--sex", type=Path, help="CSV of speaker and sex, or VoxCeleb's meta file; without it impostors are any"
    )
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind, where the truth is known")
    ap.add_argument("--max-targets", type=int, default=5000, help="largest number of target trials")
    ap.add_argument("--same-sex-share", type=float, default=0.5, help="share of impostors of the same sex")
    ap.add_argument("--seed", type=int, default=0, help="seed of the choice")
    ap.add_argument("--out", type=Path, required=True, help="trial list to write")
    args = ap.parse_args()
    plan = read_table(args.plan, ["utterance", "subset", "held_out"])
    test = plan.loc[plan["subset"] == "test", "utterance"].tolist()
    chosen = test or plan.loc[plan["held_out"], "utterance"].tolist()
    if args.truth:
        truth = read_truth(args.truth)
        wrong = set(truth.loc[truth["kind"] != "clean", "utterance"])
        chosen = [utterance for utterance in chosen if utterance not in wrong]
    try:
        trials = make_trials(
            chosen,
            sex=read_sex(args.sex) if args.sex else None,
            max_targets=args.max_targets,
            same_sex_share=args.same_sex_share,
            seed=args.seed,
        )
    except NoTrialsError as error:
        # The lists do not depend on an evaluation: it is left out, and the report says so.
        write_no_trials(args.out, str(error))
        print(f"WARNING: the evaluation is left out: {error}")
        return
    write_trials(args.out, trials)
    print(f"{len(trials)} trials ({trials.n_targets} target) over {len(chosen)} utterances")


if __name__ == "__main__":
    run(main)
