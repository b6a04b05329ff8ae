"""When does a second round gain, and when does it confirm itself? Simulated voices, and networks trained on the list.

    python benchmarks/rounds.py [--seeds 1 2 3] [--epochs 3 10 30 100] [--rate 0.3] [--speakers 60]

The encoder of the first round is a projection of 128 numbers to a few (`--first-dim`): a poor one, which overlooks
wrong labels. Those of the second are a network with one hidden layer, trained from the same 128 numbers with
AAM-softmax on what the first round left of the list, for more and more epochs; and the same without either half of the
list. Everything else is the library's own: `posterior`, policy `audio`, `avsieve.rounds`. Printed are means over the
seeds.
"""

from __future__ import annotations

import argparse

import numpy as np
import pandas as pd
import torch

from avsieve.cleansing.cleansed import cleanse
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.table import EmbeddingTable
from avsieve.rounds.confirmation import assembled, confirmation
from avsieve.rounds.detection import against_truth
from avsieve.rounds.lists import parts_of
from avsieve.simulation.corpus import SimulatedCorpus, simulate
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.training.margin import AAMSoftmax

SETTINGS = Cleansing(policy="audio")
PARTS = 2


def decided(plan: pd.DataFrame, vectors: np.ndarray) -> pd.DataFrame:
    """Cleanse by embeddings (n, dim) of the voices; return decisions as `decisions.parquet` has them."""
    tables = {"audio": EmbeddingTable(plan["utterance"].tolist(), vectors.astype(np.float32)), "visual": None}
    found = cleanse(plan[["utterance", "speaker"]], tables, None, SETTINGS)
    return pd.DataFrame(
        {
            "utterance": found.scores.utterance,
            "speaker": np.array(found.scores.speakers, dtype=object)[found.scores.speaker],
            "p_audio_wrong": found.judgement.audio_wrong,
            "p_visual_wrong": np.nan,
            "p_wrong": found.decisions.probability,
            "kind": found.decisions.kind,
            "decision": found.decisions.decision,
        }
    )


def trained(x: np.ndarray, speakers: np.ndarray, rows: np.ndarray, epochs: int, seed: int) -> np.ndarray:
    """Train a network on ``rows`` of ``x`` (n, d) and return the embeddings of all, (n, 64)."""
    torch.manual_seed(seed)
    names, label = np.unique(speakers[rows], return_inverse=True)
    inputs, targets = torch.from_numpy(x[rows]), torch.from_numpy(label)
    network = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], 256), torch.nn.ReLU(), torch.nn.BatchNorm1d(256), torch.nn.Linear(256, 64)
    )
    loss = AAMSoftmax(64, len(names), margin=0.2, scale=30.0)
    optimiser = torch.optim.Adam([*network.parameters(), *loss.parameters()], lr=2e-3)
    for _ in range(epochs):
        for batch in torch.randperm(len(inputs)).split(128):
            if len(batch) > 1:
                optimiser.zero_grad()
                loss.judge(network(inputs[batch]), targets[batch])[0].backward()
                optimiser.step()
    network.eval()
    with torch.inference_mode():
        return network(torch.from_numpy(x)).numpy()


def study(corpus: SimulatedCorpus, epochs: int, first_dim: int, seed: int) -> dict[str, float | None]:
    """Do two rounds; return figures by name."""
    plan, x = corpus.plan, corpus.audio.astype(np.float32) * float(np.sqrt(corpus.audio.shape[1]))
    truth = corpus.truth[["utterance", "kind"]].replace({"kind": {"face": "clean"}})  # nobody looks at faces
    projection = np.random.default_rng(seed).normal(size=(x.shape[1], first_dim)).astype(np.float32)
    first = decided(plan, x @ projection)
    kept = (first["decision"] == "clean").to_numpy()
    utterances, speakers = plan["utterance"].tolist(), plan["speaker"].to_numpy(dtype=object)
    part = parts_of(utterances, PARTS)
    second = decided(plan, trained(x, speakers, np.flatnonzero(kept), epochs, seed))
    arms = [decided(plan, trained(x, speakers, np.flatnonzero(kept & (part != k)), epochs, seed)) for k in range(PARTS)]
    folds = {"held_out": assembled(arms, held_out=True), "trained": assembled(arms, held_out=False)}
    rounds = {"1": first, "2": second, "held out": folds["held_out"], "trained": folds["trained"]}
    found = against_truth(rounds, truth, replicates=200, seed=0)
    own = confirmation(first, second, set(plan["utterance"][kept]), truth=truth, folds=folds, replicates=200)
    known, by_folds = own["by_truth"], own["by_folds"]
    return {
        **{f"F1 {name}": found[name]["f1"]["value"] for name in rounds},
        "left in": known["wrong"],
        "found": known["found_late"],
        "new right": known["newly_flagged_right"],
        "A before": known["area_before"]["value"],
        "A after": known["area_after"]["value"],
        **{f"hidden {of}": by_folds["hidden"][of] for of in ("value", "low", "high")},
        **{f"ranks {of}": by_folds["found_gain"][of] for of in ("value", "low", "high")},
        "right only held": by_folds["right"]["flagged_held_out_only"],
        "only held": by_folds["flagged_held_out_only"],
        "only trained": by_folds["flagged_trained_only"],
    }


def main() -> None:
    """Print a row for each number of epochs."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    ap.add_argument("--epochs", type=int, nargs="+", default=[3, 10, 30, 100])
    ap.add_argument("--rate", type=float, default=0.3)
    ap.add_argument("--speakers", type=int, default=60)
    ap.add_argument("--first-dim", type=int, default=12)
    args = ap.parse_args()
    torch.set_num_threads(1)
    world = WorldSpec(
        speakers=args.speakers, outsiders=args.speakers // 2, videos_per_speaker=8, utterances_per_video=3,
        audio=ModalitySpec(dim=128), visual=ModalitySpec(dim=8),
    )  # fmt: skip
    corpora = {seed: simulate(world, NoiseSpec(rate=args.rate), seed) for seed in args.seeds}
    for epochs in args.epochs:
        rows = pd.DataFrame([study(corpora[seed], epochs, args.first_dim, seed) for seed in args.seeds])
        means = rows.astype(float).mean()
        print(f"epochs {epochs}: " + ", ".join(f"{name} {value:.3g}" for name, value in means.items()), flush=True)


if __name__ == "__main__":
    main()
