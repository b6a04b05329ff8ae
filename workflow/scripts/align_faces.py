"""Find, follow and align the faces of one shard: 112 x 112, five landmarks, ArcFace's template.

A frame shows the face of the track that is largest and nearest the centre. Several faces, none, and faces with too low
a score are recorded in the table of detections.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.faces.options import add_face_options
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.scripting import parser, run


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
    ap.add_argument("--threads", type=int, required=True, help="utterances aligned at a time")
    add_face_options(ap)
    args = ap.parse_args()
    args.device = own_gpus(args.device)

    import cv2

    from avsieve.faces.align_shard import align_shard, utterances_of
    from avsieve.faces.options import aligner_of, crop_tars_of
    from avsieve.storage.provenance import write_provenance
    from avsieve.storage.tables import read_table

    cv2.setNumThreads(1)
    aligner = aligner_of(args)
    utterances, without_frames = utterances_of(read_table(args.extracted, ["utterance", "n_frames"]))
    status = align_shard(
        utterances,
        args.frames,
        aligner,
        faces_tar=args.faces,
        detections=args.detections,
        crop_tars=crop_tars_of(args),
        workers=args.threads,
    )
    status.check(args.max_failed, already_failed=without_frames)
    status.write(args.status)
    packages = ["insightface", "onnxruntime", "opencv-python", "numpy"]
    write_provenance(args.provenance, stage="align_faces", packages=packages, **aligner.facts)


if __name__ == "__main__":
    run(main)
