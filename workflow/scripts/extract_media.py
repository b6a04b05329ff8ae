"""Decode the clips of one shard once: a frame every interval and the 16 kHz mono wav."""

from __future__ import annotations

from pathlib import Path

from avsieve.media.extract import extract_shard
from avsieve.provenance import write_provenance
from avsieve.scripting import parser, run
from avsieve.tables import read_table


def main() -> None:
    """Extract one shard."""
    ap = parser(__doc__)
    ap.add_argument("--index", type=Path, required=True, help="the shard's media index")
    ap.add_argument("--train-root", type=Path, required=True, help="folder that the training clips' paths start from")
    ap.add_argument("--test-root", type=Path, help="folder that the test clips' paths start from")
    ap.add_argument("--train-audio-root", type=Path, help="folder of the training sound, where it lies apart")
    ap.add_argument("--test-audio-root", type=Path, help="folder of the test sound, where it lies apart")
    ap.add_argument("--frames", type=Path, required=True, help="tar of the frames to write")
    ap.add_argument("--wav", type=Path, required=True, help="tar of the wavs to write")
    ap.add_argument("--status", type=Path, required=True, help="status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--interval-s", type=float, default=0.4, help="time between frames, seconds")
    ap.add_argument("--jpeg-quality", type=int, default=95, help="quality of the frames' JPEGs")
    ap.add_argument("--min-audio-s", type=float, default=0.5, help="shortest sound that is used, seconds")
    ap.add_argument("--modalities", choices=["both", "audio"], default="both", help="audio: there is no picture")
    ap.add_argument("--threads", type=int, default=1, help="clips decoded at a time")
    args = ap.parse_args()
    index = read_table(args.index)
    settings = {"interval_s": args.interval_s, "jpeg_quality": args.jpeg_quality, "min_audio_s": args.min_audio_s}
    status = extract_shard(
        index,
        {"train": args.train_root, "test": args.test_root or args.train_root},
        {s: root for s, root in (("train", args.train_audio_root), ("test", args.test_audio_root)) if root},
        frames_tar=args.frames,
        wav_tar=args.wav,
        want_video=args.modalities == "both",
        workers=args.threads,
        **settings,
    )
    status.check(args.max_failed, already_failed=int((index["size"] <= 0).sum()))
    status.write(args.status)
    write_provenance(args.provenance, stage="extract_media", packages=["av", "opencv-python", "numpy"], **settings)


if __name__ == "__main__":
    run(main)
