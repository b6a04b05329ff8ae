"""Evaluate every fusion model, trained or not, on one trial list; write the results, the gains and the DET curves."""

from __future__ import annotations

from pathlib import Path

from avsieve.evaluation.metrics import EER_DEFINITIONS
from avsieve.scripting import parser, run


def main() -> None:
    """Evaluate."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, required=True, help="trial list: label enrol.wav test.wav")
    ap.add_argument("--audio", type=Path, nargs="*", default=[], help="audio embeddings of the shards (Parquet)")
    ap.add_argument("--visual", type=Path, nargs="*", default=[], help="visual embeddings of the shards (Parquet)")
    ap.add_argument("--models", type=Path, nargs="*", default=[], help="trained models (safetensors)")
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
    import torch

    from avsieve.atomic import write_text
    from avsieve.encoders.device import pick_device
    from avsieve.evaluation.trials import read_trials
    from avsieve.fusion.checkpoint import load_fusion
    from avsieve.fusion.evaluation import System, evaluate_systems, untrained_systems
    from avsieve.fusion.inputs import Inputs, read_side
    from avsieve.provenance import sha256_of, write_provenance
    from avsieve.tables import write_table

    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    trials = read_trials(args.trials)
    known, digest = trials.recognise(), sha256_of(args.trials)
    inputs = Inputs(
        trials.utterances, read_side(trials.utterances, args.audio), read_side(trials.utterances, args.visual)
    )
    systems = untrained_systems(inputs)
    for path in sorted(args.models):
        trained = load_fusion(path, device)
        systems.append(System(trained.model, trained.trained_on, trained.seed, frozenset(trained.speakers)))
    outcome = evaluate_systems(
        trials,
        inputs,
        systems,
        definition=args.eer,
        replicates=args.bootstrap,
        damage_share=args.damage_share,
        seed=args.seed,
    )
    source = {
        "trials": known.name,
        "trials_version": known.version,
        "trials_sha256": digest,
        "eer_definition": args.eer,
    }
    write_text(args.results, outcome.results.assign(**source).to_csv(index=False, float_format="%.6f", na_rep="-"))
    write_text(args.gains, outcome.gains.to_csv(index=False, float_format="%.6f") if len(outcome.gains) else "model\n")
    write_table(args.curves, outcome.curves)
    write_provenance(
        args.provenance,
        stage="evaluate_fusion",
        packages=["torch", "numpy"],
        **source,
        device=device.type,
        bootstrap=args.bootstrap,
        models={
            path.name if path.parent == path else f"{path.parent.name}/{path.name}": sha256_of(path)
            for path in args.models
        },
    )
    print(outcome.results[["model", "trained_on", "condition", "eer", "n_missing"]].to_string(index=False))


if __name__ == "__main__":
    run(main)
