"""State what a further round of cleansing changes, what it finds, and whether it confirms itself."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.config.evaluation import Evaluation
from avsieve.evaluation.labels import LABELS
from avsieve.evaluation.trial_lists import read_trial_lists
from avsieve.report.detection import read_truth
from avsieve.rounds.compare_files import RoundFiles, compare_rounds
from avsieve.rounds.write import write_rounds
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run

SETTINGS = ["eer", "bootstrap", "bootstrap_seed"]


def main() -> None:
    """Compare."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="plan of all utterances")
    ap.add_argument("--decisions", type=Path, nargs="+", required=True, help="of the first round and each arm")
    ap.add_argument("--arms", nargs="+", required=True, help="rounds after the first: 2, 2-without-0, …")
    ap.add_argument("--lists", type=Path, nargs="+", required=True, help="what each of them was trained on")
    for modality in ("audio", "visual"):
        ap.add_argument(
            f"--{modality}",
            type=Path,
            nargs="+",
            action="append",
            default=[],
            help="embeddings of the shards: once for each round, the first among them",
        )
    ap.add_argument("--kept", nargs="*", default=[], help="modalities whose encoder stays that of the first round")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind, where the truth is known")
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--labels", nargs="*", default=[], choices=LABELS, help="where the labels of each come from")
    ap.add_argument("--trials-name", nargs="*", default=[], help="what the user calls each, if anything")
    ap.add_argument("--trial-truth", type=Path, help="the truth behind the labels `truth`")
    add_settings(ap, Audit, required=True)
    add_settings(ap, Cleansing, leave=["review", "anchors"], required=True)
    add_settings(ap, Evaluation, only=SETTINGS, required=True)
    ap.add_argument("--table", type=Path, required=True, help="a row a round to write (CSV)")
    ap.add_argument("--facts", type=Path, required=True, help="all of it to write (JSON)")
    ap.add_argument("--utterances", type=Path, required=True, help="a row an utterance to write (Parquet)")
    ap.add_argument("--text", type=Path, required=True, help="short text to write")
    args = ap.parse_args()

    known = set(read_truth(args.trial_truth)["utterance"]) if args.trial_truth else None
    found = compare_rounds(
        RoundFiles(
            args.plan, args.decisions, args.arms, args.lists, {"audio": args.audio, "visual": args.visual}, args.kept
        ),
        read_trial_lists(args.trials, args.labels, known, args.trials_name),
        settings_of(Audit, args),
        settings_of(Cleansing, args, review=None, anchors=None),
        truth=read_truth(args.truth) if args.truth else None,
        definition=args.eer,
        replicates=args.bootstrap,
        seed=args.bootstrap_seed,
    )
    print(write_rounds(found, args.table, args.facts, args.utterances, args.text), end="")


if __name__ == "__main__":
    run(main)
