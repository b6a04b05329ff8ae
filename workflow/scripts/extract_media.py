"""Decode the clips of one shard once: a frame every interval and the 16 kHz mono wav."""

from __future__ import annotations

from pathlib import Path

from avsieve.media.extract import extract_shard
from avsieve.media.options import add_media_options, roots_of
from avsieve.media.settings import Media
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run
from avsieve.storage.provenance import write_provenance
from avsieve.storage.tables import read_table


def main() -> None:
    """Extract one shard."""
    ap = parser(__doc__)
    add_media_options(ap)
    ap.add_argument("--frames", type=Path, required=True, help="tar of the frames to write")
    ap.add_argument("--wav", type=Path, required=True, help="tar of the wavs to write")
    ap.add_argument("--status", type=Path, required=True, help="status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    add_settings(ap, Media, only=["jpeg_quality"], required=True)
    args = ap.parse_args()
    index = read_table(args.index)
    settings = {"interval_s": args.interval_s, "jpeg_quality": args.jpeg_quality, "min_audio_s": args.min_audio_s}
    status = extract_shard(
        index,
        frames_tar=args.frames,
        wav_tar=args.wav,
        want_video=args.modalities == "both",
        workers=args.threads,
        limits=args.limits,
        **roots_of(args),
        **settings,
    )
    status.check(args.max_failed, already_failed=int((index["size"] <= 0).sum()))
    status.write(args.status)
    write_provenance(args.provenance, stage="extract_media", packages=["av", "opencv-python", "numpy"], **settings)


if __name__ == "__main__":
    run(main)
