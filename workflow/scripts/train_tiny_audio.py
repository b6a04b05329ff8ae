"""Rebuild the small audio encoder that ships with the package.

It synthesises voices of people that the demo does not have, trains ecapa_small on them, measures its equal error rate
on a third population, and writes half-precision weights with their provenance. Takes about 20 minutes on one core. The
rule `train_tiny_audio` gives its settings: `snakemake --cores 1 rebuild_models`.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run
from avsieve.training.encoder.settings import TrainAudio


def main() -> None:
    """Synthesise, train, measure."""
    ap = parser(__doc__)
    ap.add_argument("--work", type=Path, required=True, help="folder for the voices; kept, and used again")
    ap.add_argument("--output", type=Path, required=True, help="weights to write; the provenance goes beside them")
    ap.add_argument("--people", type=int, required=True, help="voices to train on")
    ap.add_argument("--videos", type=int, required=True, help="recording conditions of each")
    ap.add_argument("--seconds", type=float, required=True, help="length of an utterance")
    ap.add_argument("--threads", type=int, required=True, help="threads of torch")
    add_settings(ap, TrainAudio, required=True)
    args = ap.parse_args()
    settings = settings_of(TrainAudio, args)

    import torch

    from avsieve.synthetic.voices.corpus import VoiceCorpus
    from avsieve.training.shipped.voice_encoder import MEASURING, TRAINING, train_voice_encoder

    torch.set_num_threads(args.threads)
    voices = VoiceCorpus(TRAINING, args.people, args.videos, 1, args.seconds)
    strangers = VoiceCorpus(MEASURING, 60, 4, 2, 3.0)
    train_voice_encoder(args.work, args.output, settings, voices=voices, strangers=strangers)


if __name__ == "__main__":
    run(main)
