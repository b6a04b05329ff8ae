"""Find, follow and align the faces of one shard: 112 x 112, five landmarks, ArcFace's template.

A frame shows the face of the track that is largest and nearest the centre. Several faces, none, and faces with too low
a score are recorded in the table of detections.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.scripting import parser, run


def main() -> None:
    """Align one shard."""
    ap = parser(__doc__)
    ap.add_argument("--frames", type=Path, required=True, help="tar of frames from extract_media")
    ap.add_argument("--extracted", type=Path, required=True, help="status table of extract_media")
    ap.add_argument("--faces", type=Path, required=True, help="tar of the aligned faces to write")
    ap.add_argument("--detections", type=Path, required=True, help="table of detections to write")
    ap.add_argument("--status", type=Path, required=True, help="status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--detector", default="builtin", help="'builtin', an .onnx file, a folder or an InsightFace pack")
    ap.add_argument("--detector-size", type=int, required=True, help="side of the detector's input, pixels")
    ap.add_argument("--min-score", type=float, default=0.5, help="faces with a lower score are not used")
    ap.add_argument("--jpeg-quality", type=int, default=95, help="quality of the faces' JPEGs")
    ap.add_argument("--device", default="cpu", help="cpu, cuda or auto")
    args = ap.parse_args()

    import cv2

    from avsieve.faces.align import align_shard, utterances_of
    from avsieve.faces.detector import FaceDetector
    from avsieve.provenance import write_provenance
    from avsieve.tables import read_table

    cv2.setNumThreads(1)
    # Faces of half the score are looked for as well: "seen, not used" is another matter than "none".
    detector = FaceDetector(args.detector, size=args.detector_size, min_score=args.min_score / 2, device=args.device)
    utterances, without_frames = utterances_of(read_table(args.extracted, ["utterance", "n_frames"]))
    status = align_shard(
        utterances,
        args.frames,
        detector,
        faces_tar=args.faces,
        detections=args.detections,
        min_score=args.min_score,
        jpeg_quality=args.jpeg_quality,
    )
    status.check(args.max_failed, already_failed=without_frames)
    status.write(args.status)
    write_provenance(
        args.provenance,
        stage="align_faces",
        packages=["insightface", "onnxruntime", "opencv-python", "numpy"],
        min_score=args.min_score,
        jpeg_quality=args.jpeg_quality,
        **detector.facts,
    )


if __name__ == "__main__":
    run(main)
