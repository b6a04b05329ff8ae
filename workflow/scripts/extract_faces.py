"""Decode the clips of one shard once, and align the faces in their frames without storing the frames.

What `extract_media.py` and `align_faces.py` do one after the other, except that no JPEG lies between them.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.faces.options import add_face_options
from avsieve.media.options import add_media_options
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Extract and align one shard."""
    ap = parser(__doc__)
    add_media_options(ap)
    ap.add_argument("--wav", type=Path, required=True, help="tar of the wavs to write")
    ap.add_argument("--extracted", type=Path, required=True, help="status table of the extraction to write")
    ap.add_argument("--extract-provenance", type=Path, required=True, help="its provenance to write (JSON)")
    ap.add_argument("--faces", type=Path, required=True, help="tar of the aligned faces to write")
    ap.add_argument("--detections", type=Path, required=True, help="table of detections to write")
    ap.add_argument("--status", type=Path, required=True, help="status table of the alignment to write")
    ap.add_argument("--provenance", type=Path, required=True, help="its provenance to write (JSON)")
    add_face_options(ap)
    args = ap.parse_args()
    args.device = own_gpus(args.device)

    from avsieve.faces.align_shard import utterances_of
    from avsieve.faces.extract import extract_faces_shard
    from avsieve.faces.options import aligner_of, crop_tars_of
    from avsieve.media.options import roots_of
    from avsieve.storage.provenance import write_provenance
    from avsieve.storage.tables import read_table

    aligner = aligner_of(args)
    index = read_table(args.index)
    settings = {"interval_s": args.interval_s, "min_audio_s": args.min_audio_s}
    extracted, status = extract_faces_shard(
        index,
        aligner=aligner,
        wav_tar=args.wav,
        faces_tar=args.faces,
        detections=args.detections,
        crop_tars=crop_tars_of(args),
        want_video=args.modalities == "both",
        workers=args.threads,
        limits=args.limits,
        **roots_of(args),
        **settings,
    )
    extracted.check(args.max_failed, already_failed=int((index["size"] <= 0).sum()))
    status.check(args.max_failed, already_failed=utterances_of(extracted.frame())[1])
    extracted.write(args.extracted)
    status.write(args.status)
    media, faces = ["av", "opencv-python", "numpy"], ["insightface", "onnxruntime", "opencv-python", "numpy"]
    write_provenance(args.extract_provenance, stage="extract_faces", packages=media, frames_kept=False, **settings)
    write_provenance(args.provenance, stage="extract_faces", packages=faces, **aligner.facts)


if __name__ == "__main__":
    run(main)
