"""Embed the utterances of trial lists with a joint model, as they are and damaged; what the evaluation scores."""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Embed."""
    ap = parser(__doc__)
    ap.add_argument("--model", type=Path, required=True, help="joint model (safetensors)")
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--wav", type=Path, nargs="+", required=True, help="tars of wavs")
    ap.add_argument("--faces", type=Path, nargs="+", required=True, help="tars of aligned faces")
    ap.add_argument("--damage-table", type=Path, help="what is done to which utterance under each condition (Parquet)")
    ap.add_argument("--damaged-wav", type=Path, nargs="*", default=[], help="tars of damaged voices")
    ap.add_argument("--damaged-faces", type=Path, nargs="*", default=[], help="tars of damaged faces")
    ap.add_argument("--cohort", type=Path, help="list of the cohort of the AS-norm, 'speaker wav seconds'")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--precision", required=True, choices=["fp32", "bf16", "fp16"], help="of the arithmetic")
    ap.add_argument("--threads", type=int, required=True, help="CPU threads of torch")
    ap.add_argument("--out", type=Path, required=True, help="embeddings to write (Parquet)")
    args = ap.parse_args()
    args.device = own_gpus(args.device)

    # Only now: the arguments are read, and torch takes seconds to import.
    import torch

    from avsieve.encoders.device import pick_device
    from avsieve.joint.embed import SignalFiles, embed_trials

    torch.set_num_threads(args.threads)
    done = embed_trials(
        args.model,
        args.trials,
        SignalFiles(args.wav, args.faces, args.damaged_wav, args.damaged_faces),
        args.out,
        damage=args.damage_table,
        cohort=args.cohort,
        device=pick_device(args.device),
        precision=args.precision,
    )
    print(done)


if __name__ == "__main__":
    run(main)
