"""Train one fusion model on one list, from the embeddings of the shards; once for each seed.

Beside each model lie the course of its training and its provenance. The same command after an interruption goes on
where it was, and ends with the same model.
"""

from __future__ import annotations

import json
from pathlib import Path

from avsieve.errors import ConfigError
from avsieve.fusion.settings import HEADS, Fusion
from avsieve.fusion.trained_models import trained_model
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run
from avsieve.settings import filled


def main() -> None:
    """Train."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list: speaker wav seconds")
    ap.add_argument("--list-name", required=True, help="what results call it: all or clean")
    ap.add_argument("--plan", type=Path, required=True, help="the plan; its held-out speakers are not trained on")
    ap.add_argument("--audio", type=Path, nargs="+", required=True, help="audio embeddings of the shards (Parquet)")
    ap.add_argument("--visual", type=Path, nargs="+", required=True, help="visual embeddings of the shards (Parquet)")
    ap.add_argument("--audio-segments", type=Path, nargs="*", default=[], help="embeddings of segments (Parquet)")
    ap.add_argument("--visual-frames", type=Path, nargs="*", default=[], help="embeddings of single faces (Parquet)")
    ap.add_argument("--twin-table", type=Path, help="table of damaged twins of training utterances (Parquet)")
    ap.add_argument("--twin-audio", type=Path, nargs="*", default=[], help="embeddings of their damaged voices")
    ap.add_argument("--twin-visual", type=Path, nargs="*", default=[], help="embeddings of their damaged faces")
    ap.add_argument("--model", choices=HEADS, required=True, help="fusion model")
    ap.add_argument("--options", type=json.loads, required=True, help="settings that the model has of its own, JSON")
    add_settings(ap, Fusion, leave=["models", "seeds", "twins"], required=True)
    ap.add_argument("--seed", type=int, nargs="+", required=True, help="seeds of weights, order, dropped modalities")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--devices", type=int, required=True, help="processes, each with a GPU; they share a batch")
    ap.add_argument("--threads", type=int, required=True, help="CPU threads of torch")
    ap.add_argument("--out", type=Path, nargs="+", required=True, help="models to write (safetensors), one per seed")
    ap.add_argument("--tensorboard", action="store_true", help="write TensorBoard's files beside the models")
    ap.add_argument("--checkpoint-every", type=int, help="steps between two states left behind")
    args = ap.parse_args()
    args.device = own_gpus(args.device, args.devices)
    if len(args.seed) != len(args.out):
        raise ConfigError(f"{len(args.seed)} seeds but {len(args.out)} files to write; give as many of either")
    model = trained_model(args.model)
    own = filled(model.settings, args.options, args.model)

    # Only now: the arguments are read, and torch takes seconds to import.
    import torch

    from avsieve.encoders.device import pick_device
    from avsieve.fusion.training import train_on_list

    torch.set_num_threads(args.threads)
    done = train_on_list(
        model,
        own,
        settings_of(Fusion, args),
        train_list=args.list,
        list_name=args.list_name,
        plan=args.plan,
        audio=args.audio,
        visual=args.visual,
        audio_segments=args.audio_segments,
        visual_frames=args.visual_frames,
        twins=args.twin_table,
        twin_audio=args.twin_audio,
        twin_visual=args.twin_visual,
        out=dict(zip(args.seed, args.out, strict=True)),
        device=pick_device(args.device),
        devices=args.devices,
        tensorboard=args.tensorboard,
        checkpoint_every=args.checkpoint_every,
    )
    print(done)


if __name__ == "__main__":
    run(main)
