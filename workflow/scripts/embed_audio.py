"""Embed the utterances of one shard with an audio encoder, whole and in segments."""

from __future__ import annotations

from pathlib import Path

from avsieve.encoders.settings import Audio
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Embed one shard."""
    ap = parser(__doc__)
    ap.add_argument("--wav", type=Path, required=True, help="tar of the shard's wavs")
    ap.add_argument("--extracted", type=Path, required=True, help="the shard's status table of the extraction")
    ap.add_argument("--embeddings", type=Path, required=True, help="embeddings to write (Parquet)")
    ap.add_argument("--segment-embeddings", type=Path, required=True, help="embeddings of segments to write (Parquet)")
    ap.add_argument("--status", type=Path, required=True, help="status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, required=True, help="threads of the network")
    add_settings(ap, Audio, required=True)
    args = ap.parse_args()
    args.device = own_gpus(args.device)
    settings = settings_of(Audio, args)

    from avsieve.encoders.embed_audio import embed_extracted
    from avsieve.storage.provenance import write_provenance

    results, status, facts = embed_extracted(
        args.wav, args.extracted, settings, device=args.device, threads=args.threads, max_failed=args.max_failed
    )
    results.write(args.embeddings, args.segment_embeddings)
    status.write(args.status)
    write_provenance(args.provenance, stage="embed_audio", **facts)


if __name__ == "__main__":
    run(main)
