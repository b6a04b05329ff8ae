"""Render synthetic people to train the shipped visual models on.

Writes a shard of frames, the truth (boxes and landmarks) and a training list. None of these people occurs in the
embedded corpus.
"""

from __future__ import annotations

from pathlib import Path

from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Render the people."""
    ap = parser(__doc__)
    ap.add_argument("--frames", type=Path, required=True, help="tar of the frames to write")
    ap.add_argument("--truth", type=Path, required=True, help="table of boxes and landmarks to write")
    ap.add_argument("--status", type=Path, required=True, help="status table to write, as extract_media's")
    ap.add_argument("--train-list", type=Path, required=True, help="list 'speaker wav seconds' to write")
    ap.add_argument("--seed", type=int, required=True, help="another seed gives other people")
    ap.add_argument("--first", type=int, required=True, help="number of the first person")
    ap.add_argument("--people", type=int, required=True, help="number of people")
    ap.add_argument("--scenes", type=int, required=True, help="videos of each")
    ap.add_argument("--frames-per-scene", type=int, required=True, help="frames of each video")
    args = ap.parse_args()

    import cv2

    from avsieve.training.shipped.rendered_faces import render_people

    cv2.setNumThreads(1)
    status = render_people(
        args.frames,
        args.truth,
        args.train_list,
        seed=args.seed,
        first=args.first,
        people=args.people,
        scenes=args.scenes,
        frames=args.frames_per_scene,
    )
    status.write(args.status)


if __name__ == "__main__":
    run(main)
