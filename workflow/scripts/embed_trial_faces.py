"""Embed the faces of a trial list, and of a cohort, from the shards of aligned faces with a trained encoder."""

from __future__ import annotations

from pathlib import Path

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
    ap.add_argument("--pooling", choices=["quality", "mean"], default="quality", help="weight of an utterance's faces")
    ap.add_argument("--batch", type=int, default=64, help="faces in a batch")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    ap.add_argument("--out", type=Path, required=True, help="embeddings to write (Parquet)")
    args = ap.parse_args()

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
