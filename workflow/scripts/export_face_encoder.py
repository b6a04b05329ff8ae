"""Export a trained face encoder as ONNX for InsightFace, and measure it on rendered people it was not trained on."""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Export, load through InsightFace, measure."""
    ap = parser(__doc__)
    ap.add_argument("--arch", required=True, help="architecture of the weights")
    ap.add_argument("--weights", type=Path, required=True, help="weights from train_visual (safetensors)")
    ap.add_argument("--trained", type=Path, required=True, help="provenance of the training, to be quoted")
    ap.add_argument("--held-out-faces", type=Path, required=True, help="tar of aligned faces of other people")
    ap.add_argument("--held-out-detections", type=Path, required=True, help="their table of detections")
    ap.add_argument("--model", type=Path, required=True, help="ONNX file to write")
    ap.add_argument("--provenance", type=Path, required=True, help="JSON to write beside it")
    args = ap.parse_args()

    import cv2

    from avsieve.encoders.onnx_face import OnnxFaceEncoder
    from avsieve.encoders.visual import load_visual_encoder
    from avsieve.storage.provenance import sha256_of, write_provenance
    from avsieve.training.encoder.visual_evaluation import measure_encoder
    from avsieve.training.shipped.onnx_export import export_face_encoder

    cv2.setNumThreads(1)
    network = load_visual_encoder(args.arch, args.weights)
    export_face_encoder(network, args.model)
    measured = measure_encoder(OnnxFaceEncoder(args.model), args.held_out_faces, args.held_out_detections)
    write_provenance(
        args.provenance,
        stage="export_face_encoder",
        packages=["torch", "onnx", "insightface", "onnxruntime", "numpy", "opencv-python"],
        sha256=sha256_of(args.model),
        weights_sha256=sha256_of(args.weights),
        arch=args.arch,
        parameters=sum(p.numel() for p in network.parameters()),
        trained_on="avsieve.training.shipped.rendered_faces, entropy [2, seed, person], aligned by the detector",
        training_sha256=sha256_of(args.trained),
        measured_on_held_out_people={k: round(v, 5) for k, v in measured.items()},
    )


if __name__ == "__main__":
    run(main)
