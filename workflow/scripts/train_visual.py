"""Train a visual encoder with AAM-softmax from a training list and shards of aligned faces.

The list has the layout of train_all.txt or train_clean.txt; classes are the ranks of the speakers present. The same
command after an interruption goes on where --checkpoint left off, and ends with the same weights.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.options import settings_of
from avsieve.runtime.scripting import parser, run
from avsieve.training.encoder.options import add_training_options, run_of
from avsieve.training.encoder.settings import TrainVisual


def main() -> None:
    """Train one encoder."""
    ap = parser(__doc__)
    ap.add_argument("--faces", type=Path, nargs="+", required=True, help="shards of aligned faces of its utterances")
    add_training_options(ap, TrainVisual)
    args = ap.parse_args()
    settings = settings_of(TrainVisual, args)

    import cv2

    from avsieve.training.encoder.visual import train_visual

    cv2.setNumThreads(1)
    train_visual(args.list, args.faces, args.output, settings=settings, run=run_of(args))


if __name__ == "__main__":
    run(main)
