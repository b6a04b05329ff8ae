"""Embed the aligned faces of one shard: each face, and one pooled embedding for each utterance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avsieve.runtime.scripting import parser, run

if TYPE_CHECKING:
    from avsieve.encoders.onnx_face import OnnxFaceEncoder
    from avsieve.encoders.torch_face import TorchFaceEncoder


def encoder_of(
    arch: str, model: str, *, channels: str, precision: str, device: str, threads: int
) -> OnnxFaceEncoder | TorchFaceEncoder:
    """Load the encoder; only what it needs is imported."""
    if arch == "onnx":
        from avsieve.encoders.onnx_face import OnnxFaceEncoder

        if precision != "fp32":
            from avsieve.errors import ConfigError

            raise ConfigError(f"visual.precision: {precision!r} has no effect on an ONNX file; set it to fp32")
        return OnnxFaceEncoder(model, device=device, threads=threads)
    from avsieve.encoders.torch_face import TorchFaceEncoder

    return TorchFaceEncoder(arch, model, channels=channels, precision=precision, device=device, threads=threads)


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
    ap.add_argument("--arch", default="onnx", help="onnx (InsightFace), or an architecture such as iresnet50")
    ap.add_argument("--model", default="builtin", help="'builtin', an .onnx file or pack, or a checkpoint of the arch")
    ap.add_argument("--channels", choices=["auto", "rgb", "bgr"], default="auto", help="what a torch network takes")
    ap.add_argument(
        "--pooling", choices=["quality", "mean"], default="quality", help="weight of the frames of an utterance"
    )
    ap.add_argument("--batch", type=int, default=64, help="faces the network takes at a time")
    ap.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32", help="of a torch network")
    ap.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    ap.add_argument("--threads", type=int, default=1, help="threads of the network")
    args = ap.parse_args()

    import cv2

    from avsieve.encoders.embed_visual import embed_shard
    from avsieve.storage.provenance import write_provenance
    from avsieve.storage.reasons import Reason
    from avsieve.storage.tables import read_table

    cv2.setNumThreads(1)
    encoder = encoder_of(
        args.arch,
        args.model,
        channels=args.channels,
        precision=args.precision,
        device=args.device,
        threads=args.threads,
    )
    aligned = read_table(args.aligned, ["utterance", "code"])
    status = embed_shard(
        args.faces,
        args.detections,
        aligned["utterance"].tolist(),
        encoder,
        embeddings=args.embeddings,
        frame_embeddings=args.frame_embeddings,
        pooling=args.pooling,
        batch=args.batch,
    )
    status.check(args.max_failed, already_failed=int((aligned["code"] != Reason.OK.value).sum()))
    status.write(args.status)
    runtime = ["insightface", "onnxruntime"] if args.arch == "onnx" else ["torch"]
    write_provenance(
        args.provenance,
        stage="embed_visual",
        packages=[*runtime, "opencv-python", "numpy"],
        pooling=args.pooling,
        batch=args.batch,
        dim=encoder.dim,
        **encoder.facts,
    )


if __name__ == "__main__":
    run(main)
