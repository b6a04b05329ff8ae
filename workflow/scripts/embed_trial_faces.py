"""Embed the faces of a trial list, and of a cohort, from the shards of aligned faces with a trained encoder."""

from __future__ import annotations

from pathlib import Path

from avsieve.encoders.settings import Visual
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Embed."""
    ap = parser(__doc__)
    ap.add_argument("--trials", type=Path, nargs="+", required=True, help="trial lists: label enrol.wav test.wav")
    ap.add_argument("--cohort", type=Path, help="list of the cohort of the AS-norm, 'speaker wav seconds'")
    ap.add_argument("--faces", type=Path, nargs="+", required=True, help="shards of aligned faces")
    ap.add_argument("--detections", type=Path, nargs="+", required=True, help="their tables of detections")
    ap.add_argument("--arch", required=True, help="architecture")
    ap.add_argument("--checkpoint", type=Path, required=True, help="weights")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, required=True, help="threads of torch")
    ap.add_argument("--out", type=Path, required=True, help="embeddings to write (Parquet)")
    add_settings(ap, Visual, only=["pooling", "batch"], required=True)
    args = ap.parse_args()
    args.device = own_gpus(args.device)

    import torch

    from avsieve.comparison.faces import embed_faces_of
    from avsieve.comparison.selection import wanted_utterances
    from avsieve.embedding_files.own_tables import write_embeddings
    from avsieve.encoders.device import pick_device

    torch.set_num_threads(args.threads)
    utterances, embeddings = embed_faces_of(
        wanted_utterances(args.trials, args.cohort),
        args.faces,
        args.detections,
        arch=args.arch,
        checkpoint=args.checkpoint,
        device=pick_device(args.device),
        pooling=args.pooling,
        batch=args.batch,
    )
    write_embeddings(args.out, utterances, embeddings)


if __name__ == "__main__":
    run(main)
