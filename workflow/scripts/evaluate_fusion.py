"""Evaluate every fusion model, trained or not, on each trial list; write the results, the gains and the DET curves.

With a cohort the normalised scores (AS-norm) stand beside the raw ones, with segments and faces their mean cosines
beside those of whole utterances.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.evaluation.labels import LABELS, OFFICIAL
from avsieve.evaluation.metrics import EER_DEFINITIONS
from avsieve.runtime.scripting import parser, run

if TYPE_CHECKING:
    from avsieve.evaluation.scoring import Part


def main() -> None:
    """Evaluate."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--labels", nargs="*", default=[], choices=LABELS, help="what the labels of each stand on")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind: what labels of `truth` stand on")
    ap.add_argument("--audio", type=Path, nargs="*", default=[], help="audio embeddings of the shards (Parquet)")
    ap.add_argument("--visual", type=Path, nargs="*", default=[], help="visual embeddings of the shards (Parquet)")
    ap.add_argument("--models", type=Path, nargs="*", default=[], help="trained models (safetensors)")
    ap.add_argument(
        "--audio-segments", type=Path, nargs="*", default=[], help="embeddings of segments: several rows an utterance"
    )
    ap.add_argument("--visual-frames", type=Path, nargs="*", default=[], help="embeddings of single faces")
    ap.add_argument("--frames", type=int, default=5, help="faces of an utterance in the segment protocol")
    ap.add_argument("--cohort", type=Path, help="list of the cohort of the AS-norm, 'speaker wav seconds'")
    ap.add_argument("--top", type=int, default=300, help="nearest cohort speakers that count")
    ap.add_argument("--trained-on", type=Path, nargs="*", default=[], help="lists that the encoders were trained on")
    ap.add_argument("--eer", choices=EER_DEFINITIONS, default="interpolated", help="definition of the EER")
    ap.add_argument("--bootstrap", type=int, default=1000, help="draws behind the intervals, speakers resampled")
    ap.add_argument("--damage-share", type=float, default=0.0, help="evaluate also with this share lacking a modality")
    ap.add_argument("--bootstrap-seed", type=int, default=0, help="seed of the bootstrap and of the damage")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    ap.add_argument("--builtin", nargs="*", default=[], help="shipped models on data that they do not know: keys")
    ap.add_argument("--results", type=Path, required=True, help="results to write (CSV)")
    ap.add_argument("--gains", type=Path, required=True, help="gains by the cleansing to write (CSV)")
    ap.add_argument("--curves", type=Path, required=True, help="DET curves to write (Parquet)")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    args = ap.parse_args()

    # Only now: the arguments are read, and torch takes seconds to import.
    import pandas as pd
    import torch

    from avsieve.encoders.device import pick_device
    from avsieve.evaluation.as_norm import Cohort
    from avsieve.evaluation.results import NothingScoredError, listed_speakers, refuse_seen_speakers
    from avsieve.evaluation.segments import read_segments
    from avsieve.evaluation.trial_lists import TrialList, read_trial_lists
    from avsieve.fusion.checkpoint import left_out as model_left_out
    from avsieve.fusion.checkpoint import load_fusion
    from avsieve.fusion.inputs import Inputs, read_side
    from avsieve.fusion.systems import (
        CURVE_COLUMNS,
        GAIN_COLUMNS,
        RESULT_COLUMNS,
        Normalisation,
        Outcome,
        System,
        evaluate_systems,
        untrained_systems,
    )
    from avsieve.lists.layouts import read_corpus_list
    from avsieve.report.detection import read_truth
    from avsieve.storage.atomic import write_text
    from avsieve.storage.provenance import sha256_of, write_provenance
    from avsieve.storage.tables import write_table

    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    known = set(read_truth(args.truth)["utterance"]) if args.truth else None
    lists = read_trial_lists(args.trials, args.labels, known)
    trained, untrained_models = [], {}
    for path in sorted(args.models):
        name = path.name if path.parent == path else f"{path.parent.name}/{path.name}"
        if reason := model_left_out(path):
            print(f"WARNING: {name} was not trained: {reason}")
            untrained_models[name] = reason
            continue
        model = load_fusion(path, device)
        trained.append(System(model.model, model.trained_on, model.seed, frozenset(model.speakers)))
    rows_of = {"audio": (args.audio_segments, None), "visual": (args.visual_frames, args.frames)}

    def segments_of(utterances: list[str]) -> dict[str, Part]:
        return {m: read_segments(utterances, paths, n) for m, (paths, n) in rows_of.items() if paths}

    def inputs_of(utterances: list[str]) -> Inputs:
        return Inputs(utterances, read_side(utterances, args.audio), read_side(utterances, args.visual))

    normalisation = None
    if args.cohort and any(item.trials is not None for item in lists):
        names = read_corpus_list(args.cohort)["utterance"].tolist()
        normalisation = Normalisation(Cohort(names, args.top), inputs_of(names), segments_of(names))

    def evaluated(item: TrialList) -> Outcome | None:
        trials = item.trials
        if trials is None:
            return None
        for path in args.trained_on:
            refuse_seen_speakers(trials, listed_speakers(path), f"an encoder trained on {path}")
        inputs = inputs_of(trials.utterances)
        return evaluate_systems(
            trials,
            inputs,
            [*untrained_systems(inputs), *trained],
            definition=args.eer,
            replicates=args.bootstrap,
            damage_share=args.damage_share,
            segments=segments_of(trials.utterances),
            normalisation=normalisation,
            # A list that the user names is evaluated or it is an error; what a run makes of itself may not suffice.
            lenient=item.labels != OFFICIAL,
            seed=args.bootstrap_seed,
        )

    results, gains, curves, facts = [], [], [], []
    for item in lists:
        reason = ""
        try:
            outcome = evaluated(item)
        except NothingScoredError as error:
            if item.labels == OFFICIAL:
                raise
            outcome, reason = None, str(error)
        facts.append(item.facts(reason))
        if outcome is None:
            print(f"WARNING: {LABELS[item.labels]}: left out: {facts[-1]['left_out']}")
            continue
        columns = item.columns() | {"eer_definition": args.eer}
        results.append(outcome.results.assign(**columns))
        gains.append(outcome.gains.assign(**columns))
        curves.append(outcome.curves.assign(labels=item.labels))
        shown = ["labels", "model", "trained_on", "condition", "protocol", "scores", "eer", "n_missing"]
        print(results[-1][shown].to_string(index=False))

    def joined(tables: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
        whole = [table for table in tables if len(table)]
        return pd.concat(whole, ignore_index=True) if whole else pd.DataFrame(columns=columns)

    own = ["labels", "trials", "trials_version", "trials_sha256", "eer_definition"]
    table = joined(results, [*RESULT_COLUMNS, *own])
    write_text(args.results, table.to_csv(index=False, float_format="%.6f", na_rep="-"))
    write_text(args.gains, joined(gains, [*GAIN_COLUMNS, *own]).to_csv(index=False, float_format="%.6f"))
    write_table(args.curves, joined(curves, [*CURVE_COLUMNS, "labels"]))
    write_provenance(
        args.provenance,
        stage="evaluate_fusion",
        packages=["torch", "numpy"],
        trial_lists=facts,
        left_out="" if results else "; ".join(dict.fromkeys(f["left_out"] for f in facts)),
        models_left_out=untrained_models,
        builtin_models=args.builtin,
        eer_definition=args.eer,
        device=device.type,
        bootstrap=args.bootstrap,
        as_norm={"cohort_sha256": sha256_of(args.cohort), "top": args.top} if args.cohort else None,
        models={
            path.name if path.parent == path else f"{path.parent.name}/{path.name}": sha256_of(path)
            for path in args.models
        },
    )


if __name__ == "__main__":
    run(main)
