"""Evaluate what was trained on the full and on the cleansed list on the same trials, and state the difference."""

from __future__ import annotations

from pathlib import Path

from avsieve.comparison.compare_files import compare_files
from avsieve.config.evaluation import Evaluation
from avsieve.evaluation.labels import LABELS
from avsieve.evaluation.trial_lists import read_trial_lists
from avsieve.report.comparison import write_comparison
from avsieve.report.detection import read_truth
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run

SETTINGS = ["eer", "bootstrap", "bootstrap_seed"]


def main() -> None:
    """Compare."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--labels", nargs="*", default=[], choices=LABELS, help="where the labels of each come from")
    ap.add_argument("--trials-name", nargs="*", default=[], help="what the user calls each, if anything")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind: the truth behind the labels `truth`")
    ap.add_argument("--list-all", type=Path, required=True, help="training list of the arm `all`")
    ap.add_argument("--list-clean", type=Path, required=True, help="training list of the arm `clean`")
    for name in ("audio-all", "audio-clean", "visual-all", "visual-clean"):
        ap.add_argument(f"--{name}", type=Path, nargs="*", default=[], help="embeddings (Parquet), one file per seed")
    ap.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of the trainings, in that order")
    ap.add_argument("--cohort", type=Path, help="list of the cohort of the AS-norm; its utterances are embedded too")
    ap.add_argument("--top", type=int, help="nearest cohort speakers that count")
    ap.add_argument("--fusion", type=Path, required=True, help="gains of the fusion models (evaluation/gains.csv)")
    add_settings(ap, Evaluation, only=SETTINGS, required=True)
    ap.add_argument("--table", type=Path, required=True, help="gains to write (CSV)")
    ap.add_argument("--facts", type=Path, required=True, help="all of it to write (JSON)")
    ap.add_argument("--curves", type=Path, required=True, help="DET curves to write (Parquet)")
    ap.add_argument("--text", type=Path, required=True, help="short text to write")
    args = ap.parse_args()
    if args.cohort and args.top is None:
        ap.error("--cohort needs --top")

    known = set(read_truth(args.truth)["utterance"]) if args.truth else None
    found = compare_files(
        read_trial_lists(args.trials, args.labels, known, args.trials_name),
        {"all": args.list_all, "clean": args.list_clean},
        {
            "audio": {"all": args.audio_all, "clean": args.audio_clean},
            "visual": {"all": args.visual_all, "clean": args.visual_clean},
        },
        args.seeds,
        cohort=args.cohort,
        top=args.top,
        fusion=args.fusion,
        definition=args.eer,
        replicates=args.bootstrap,
        seed=args.bootstrap_seed,
    )
    print(write_comparison(found, args.table, args.facts, args.curves, args.text), end="")


if __name__ == "__main__":
    run(main)
