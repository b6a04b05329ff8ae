"""`avsieve simulate`: write VoxCeleb2-like embeddings with known label noise."""

from __future__ import annotations

import argparse
from pathlib import Path

from avsieve.cli.verb import Verb
from avsieve.runtime.options import add_settings, settings_of
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.add_argument(
        "--out", type=Path, required=True, help="folder for train_all.txt, audio.npz, visual.npz, truth.csv"
    )
    world, encoder = WorldSpec, ModalitySpec
    ap.add_argument("--speakers", type=int, default=world.speakers, help="labels in the list")
    ap.add_argument("--videos", type=float, default=world.videos_per_speaker, help="mean number of videos per speaker")
    ap.add_argument(
        "--utterances", type=float, default=world.utterances_per_video, help="mean number of utterances per video"
    )
    add_settings(ap, NoiseSpec)
    ap.add_argument(
        "--clean-similarity",
        type=float,
        default=encoder.clean_similarity,
        help="mean similarity of correct utterances (cosine)",
    )
    ap.add_argument(
        "--clean-spread", type=float, default=encoder.clean_spread, help="standard deviation of that similarity"
    )
    ap.add_argument("--seed", type=int, default=0, help="equal seeds give equal bytes")


def run(args: argparse.Namespace) -> int:
    """Simulate and write."""
    from dataclasses import replace

    import numpy as np

    from avsieve.lists.train_list import write_train_list
    from avsieve.simulation.corpus import simulate
    from avsieve.storage.atomic import atomic_path

    quality = {"clean_similarity": args.clean_similarity, "clean_spread": args.clean_spread}
    world = WorldSpec(
        speakers=args.speakers, outsiders=args.speakers // 2, videos_per_speaker=args.videos,
        utterances_per_video=args.utterances,
    )  # fmt: skip
    world = replace(world, audio=replace(world.audio, **quality), visual=replace(world.visual, **quality))
    corpus = simulate(world, settings_of(NoiseSpec, args), args.seed)
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


VERB = Verb("generate embeddings with known label noise", __doc__, add_arguments, run)
