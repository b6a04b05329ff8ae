"""Embed the aligned faces of one shard: each face, and one pooled embedding per utterance."""

from __future__ import annotations

from pathlib import Path

from avsieve.encoders.settings import Visual
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Embed one shard."""
    ap = parser(__doc__)
    ap.add_argument("--faces", type=Path, required=True, help="tar of aligned faces from align_faces")
    ap.add_argument("--detections", type=Path, required=True, help="table of detections from align_faces")
    ap.add_argument("--aligned", type=Path, required=True, help="status table of align_faces")
    ap.add_argument("--embeddings", type=Path, required=True, help="embeddings of utterances to write")
    ap.add_argument("--frame-embeddings", type=Path, required=True, help="embeddings of single faces to write")
    ap.add_argument("--status", type=Path, required=True, help="status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, required=True, help="threads of the network")
    add_settings(ap, Visual, required=True)
    args = ap.parse_args()
    args.device = own_gpus(args.device)
    settings = settings_of(Visual, args)

    from avsieve.encoders.embed_visual import embed_aligned
    from avsieve.storage.provenance import write_provenance

    status, facts = embed_aligned(
        args.faces,
        args.detections,
        args.aligned,
        settings,
        device=args.device,
        threads=args.threads,
        max_failed=args.max_failed,
        embeddings=args.embeddings,
        frame_embeddings=args.frame_embeddings,
    )
    status.write(args.status)
    write_provenance(args.provenance, stage="embed_visual", **facts)


if __name__ == "__main__":
    run(main)
