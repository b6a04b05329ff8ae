"""Evaluate every fusion model, trained or not, on one trial list; write the results, the gains and the DET curves.

With a cohort the normalised scores (AS-norm) stand beside the raw ones, with segments and faces their mean cosines
beside those of whole utterances.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.evaluation.metrics import EER_DEFINITIONS
from avsieve.scripting import parser, run

if TYPE_CHECKING:
    from avsieve.evaluation.scoring import Part


def main() -> None:
    """Evaluate."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, required=True, help="trial list: label enrol.wav test.wav")
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
    ap.add_argument("--seed", type=int, default=0, help="seed of the bootstrap and of the damage")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    ap.add_argument("--results", type=Path, required=True, help="results to write (CSV)")
    ap.add_argument("--gains", type=Path, required=True, help="gains by the cleansing to write (CSV)")
    ap.add_argument("--curves", type=Path, required=True, help="DET curves to write (Parquet)")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    args = ap.parse_args()

    # Only now: the arguments are read, and torch takes seconds to import.
    import pandas as pd
    import torch

    from avsieve.atomic import write_text
    from avsieve.corpus_lists import read_corpus_list
    from avsieve.encoders.device import pick_device
    from avsieve.evaluation.as_norm import Cohort
    from avsieve.evaluation.results import listed_speakers, refuse_seen_speakers
    from avsieve.evaluation.segments import read_segments
    from avsieve.evaluation.trials import left_out, read_trials
    from avsieve.fusion.checkpoint import left_out as model_left_out
    from avsieve.fusion.checkpoint import load_fusion
    from avsieve.fusion.evaluation import Normalisation, System, evaluate_systems, untrained_systems
    from avsieve.fusion.inputs import Inputs, read_side
    from avsieve.provenance import sha256_of, write_provenance
    from avsieve.tables import write_table

    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    if reason := left_out(args.trials):
        write_text(args.results, "model,trained_on,condition\n")
        write_text(args.gains, "model\n")
        write_table(args.curves, pd.DataFrame({"model": pd.Series(dtype=str)}))
        write_provenance(args.provenance, stage="evaluate_fusion", packages=["torch", "numpy"], left_out=reason)
        print(f"WARNING: the evaluation is left out: {reason}")
        return
    trials = read_trials(args.trials)
    known, digest = trials.recognise(), sha256_of(args.trials)
    for path in args.trained_on:
        refuse_seen_speakers(trials, listed_speakers(path), f"an encoder trained on {path}")
    inputs = Inputs(
        trials.utterances, read_side(trials.utterances, args.audio), read_side(trials.utterances, args.visual)
    )
    systems = untrained_systems(inputs)
    for path in sorted(args.models):
        if reason := model_left_out(path):
            print(f"WARNING: {path.stem} was not trained: {reason}")
            continue
        trained = load_fusion(path, device)
        systems.append(System(trained.model, trained.trained_on, trained.seed, frozenset(trained.speakers)))
    rows_of = {"audio": (args.audio_segments, None), "visual": (args.visual_frames, args.frames)}

    def segments_of(utterances: list[str]) -> dict[str, Part]:
        return {m: read_segments(utterances, paths, n) for m, (paths, n) in rows_of.items() if paths}

    normalisation = None
    if args.cohort:
        names = read_corpus_list(args.cohort)["utterance"].tolist()
        others = Inputs(names, read_side(names, args.audio), read_side(names, args.visual))
        normalisation = Normalisation(Cohort(names, args.top), others, segments_of(names))
    outcome = evaluate_systems(
        trials,
        inputs,
        systems,
        definition=args.eer,
        replicates=args.bootstrap,
        damage_share=args.damage_share,
        segments=segments_of(trials.utterances),
        normalisation=normalisation,
        seed=args.seed,
    )
    source = {
        "trials": known.name,
        "trials_version": known.version,
        "trials_sha256": digest,
        "eer_definition": args.eer,
    }
    write_text(args.results, outcome.results.assign(**source).to_csv(index=False, float_format="%.6f", na_rep="-"))
    gains = outcome.gains.assign(**source)
    write_text(args.gains, gains.to_csv(index=False, float_format="%.6f") if len(gains) else "model\n")
    write_table(args.curves, outcome.curves)
    write_provenance(
        args.provenance,
        stage="evaluate_fusion",
        packages=["torch", "numpy"],
        **source,
        device=device.type,
        bootstrap=args.bootstrap,
        as_norm={"cohort_sha256": sha256_of(args.cohort), "top": args.top} if args.cohort else None,
        models={
            path.name if path.parent == path else f"{path.parent.name}/{path.name}": sha256_of(path)
            for path in args.models
        },
    )
    print(
        outcome.results[["model", "trained_on", "condition", "protocol", "scores", "eer", "n_missing"]].to_string(
            index=False
        )
    )


if __name__ == "__main__":
    run(main)
