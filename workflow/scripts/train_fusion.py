"""Train one fusion model on one list, from the embeddings of the shards; once for each seed."""

from __future__ import annotations

from pathlib import Path

from avsieve.errors import ConfigError
from avsieve.fusion.recipe import Recipe
from avsieve.fusion.registry import TRAINED
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Train."""
    usual = Recipe()
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list: speaker wav seconds")
    ap.add_argument("--list-name", required=True, help="what results call it: all or clean")
    ap.add_argument("--plan", type=Path, help="the plan (Parquet); its held-out speakers are not trained on")
    ap.add_argument("--audio", type=Path, nargs="+", required=True, help="audio embeddings of the shards (Parquet)")
    ap.add_argument("--visual", type=Path, nargs="+", required=True, help="visual embeddings of the shards (Parquet)")
    ap.add_argument("--model", choices=TRAINED, required=True, help="fusion model")
    ap.add_argument("--dim", type=int, default=128, help="length of the fused embedding")
    ap.add_argument("--hidden", type=int, default=32, help="width of the gate's bottleneck (gated only)")
    ap.add_argument("--epochs", type=int, default=usual.epochs, help="passes over the list")
    ap.add_argument("--batch-size", type=int, default=usual.batch_size, help="utterances per step")
    ap.add_argument("--learning-rate", type=float, default=usual.learning_rate, help="Adam's first rate")
    ap.add_argument("--pull", type=float, default=usual.pull, help="weight of the distance to the first weights")
    ap.add_argument("--margin", type=float, default=usual.margin, help="margin of the AAM-softmax, radians")
    ap.add_argument("--scale", type=float, default=usual.scale, help="scale of the AAM-softmax")
    ap.add_argument("--drop-modality", type=float, default=usual.drop_modality, help="share of rows losing a modality")
    ap.add_argument("--seed", type=int, nargs="+", default=[0], help="seeds of weights, order and dropped modalities")
    ap.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--threads", type=int, default=1, help="CPU threads of torch")
    ap.add_argument("--out", type=Path, nargs="+", required=True, help="models to write (safetensors), one per seed")
    args = ap.parse_args()
    if len(args.seed) != len(args.out):
        raise ConfigError(f"{len(args.seed)} seeds but {len(args.out)} files to write; give as many of either")

    # Only now: the arguments are read, and torch takes seconds to import.
    import torch

    from avsieve.encoders.device import pick_device
    from avsieve.fusion.checkpoint import Trained, save_fusion, save_left_out
    from avsieve.fusion.inputs import Inputs, read_side
    from avsieve.fusion.registry import neural_class
    from avsieve.fusion.training import TooFewError, train_fusion
    from avsieve.lists.train_list import read_train_list
    from avsieve.storage.provenance import sha256_of, versions
    from avsieve.storage.tables import read_table

    torch.set_num_threads(args.threads)
    device = pick_device(args.device)
    rows = read_train_list(args.list)
    if args.plan:
        plan = read_table(args.plan, ["utterance", "held_out"])
        rows = rows[~rows["utterance"].isin(plan.loc[plan["held_out"], "utterance"])]
    utterances, speakers = rows["utterance"].tolist(), rows["speaker"].tolist()
    inputs = Inputs(utterances, read_side(utterances, args.audio), read_side(utterances, args.visual))
    recipe = Recipe(
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        pull=args.pull,
        margin=args.margin,
        scale=args.scale,
        drop_modality=args.drop_modality,
    )
    facts = {
        "list_sha256": sha256_of(args.list),
        "utterances": len(inputs),
        "without_audio": int((~inputs.audio.present).sum()),
        "without_visual": int((~inputs.visual.present).sum()),
        "recipe": recipe.facts(),
        "device": device.type,
        "versions": versions("torch", "numpy"),
    }
    widths = {"dim": args.dim} | ({"hidden": args.hidden} if args.model == "gated" else {})
    for seed, out in zip(args.seed, args.out, strict=True):
        torch.manual_seed(seed)
        model = neural_class(args.model)(inputs.audio.dim, inputs.visual.dim, **widths)
        try:
            history = train_fusion(model, inputs, speakers, recipe, seed=seed, device=device)
        except TooFewError as error:
            save_left_out(out, str(error))
            print(f"WARNING: the model is left out: {error}")
            continue
        losses = {"loss_first": round(history[0], 4), "loss_last": round(history[-1], 4)}
        save_fusion(out, Trained(model, args.list_name, seed, sorted(set(speakers)), facts | losses))
    print(f"{args.model} on {args.list_name}: {len(inputs)} utterances of {len(set(speakers))} speakers, {device.type}")


if __name__ == "__main__":
    run(main)
