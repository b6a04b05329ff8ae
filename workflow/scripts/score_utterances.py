"""Pass 2 of scoring: the evidence about each utterance of one shard, against the centres of all speakers."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.centre_files import read_centres
from avsieve.cleansing.evidence import score_shard
from avsieve.cleansing.inputs import read_shard
from avsieve.cleansing.scores import write_scores
from avsieve.runtime.scripting import parser, run
from avsieve.storage.provenance import write_provenance


def main() -> None:
    """Score one shard."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="the shard's plan")
    ap.add_argument("--audio", type=Path, help="the shard's voice embeddings; absent: no voices")
    ap.add_argument("--visual", type=Path, help="the shard's face embeddings; absent: no faces")
    ap.add_argument("--centres", type=Path, required=True, help="centres from pool_speakers")
    ap.add_argument("--scores", type=Path, required=True, help="evidence to write (Parquet)")
    ap.add_argument("--provenance", type=Path, help="provenance to write (JSON)")
    args = ap.parse_args()
    scores = score_shard(read_shard(args.plan, args.audio, args.visual), read_centres(args.centres))
    write_scores(args.scores, scores)
    if args.provenance:
        write_provenance(
            args.provenance, stage="score_utterances", packages=["numpy", "pyarrow"], utterances=len(scores)
        )


if __name__ == "__main__":
    run(main)
