"""Evaluate every fusion model, trained or not, on each trial list; write the results, the gains and the DET curves.

With a cohort the normalised scores (AS-norm) stand beside the raw ones; by the protocol `both` mean cosines of segments
and faces beside those of whole utterances; with a table of damages each of its conditions, and all of them pooled.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.config.evaluation import Evaluation
from avsieve.evaluation.labels import LABELS
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run

SETTINGS = ["trained_on", "eer", "bootstrap", "protocol", "frames", "bootstrap_seed"]


def main() -> None:
    """Evaluate."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--labels", nargs="*", default=[], choices=LABELS, help="where the labels of each come from")
    ap.add_argument("--trials-name", nargs="*", default=[], help="what the user calls each, if anything")
    ap.add_argument("--truth", type=Path, help="CSV of utterance and kind: the truth behind the labels `truth`")
    ap.add_argument("--audio", type=Path, nargs="*", default=[], help="audio embeddings of the shards (Parquet)")
    ap.add_argument("--visual", type=Path, nargs="*", default=[], help="visual embeddings of the shards (Parquet)")
    ap.add_argument("--models", type=Path, nargs="*", default=[], help="trained models (safetensors)")
    ap.add_argument("--joint", type=Path, nargs="*", default=[], help="what joint models made of the trials (Parquet)")
    ap.add_argument(
        "--audio-segments", type=Path, nargs="*", default=[], help="embeddings of segments: several rows per utterance"
    )
    ap.add_argument("--visual-frames", type=Path, nargs="*", default=[], help="embeddings of single faces")
    ap.add_argument("--damage-table", type=Path, help="what is done to which utterance under each condition (Parquet)")
    ap.add_argument("--damaged-audio", type=Path, nargs="*", default=[], help="embeddings of damaged voices")
    ap.add_argument("--damaged-visual", type=Path, nargs="*", default=[], help="embeddings of damaged faces")
    ap.add_argument("--damaged-audio-segments", type=Path, nargs="*", default=[], help="of segments of damaged voices")
    ap.add_argument("--damaged-visual-frames", type=Path, nargs="*", default=[], help="of single damaged faces")
    ap.add_argument("--cohort", type=Path, help="list of the cohort of the AS-norm, 'speaker wav seconds'")
    ap.add_argument("--top", type=int, help="nearest cohort speakers that count")
    add_settings(ap, Evaluation, only=SETTINGS, required=True)
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, required=True, help="CPU threads of torch")
    ap.add_argument("--builtin", nargs="*", default=[], help="shipped models on data that they do not know: keys")
    ap.add_argument("--results", type=Path, required=True, help="results to write (CSV)")
    ap.add_argument("--gains", type=Path, required=True, help="gains by the cleansing to write (CSV)")
    ap.add_argument("--curves", type=Path, required=True, help="DET curves to write (Parquet)")
    ap.add_argument("--against", type=Path, required=True, help="comparisons with the baselines to write (CSV)")
    ap.add_argument("--times", type=Path, required=True, help="how long each model took, to write (CSV)")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    args = ap.parse_args()
    args.device = own_gpus(args.device)
    if args.cohort and args.top is None:
        ap.error("--cohort needs --top")

    # Only now: the arguments are read, and torch takes seconds to import.
    import torch

    from avsieve.encoders.device import pick_device
    from avsieve.evaluation.trial_lists import read_trial_lists
    from avsieve.fusion.evaluate_files import EmbeddingFiles, evaluate_lists, facts_of_cohort, name_of
    from avsieve.joint.embedded import embedded_systems
    from avsieve.report.detection import read_truth
    from avsieve.storage.provenance import sha256_of, write_provenance

    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    known = set(read_truth(args.truth)["utterance"]) if args.truth else None
    joint, missing = embedded_systems(args.joint)
    tables = evaluate_lists(
        read_trial_lists(args.trials, args.labels, known, args.trials_name),
        EmbeddingFiles(
            args.audio,
            args.visual,
            args.audio_segments,
            args.visual_frames,
            args.frames,
            args.damaged_audio,
            args.damaged_visual,
            args.damaged_audio_segments,
            args.damaged_visual_frames,
            by_segments=args.protocol == "both",
            scratch=args.results.parent,
        ),
        args.models,
        trained_on=args.trained_on,
        cohort=args.cohort,
        top=args.top,
        definition=args.eer,
        replicates=args.bootstrap,
        damage=args.damage_table,
        seed=args.bootstrap_seed,
        device=device,
        joint=joint,
    )
    tables.models_left_out.update(missing)
    tables.write(results=args.results, gains=args.gains, curves=args.curves, against=args.against, times=args.times)
    write_provenance(
        args.provenance,
        stage="evaluate_fusion",
        packages=["torch", "numpy"],
        trial_lists=tables.lists,
        left_out=tables.left_out,
        models_left_out=tables.models_left_out,
        builtin_models=args.builtin,
        eer_definition=args.eer,
        device=device.type,
        bootstrap=args.bootstrap,
        as_norm=facts_of_cohort(args.cohort, args.top),
        damage_sha256=sha256_of(args.damage_table) if args.damage_table else None,
        models={name_of(path): sha256_of(path) for path in [*args.models, *args.joint]},
    )


if __name__ == "__main__":
    run(main)
