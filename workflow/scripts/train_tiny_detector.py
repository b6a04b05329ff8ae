"""Train the shipped face detector on rendered people, and measure it on others.

The output is an ONNX file in SCRFD's layout with a JSON beside it that says what it was trained on and how good it is.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Train, export, measure."""
    ap = parser(__doc__)
    ap.add_argument("--frames", type=Path, required=True, help="tar of rendered frames (render_people)")
    ap.add_argument("--truth", type=Path, required=True, help="their boxes and landmarks")
    ap.add_argument("--held-out-frames", type=Path, required=True, help="tar of frames of other people")
    ap.add_argument("--held-out-truth", type=Path, required=True, help="their boxes and landmarks")
    ap.add_argument("--model", type=Path, required=True, help="ONNX file to write")
    ap.add_argument("--provenance", type=Path, required=True, help="JSON to write beside it")
    ap.add_argument("--steps", type=int, required=True, help="steps of training")
    ap.add_argument("--batch", type=int, required=True, help="images a step")
    ap.add_argument("--lr", type=float, required=True, help="highest learning rate")
    ap.add_argument("--size", type=int, required=True, help="side of the training images, pixels")
    ap.add_argument("--seed", type=int, required=True, help="decides weights and images")
    args = ap.parse_args()

    import cv2
    import torch

    from avsieve.storage.provenance import sha256_of, write_provenance
    from avsieve.training.shipped.detector_data import DetectorImages
    from avsieve.training.shipped.detector_fit import export_detector, measure_detector, read_people, train_detector

    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    jpegs, boxes, marks = read_people(args.frames, args.truth)
    images = DetectorImages(jpegs, boxes, marks, size=args.size, seed=args.seed)
    network = train_detector(images, steps=args.steps, batch=args.batch, lr=args.lr, seed=args.seed)
    export_detector(network, args.model)
    measured = measure_detector(args.model, args.held_out_frames, args.held_out_truth, size=224)
    write_provenance(
        args.provenance,
        stage="train_tiny_detector",
        packages=["torch", "onnx", "insightface", "onnxruntime", "numpy", "opencv-python"],
        sha256=sha256_of(args.model),
        trained_on={
            "frames": len(jpegs),
            "people": "avsieve.training.shipped.rendered_faces, entropy [2, seed, n]",
        },
        settings={"steps": args.steps, "batch": args.batch, "lr": args.lr, "size": args.size, "seed": args.seed},
        parameters=sum(p.numel() for p in network.parameters()),
        measured_on_held_out_people={k: round(v, 5) for k, v in measured.items()},
    )


if __name__ == "__main__":
    run(main)
