"""Embed the utterances of one shard with an audio encoder, whole and in segments."""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Embed one shard."""
    ap = parser(__doc__)
    ap.add_argument("--wav", type=Path, required=True, help="tar of the shard's wavs")
    ap.add_argument("--extracted", type=Path, required=True, help="the shard's status table of the extraction")
    ap.add_argument("--output", type=Path, required=True, help="embeddings to write (Parquet)")
    ap.add_argument("--segments", type=Path, required=True, help="embeddings of the segments to write (Parquet)")
    ap.add_argument("--status", type=Path, required=True, help="status table to write")
    ap.add_argument("--provenance", type=Path, required=True, help="provenance to write (JSON)")
    ap.add_argument("--max-failed", type=float, required=True, help="largest share of failed utterances")
    ap.add_argument("--arch", default="ecapa_small", help="architecture: a name of encoders.audio.AUDIO, or onnx")
    ap.add_argument("--checkpoint", default="builtin", help="safetensors or torch file, or 'builtin'")
    ap.add_argument("--features", default="auto", help="of an ONNX file: auto, wave, wespeaker or 3dspeaker")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--precision", choices=["fp32", "bf16", "fp16"], default="fp32", help="of the network's arithmetic")
    ap.add_argument("--batch-s", type=float, default=60.0, help="sound in a batch, seconds")
    ap.add_argument("--segment-s", type=float, default=2.0, help="length of a segment, seconds; 0 for none")
    ap.add_argument("--segment-hop-s", type=float, default=2.0, help="greatest distance of segments, seconds")
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    args = ap.parse_args()

    import torch

    from avsieve.encoders.audio import BUILTIN_FILE, load_audio_encoder
    from avsieve.encoders.checkpoint import resolve
    from avsieve.encoders.device import pick_device
    from avsieve.encoders.embed_audio import embed_shard
    from avsieve.storage.provenance import sha256_of, write_provenance
    from avsieve.storage.reasons import Reason
    from avsieve.storage.tables import read_table

    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    encoder = load_audio_encoder(
        args.arch, args.checkpoint, device=str(device), features=args.features, threads=args.threads
    )
    extracted = read_table(args.extracted, ["utterance", "code"])
    settings = {
        "batch_s": args.batch_s,
        "precision": args.precision,
        "segment_s": args.segment_s,
        "segment_hop_s": args.segment_hop_s,
    }
    results, status = embed_shard(args.wav, extracted["utterance"].tolist(), encoder, device=device, **settings)
    silent = {row["utterance"] for row in status.rows if row["code"] == Reason.NO_AUDIO}
    known = extracted[extracted["code"] != Reason.OK.value]["utterance"]
    status.check(args.max_failed, already_failed=int(known.isin(silent).sum()))
    results.write(args.output, args.segments)
    status.write(args.status)
    write_provenance(
        args.provenance,
        stage="embed_audio",
        packages=["torch", *(["onnxruntime"] if args.arch == "onnx" else []), "numpy", "pyarrow"],
        arch=args.arch,
        features=getattr(encoder, "features", "own"),
        checkpoint_sha256=sha256_of(resolve(args.checkpoint, BUILTIN_FILE)),
        device=device.type,
        **settings,
    )


if __name__ == "__main__":
    run(main)
