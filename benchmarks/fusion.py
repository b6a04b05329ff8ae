"""Fusion models at VoxCeleb2's size: steps a second, time spent on data, memory, and the scoring of Vox1-E's trials.

Embeddings are random: 192 numbers for a voice and 512 for a face, as ECAPA and IResNet give them. Each network is
trained for one pass over the utterances (or its own number of pairs) on the loop that trainings use; what is timed as
data is the gathering of batches, which a thread does ahead where they are large. `benchmarks/sequences.py` times the
reading of sequences.
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import torch

from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.network_training import train_network
from avsieve.fusion.neural import NeuralFusion
from avsieve.fusion.settings import Fusion
from avsieve.fusion.trained_models import trained_model
from avsieve.training.devices import Machine, start

VOXCELEB2 = (1_092_009, 5_994)
VOX1_E = (145_160, 579_818)
HEADS = ("linear", "gated", "mlp", "vut_soft", "vut_gated", "baffn_gated", "avn_e")


def made_up(utterances: int, speakers: int, rng: np.random.Generator) -> tuple[Inputs, list[str]]:
    """Return random embeddings about a direction for each speaker."""
    label = np.sort(rng.integers(speakers, size=utterances))
    video = np.arange(utterances) // 8
    streams = []
    for dim in (192, 512):
        people = rng.standard_normal((speakers, dim), dtype=np.float32)
        vectors = rng.standard_normal((utterances, dim), dtype=np.float32)
        for begin in range(0, utterances, 50_000):
            vectors[begin : begin + 50_000] += people[label[begin : begin + 50_000]]
        streams.append(Stream(vectors, np.ones(utterances, bool)))
    names = [f"s{s:04d}/v{v}/{i}" for i, (s, v) in enumerate(zip(label.tolist(), video.tolist(), strict=True))]
    return Inputs(names, *streams), [f"s{s:04d}" for s in label.tolist()]


def main() -> None:
    """Print a table."""
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--full", action="store_true", help="VoxCeleb2's size; a tenth of it else")
    ap.add_argument("--heads", nargs="*", default=list(HEADS), help="which models")
    args = ap.parse_args()
    torch.set_num_threads(2)
    rng = np.random.default_rng(0)
    size = VOXCELEB2 if args.full else tuple(n // 10 for n in VOXCELEB2)
    inputs, speakers = made_up(*size, rng)
    tested, n_trials = VOX1_E if args.full else tuple(n // 10 for n in VOX1_E)
    enrol, test = rng.integers(tested, size=(2, n_trials))
    some = inputs.of(np.arange(tested))
    gather = NeuralFusion.gather
    spent = [0.0]

    def timed(self: NeuralFusion, *given: object, **named: object) -> object:
        began = time.perf_counter()
        found = gather(self, *given, **named)  # type: ignore[arg-type]
        spent[0] += time.perf_counter() - began
        return found

    NeuralFusion.gather = timed  # type: ignore[assignment,method-assign]
    print(f"{size[0]:,} utterances of {size[1]:,} speakers; {n_trials:,} trials of {tested:,} utterances")
    print(f"{'model':16}{'steps':>8}{'batch':>7}{'steps/s':>9}{'data':>7}{'encode s':>10}{'score s':>9}{'peak GB':>9}")
    for name in args.heads:
        kind = trained_model(name)
        own = kind.settings(**({"epochs": 1} if "epochs" in kind.settings.model_fields else {}))
        model = kind(192, 512, 128, own)
        settings = Fusion(epochs=1)
        spent[0] = 0.0
        course = train_network(model, inputs, speakers, settings, seed=0, fabric=start(Machine("cpu")))  # type: ignore[arg-type]
        data, steps = spent[0] / course.seconds, course.facts["steps"]
        began = time.perf_counter()
        parts = model.encode(some)
        encoded = time.perf_counter()
        model.score(parts, enrol, test)
        scored = time.perf_counter()
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        batch = getattr(own, "batch_size", None) or settings.batch_size
        print(
            f"{name:16}{steps:>8,}{batch:>7}{steps / course.seconds:>9.0f}{data:>7.1%}{encoded - began:>10.1f}"
            f"{scored - encoded:>9.2f}{peak:>9.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
