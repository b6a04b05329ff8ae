"""Evaluate what was trained on the full and on the cleansed list on the same trials, and state the difference."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from avsieve.comparison.gains import Comparison, compare_arms, read_arms
from avsieve.errors import AvsieveError, ConfigError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.labels import LABELS, OFFICIAL
from avsieve.evaluation.metrics import EER_DEFINITIONS
from avsieve.evaluation.results import NothingScoredError, refuse_seen_speakers
from avsieve.evaluation.trial_lists import TrialList, read_trial_lists
from avsieve.lists.layouts import read_corpus_list
from avsieve.report.comparison import comparison_text
from avsieve.report.detection import read_truth
from avsieve.runtime.scripting import parser, run
from avsieve.storage.atomic import write_json, write_text
from avsieve.storage.provenance import sha256_of, versions
from avsieve.storage.tables import write_table

ARMS = ("all", "clean")


def main() -> None:
    """Compare."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--labels", nargs="*", default=[], choices=LABELS, help="what the labels of each stand on")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind: what labels of `truth` stand on")
    for arm in ARMS:
        ap.add_argument(f"--list-{arm}", type=Path, required=True, help=f"training list of the arm `{arm}`")
        for what in ("audio", "visual"):
            ap.add_argument(
                f"--{what}-{arm}", type=Path, nargs="*", default=[], help="embeddings (Parquet), one file per seed"
            )
    ap.add_argument("--seeds", type=int, nargs="+", required=True, help="seeds of the trainings, in that order")
    ap.add_argument("--cohort", type=Path, help="list of the cohort of the AS-norm; its utterances are embedded too")
    ap.add_argument("--top", type=int, default=300, help="nearest cohort speakers that count")
    ap.add_argument("--fusion", type=Path, help="gains of the fusion models (evaluation/gains.csv)")
    ap.add_argument("--eer", choices=EER_DEFINITIONS, default="interpolated", help="definition of the EER")
    ap.add_argument("--bootstrap", type=int, default=1000, help="draws behind the intervals, speakers resampled")
    ap.add_argument("--bootstrap-seed", type=int, default=0, help="seed of the bootstrap")
    ap.add_argument("--table", type=Path, required=True, help="gains to write (CSV)")
    ap.add_argument("--facts", type=Path, required=True, help="all of it to write (JSON)")
    ap.add_argument("--curves", type=Path, required=True, help="DET curves to write (Parquet)")
    ap.add_argument("--text", type=Path, required=True, help="short text to write")
    args = ap.parse_args()

    known = set(read_truth(args.truth)["utterance"]) if args.truth else None
    trial_lists = read_trial_lists(args.trials, args.labels, known)
    lists = {}
    for arm in ARMS:
        path = getattr(args, f"list_{arm}")
        rows = read_corpus_list(path)
        for item in trial_lists:
            if item.trials is not None:
                refuse_seen_speakers(item.trials, set(rows["speaker"]), f"what was trained on {path.name}")
        lists[arm] = {
            "utterances": len(rows),
            "speakers": int(rows["speaker"].nunique()),
            "sha256": sha256_of(path),
        }
    cohort = None
    if args.cohort:
        cohort = Cohort(read_corpus_list(args.cohort)["utterance"].tolist(), args.top)
    files = {
        modality: {arm: getattr(args, f"{modality}_{arm}") for arm in ARMS}
        for modality in ("audio", "visual")
        if getattr(args, f"{modality}_all")
    }
    for modality, arms in files.items():
        for arm, paths in arms.items():
            if len(paths) != len(args.seeds):
                raise ConfigError(f"{len(paths)} files of {modality} for `{arm}` but {len(args.seeds)} seeds")

    def compared(item: TrialList) -> Comparison | None:
        if item.trials is None:
            return None
        return compare_arms(
            item.trials,
            read_arms(item.trials, files, args.seeds, cohort),
            cohort=cohort,
            definition=args.eer,
            replicates=args.bootstrap,
            seed=args.bootstrap_seed,
        )

    fused = pd.read_csv(args.fusion) if args.fusion else pd.DataFrame()
    if len(fused):
        fused = fused[(fused["condition"] == "whole") & (fused["protocol"] == "full")]
        fused = fused.rename(columns={"model": "system"})
    gains, runs, curves, facts_of = [], [], [], []
    for item in trial_lists:
        reason = ""
        try:
            found = compared(item)
        except NothingScoredError as error:
            if item.labels == OFFICIAL:
                raise
            found, reason = None, str(error)
        facts_of.append(item.facts(reason))
        if found is None:
            continue
        gains.append(found.gains.assign(**item.columns()))
        if len(fused) and item.labels in set(fused["labels"]):
            gains.append(fused.loc[fused["labels"] == item.labels, [c for c in gains[-1] if c in fused]])
        runs.append(found.runs.assign(labels=item.labels))
        curves.append(found.curves.assign(labels=item.labels))
    if not gains:
        reasons = "; ".join(dict.fromkeys(f["left_out"] for f in facts_of))
        raise AvsieveError(f"there is nothing to compare on: {reasons}; name a trial list in evaluation.trials")
    table = pd.concat(gains, ignore_index=True)
    facts = {
        **next(f for f in facts_of if not f["left_out"]),
        "trial_lists": facts_of,
        "eer_definition": args.eer,
        "seeds": args.seeds,
        "bootstrap": args.bootstrap,
        "lists": lists,
        "as_norm": None if cohort is None else {"cohort_sha256": sha256_of(args.cohort), "top": args.top},
        "versions": versions("numpy"),
    }
    records = table.astype(object).where(table.notna(), None).to_dict("records")
    text = comparison_text(facts, records)
    write_text(args.table, table.assign(eer_definition=args.eer).to_csv(index=False, float_format="%.6f", na_rep="-"))
    ran = pd.concat(runs, ignore_index=True).to_dict("records")
    write_json(args.facts, facts | {"gains": records, "runs": ran, "text": text})
    write_table(args.curves, pd.concat(curves, ignore_index=True))
    write_text(args.text, text)
    print(text, end="")


if __name__ == "__main__":
    run(main)
