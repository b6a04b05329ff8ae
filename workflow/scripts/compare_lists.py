"""Evaluate what was trained on the full and on the cleansed list on the same trials, and state the difference."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from avsieve.atomic import write_json, write_text
from avsieve.comparison.worth import compare_arms, read_arms
from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import ConfigError
from avsieve.evaluation.as_norm import Cohort
from avsieve.evaluation.metrics import EER_DEFINITIONS
from avsieve.evaluation.results import refuse_seen_speakers
from avsieve.evaluation.trials import read_trials
from avsieve.provenance import sha256_of, versions
from avsieve.report.comparison import comparison_text
from avsieve.scripting import parser, run
from avsieve.tables import write_table

ARMS = ("all", "clean")


def main() -> None:
    """Compare."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, required=True, help="trial list: label enrol.wav test.wav")
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
    ap.add_argument("--seed", type=int, default=0, help="seed of the bootstrap")
    ap.add_argument("--table", type=Path, required=True, help="gains to write (CSV)")
    ap.add_argument("--facts", type=Path, required=True, help="all of it to write (JSON)")
    ap.add_argument("--curves", type=Path, required=True, help="DET curves to write (Parquet)")
    ap.add_argument("--text", type=Path, required=True, help="short text to write")
    args = ap.parse_args()

    trials = read_trials(args.trials)
    known = trials.recognise()
    lists = {}
    for arm in ARMS:
        path = getattr(args, f"list_{arm}")
        rows = read_corpus_list(path)
        refuse_seen_speakers(trials, set(rows["speaker"]), f"what was trained on {path.name}")
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
    found = compare_arms(
        trials,
        read_arms(trials, files, args.seeds, cohort),
        cohort=cohort,
        definition=args.eer,
        replicates=args.bootstrap,
        seed=args.seed,
    )
    gains = found.gains
    if args.fusion:
        fused = pd.read_csv(args.fusion)
        if "protocol" in fused:
            fused = fused[(fused["condition"] == "whole") & (fused["protocol"] == "full")]
            gains = pd.concat([gains, fused.rename(columns={"model": "system"})[[*gains]]], ignore_index=True)
    source = {
        "trials": known.name,
        "trials_version": known.version,
        "trials_sha256": sha256_of(args.trials),
        "eer_definition": args.eer,
    }
    facts = source | {
        "n_trials": len(trials),
        "n_targets": trials.n_targets,
        "n_speakers": len(trials.speakers()[0]),
        "seeds": args.seeds,
        "bootstrap": args.bootstrap,
        "lists": lists,
        "as_norm": None if cohort is None else {"cohort_sha256": sha256_of(args.cohort), "top": args.top},
        "versions": versions("numpy"),
    }
    records = gains.astype(object).where(gains.notna(), None).to_dict("records")
    text = comparison_text(facts, records)
    runs = found.runs.to_dict("records")
    write_text(args.table, gains.assign(**source).to_csv(index=False, float_format="%.6f", na_rep="-"))
    write_json(args.facts, facts | {"gains": records, "runs": runs, "text": text})
    write_table(args.curves, found.curves)
    write_text(args.text, text)
    print(text, end="")


if __name__ == "__main__":
    run(main)
