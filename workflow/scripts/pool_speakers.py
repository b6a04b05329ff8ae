"""Pass 1 of scoring: learn what similarities mean, and find the robust centre of every speaker, over all shards."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.centre_files import write_centres
from avsieve.cleansing.centres import pool_files
from avsieve.cleansing.inputs import paths_per_shard
from avsieve.runtime.scripting import parser, run
from avsieve.storage.provenance import write_provenance


def main() -> None:
    """Pool all shards, one at a time in memory."""
    ap = parser(__doc__)
    ap.add_argument("--plans", type=Path, nargs="+", required=True, help="plans of the shards")
    ap.add_argument(
        "--audio",
        type=Path,
        nargs="*",
        default=[],
        help="voice embeddings of the shards, in the same order; none: no voices",
    )
    ap.add_argument(
        "--visual",
        type=Path,
        nargs="*",
        default=[],
        help="face embeddings of the shards, in the same order; none: no faces",
    )
    ap.add_argument(
        "--centres",
        type=Path,
        required=True,
        help="centres to write (Parquet; beside it go calibrations as .json and the metric as .npz)",
    )
    ap.add_argument("--provenance", type=Path, help="provenance to write (JSON)")
    args = ap.parse_args()
    centres = pool_files(paths_per_shard(args.plans, args.audio, args.visual))
    write_centres(args.centres, centres)
    if args.provenance:
        facts = {"speakers": len(centres.speakers), "utterances": int(centres.utterances.sum())}
        write_provenance(args.provenance, stage="pool_speakers", packages=["numpy", "pyarrow"], **facts)


if __name__ == "__main__":
    run(main)
