"""`avsieve simulate`: write VoxCeleb2-shaped embeddings with label noise whose truth is known."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.add_argument(
        "--out", type=Path, required=True, help="folder for train_all.txt, audio.npz, visual.npz, truth.csv"
    )
    ap.add_argument("--speakers", type=int, default=400, help="labels in the list")
    ap.add_argument("--videos", type=float, default=12.0, help="mean number of videos per speaker")
    ap.add_argument("--utterances", type=float, default=5.0, help="mean number of utterances per video")
    ap.add_argument("--rate", type=float, default=0.05, help="share of utterances that are mislabelled, 0 to 1")
    ap.add_argument("--whole-video", type=float, default=0.5, help="share of the wrong that are whole videos")
    ap.add_argument("--audio-only", type=float, default=0.15, help="share of the wrong where only the voice is")
    ap.add_argument("--visual-only", type=float, default=0.15, help="share of the wrong where only the face is")
    ap.add_argument("--outside", type=float, default=0.4, help="share of wrong people who are nobody's label")
    ap.add_argument("--similar", type=float, default=0.2, help="share of wrong people drawn among lookalikes")
    ap.add_argument("--clean-similarity", type=float, default=0.64, help="mean quality of right utterances (cosine)")
    ap.add_argument("--clean-spread", type=float, default=0.13, help="standard deviation of it")
    ap.add_argument("--seed", type=int, default=0, help="equal seeds give equal bytes")


def run(args: argparse.Namespace) -> int:
    """Simulate and write."""
    from dataclasses import replace

    import numpy as np

    from avsieve.errors import ConfigError
    from avsieve.lists.train_list import write_train_list
    from avsieve.simulation.corpus import simulate
    from avsieve.simulation.noise import NoiseSpec
    from avsieve.simulation.world import WorldSpec
    from avsieve.storage.atomic import atomic_path

    if not 0 <= args.rate < 1:
        raise ConfigError(f"--rate {args.rate}; expected a share, 0 or more and below 1")
    quality = {"clean_similarity": args.clean_similarity, "clean_spread": args.clean_spread}
    world = WorldSpec(
        speakers=args.speakers, outsiders=args.speakers // 2, videos_per_speaker=args.videos,
        utterances_per_video=args.utterances,
    )  # fmt: skip
    world = replace(world, audio=replace(world.audio, **quality), visual=replace(world.visual, **quality))
    noise = NoiseSpec(
        rate=args.rate, whole_video=args.whole_video, audio_only=args.audio_only, visual_only=args.visual_only,
        outside=args.outside, similar=args.similar,
    )  # fmt: skip
    corpus = simulate(world, noise, args.seed)
    names = corpus.plan["utterance"].to_numpy(dtype=str)
    write_train_list(args.out / "train_all.txt", names.tolist(), corpus.plan["seconds"].tolist())
    for name, matrix in (("audio", corpus.audio), ("visual", corpus.visual)):
        with atomic_path(args.out / f"{name}.npz") as partial:
            np.savez(partial, utterance=names, embedding=matrix.astype(np.float16))
    # The layout that `source.truth` of the configuration takes.
    truth = corpus.truth.rename(columns={"audio_of": "voice_of", "visual_of": "face_of"})
    truth["kind"] = truth["kind"].replace({"audio": "voice", "visual": "face"})
    with atomic_path(args.out / "truth.csv") as partial:
        truth.to_csv(partial, index=False, lineterminator="\n")
    wrong = int((corpus.truth["kind"] != "clean").sum())
    print(f"{len(names)} utterances of {args.speakers} speakers, {wrong} mislabelled, in {args.out}")
    return 0


VERB = Verb("make embeddings with known label noise", __doc__, add_arguments, run)
