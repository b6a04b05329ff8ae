"""Write the damaged voices and faces of one shard that the table of damages asks for.

Versions are named in the table, as `<utterance>@<condition>`, and take the place of the utterance in tars and tables:
embed_audio.py and embed_visual.py embed them. What is random comes from the seed of each row alone. Detection is not
run again: sharpness and quality are those of the damaged faces, scores and landmarks those of the undamaged frames.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Damage one shard."""
    ap = parser(__doc__)
    ap.add_argument("--damage", type=Path, required=True, help="table of damages (Parquet)")
    ap.add_argument("--wav", type=Path, required=True, help="tar of the shard's wavs")
    ap.add_argument("--extracted", type=Path, required=True, help="the shard's status table of the extraction")
    ap.add_argument("--faces", type=Path, required=True, help="tar of the shard's aligned faces")
    ap.add_argument("--detections", type=Path, required=True, help="the shard's table of detections")
    ap.add_argument("--aligned", type=Path, required=True, help="the shard's status table of the alignment")
    ap.add_argument("--noise", type=Path, nargs="*", default=[], help="folders of recordings of noise, at 16 kHz")
    ap.add_argument("--rooms", type=Path, nargs="*", default=[], help="folders of impulse responses, at 16 kHz")
    ap.add_argument("--out-wav", type=Path, required=True, help="tar of the damaged wavs to write")
    ap.add_argument("--out-extracted", type=Path, required=True, help="their status table to write")
    ap.add_argument("--out-faces", type=Path, required=True, help="tar of the damaged faces to write")
    ap.add_argument("--out-detections", type=Path, required=True, help="their table of detections to write")
    ap.add_argument("--out-aligned", type=Path, required=True, help="their status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    args = ap.parse_args()

    from avsieve.damage.damaged_tars import ShardFiles, damage_shard
    from avsieve.storage.provenance import write_provenance

    clean = ShardFiles(args.wav, args.extracted, args.faces, args.detections, args.aligned)
    damaged = ShardFiles(args.out_wav, args.out_extracted, args.out_faces, args.out_detections, args.out_aligned)
    facts = damage_shard(args.damage, clean, damaged, noise=args.noise, rooms=args.rooms)
    write_provenance(args.provenance, stage="damage_shard", **facts)


if __name__ == "__main__":
    run(main)
