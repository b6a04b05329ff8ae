"""Rebuild the small audio encoder that ships with the package.

It synthesises voices of people that the demo does not have, trains ecapa_small on them, measures its equal error rate
on a third population, and writes half-precision weights with their provenance. Takes about 20 minutes on one core:

    python workflow/scripts/train_tiny_audio.py --work WORK --output src/avsieve/models/audio_ecapa_small.safetensors
"""

from __future__ import annotations

import json
from pathlib import Path

from avsieve.runtime.scripting import parser, run
from avsieve.storage.atomic import write_json

# Population 1 is the demo's.
TRAINING, MEASURING = 2, 3


def measure(weights: Path, list_path: Path, tar: Path) -> dict[str, float]:
    """Return equal error rates in percent over all pairs of utterances of different videos."""
    import numpy as np
    import torch

    from avsieve.encoders.audio import load_audio_encoder
    from avsieve.encoders.waves import as_float
    from avsieve.evaluation.metrics import eer, error_rates
    from avsieve.evaluation.scoring import Part, mean_of_cosines
    from avsieve.training.encoder.audio_data import Speech

    encoder = load_audio_encoder("ecapa_small", weights)
    speech = Speech(list_path, [tar])
    with torch.no_grad():
        found = [encoder(torch.from_numpy(as_float(speech.wave(i)))[None])[0] for i in range(len(speech))]
    embeddings = Part.of(torch.stack(found).numpy())
    videos = np.array([u.rsplit("/", 1)[0] for u in speech.utterances])
    sexes = np.array([u[0] for u in speech.utterances])
    i, j = np.triu_indices(len(speech), 1)
    i, j = (x[videos[i] != videos[j]] for x in (i, j))
    target = speech.labels[i] == speech.labels[j]
    scores = mean_of_cosines([embeddings], i, j)
    same = sexes[i] == sexes[j]
    return {
        "eer_all_percent": round(100 * eer(error_rates(scores, target)), 3),
        "eer_same_sex_percent": round(100 * eer(error_rates(scores[same], target[same])), 3),
        "target_mean": round(float(scores[target].mean()), 3),
        "same_sex_nontarget_mean": round(float(scores[same & ~target].mean()), 3),
    }


def main() -> None:
    """Synthesise, train, measure."""
    ap = parser(__doc__)
    ap.add_argument("--work", type=Path, required=True, help="folder for the voices; kept, and used again")
    ap.add_argument("--output", type=Path, required=True, help="weights to write; the provenance goes beside them")
    ap.add_argument("--people", type=int, default=500, help="voices to train on")
    ap.add_argument("--videos", type=int, default=6, help="recording conditions of each")
    ap.add_argument("--seconds", type=float, default=3.5, help="length of an utterance")
    ap.add_argument("--steps", type=int, default=1200, help="batches to train on")
    ap.add_argument("--batch", type=int, default=64, help="crops in a batch")
    ap.add_argument("--lr", type=float, default=2e-3, help="highest learning rate")
    ap.add_argument("--threads", type=int, default=1, help="threads of torch")
    args = ap.parse_args()

    import torch
    from avsieve.training.encoder.optimiser import Optimiser
    from avsieve.training.encoder.schedule import Schedule

    from avsieve.synthetic.voices.corpus import VoiceCorpus, write_voices
    from avsieve.training.encoder.audio import AudioRecipe, train_audio

    torch.set_num_threads(args.threads)
    training = VoiceCorpus(TRAINING, args.people, args.videos, 1, args.seconds)
    measuring = VoiceCorpus(MEASURING, 60, 4, 2, 3.0)
    paths = {}
    for corpus in (training, measuring):
        name = f"voices{corpus.entropy}-{corpus.people}x{corpus.videos}x{corpus.utterances}-{corpus.seconds:g}s"
        paths[corpus] = (args.work / f"{name}.txt", args.work / f"{name}.wav.tar")
        if not paths[corpus][0].exists():  # written last
            write_voices(corpus, paths[corpus][1], paths[corpus][0])
    provenance = args.output.with_suffix(".json")
    train_audio(
        paths[training][0],
        [paths[training][1]],
        args.output,
        recipe=AudioRecipe(batch=args.batch, augment=("none", "none", "noise", "filter"), seed=TRAINING),
        schedule=Schedule(args.steps, lr=args.lr),
        optimiser=Optimiser(),
        device="cpu",
        log=args.work / "train.csv",
        provenance=provenance,
        checkpoint=args.work / f"{args.output.name}.resume",
        checkpoint_every=100,
        half=True,
    )
    facts = json.loads(provenance.read_text(encoding="utf-8"))
    facts["measured"] = measure(args.output, *paths[measuring])
    facts["measured"]["what"] = (
        f"cosine scores of {measuring.people} people nobody trained on, {measuring.videos} videos each, "
        f"{measuring.seconds:g} s utterances, pairs of different videos"
    )
    facts["voices"] = {"population": TRAINING, "people": args.people, "videos": args.videos, "seconds": args.seconds}
    facts["rebuild"] = "python workflow/scripts/train_tiny_audio.py --work WORK --output OUTPUT"
    facts["licence"] = "Apache-2.0"
    write_json(provenance, facts)


if __name__ == "__main__":
    run(main)
