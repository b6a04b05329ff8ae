"""Train an audio encoder with AAM-softmax from a training list and wav shards.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.options import settings_of
from avsieve.runtime.scripting import parser, run
from avsieve.training.encoder.options import add_training_options, run_of
from avsieve.training.encoder.settings import TrainAudio


def main() -> None:
    """Train one encoder."""
    ap = parser(__doc__)
    ap.add_argument("--wav", type=Path, nargs="+", required=True, help="wav shards that hold its utterances")
    add_training_options(ap, TrainAudio)
    args = ap.parse_args()
    settings = settings_of(TrainAudio, args)

    from avsieve.training.encoder.audio import train_audio

    train_audio(args.list, args.wav, args.output, settings=settings, run=run_of(args))


if __name__ == "__main__":
    run(main)
