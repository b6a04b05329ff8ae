"""Train the small audio encoder on synthetic voices, and measure it on others."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch

from avsieve.encoders.audio import load_audio_encoder
from avsieve.evaluation.metrics import eer, error_rates
from avsieve.evaluation.scoring import Part, mean_of_cosines
from avsieve.storage.atomic import write_json
from avsieve.storage.wav import as_float
from avsieve.synthetic.voices.corpus import VoiceCorpus, write_voices
from avsieve.training.devices import Machine
from avsieve.training.encoder.audio import train_audio
from avsieve.training.encoder.audio_data import Speech
from avsieve.training.encoder.encoder_run import Run
from avsieve.training.encoder.settings import TrainAudio
from avsieve.training.loop import Keeping

# Population 1 is the demo's.
TRAINING, MEASURING = 2, 3


def train_voice_encoder(
    work: Path,
    output: Path,
    settings: TrainAudio,
    *,
    voices: VoiceCorpus,
    strangers: VoiceCorpus,
) -> None:
    """Synthesise voices, train on them, measure on others, and write weights in half precision with their provenance.

    Parameters
    ----------
    work
        Folder for the voices, which are kept and used again.
    output
        Weights to write (safetensors); the provenance goes beside them (JSON).
    settings
        How to train.
    voices, strangers
        Whom to train on and whom to measure on, of different populations.
    """
    training, measuring = (_written(corpus, work) for corpus in (voices, strangers))
    provenance = output.with_suffix(".json")
    keeping = Keeping(work / "train.csv", checkpoint=work / f"{output.name}.resume", checkpoint_every=100)
    run = Run(Machine("cpu"), keeping, workers=0, provenance=provenance, half=True)
    train_audio(training[0], [training[1]], output, settings=settings, run=run)
    facts = json.loads(provenance.read_text(encoding="utf-8"))
    facts["measured"] = measure(output, settings.arch, *measuring)
    facts["measured"]["what"] = (
        f"cosine scores of {strangers.people} people nobody trained on, {strangers.videos} videos each, "
        f"{strangers.seconds:g} s utterances, pairs of different videos"
    )
    facts["voices"] = {
        "population": voices.entropy, "people": voices.people, "videos": voices.videos, "seconds": voices.seconds
    }  # fmt: skip
    facts["rebuild"] = "snakemake --cores 1 rebuild_models"
    facts["licence"] = "Apache-2.0"
    write_json(provenance, facts)


def _written(corpus: VoiceCorpus, work: Path) -> tuple[Path, Path]:
    """Return the list and the shard of a corpus, made unless they are there."""
    name = f"voices{corpus.entropy}-{corpus.people}x{corpus.videos}x{corpus.utterances}-{corpus.seconds:g}s"
    train_list, tar = work / f"{name}.txt", work / f"{name}.wav.tar"
    if not train_list.exists():  # written last
        write_voices(corpus, tar, train_list)
    return train_list, tar


def measure(weights: Path, arch: str, list_path: Path, tar: Path) -> dict[str, float]:
    """Return equal error rates in percent over all pairs of utterances of different videos."""
    encoder = load_audio_encoder(arch, weights)
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
