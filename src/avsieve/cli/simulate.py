"""`avsieve simulate`: write VoxCeleb2-like embeddings with known label noise."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from avsieve.cli.verb import Verb
from avsieve.runtime.options import add_settings, settings_of
from avsieve.simulation.settings import ModalitySpec, NoiseSpec, WorldSpec
from avsieve.simulation.worlds import WORLDS


def add_arguments(ap: argparse.ArgumentParser) -> None:
    """Add the options."""
    ap.add_argument(
        "--out", type=Path, required=True, help="folder for train_all.txt, audio.npz, visual.npz, truth.csv"
    )
    ap.add_argument(
        "--sequences",
        action="store_true",
        help="also write audio_segments.parquet (hops, eighths, centre) and visual_frames.parquet",
    )
    ap.add_argument("--seed", type=int, default=0, help="equal seeds give equal bytes")
    ap.add_argument("--world", metavar="NAME", help="a world of the list below; options below change it")
    ap.epilog = "worlds:\n" + "\n".join(f"  {name:20}{world.description}" for name, world in WORLDS.items())
    settings = ap.add_argument_group("what the world is like")
    world, encoder = WorldSpec, ModalitySpec
    settings.add_argument("--speakers", type=int, default=world.speakers, help="labels in the list")
    settings.add_argument(
        "--videos", type=float, default=world.videos_per_speaker, help="mean number of videos per speaker"
    )
    settings.add_argument(
        "--utterances", type=float, default=world.utterances_per_video, help="mean number of utterances per video"
    )
    add_settings(settings, NoiseSpec)
    settings.add_argument(
        "--clean-similarity",
        type=float,
        default=encoder.clean_similarity,
        help="mean similarity of correct utterances (cosine)",
    )
    settings.add_argument(
        "--clean-spread", type=float, default=encoder.clean_spread, help="standard deviation of that similarity"
    )
    for option in settings._group_actions:  # an option that is not given leaves the world as it is
        option.help = f"{option.help} (default: {option.default})"
        option.default = argparse.SUPPRESS


def _chosen(args: argparse.Namespace) -> tuple[WorldSpec, NoiseSpec]:
    """Return the named world, or that of the defaults, with the options that were given."""
    sizes, noise = WorldSpec(), NoiseSpec()
    if args.world is not None:
        sizes, noise = WORLDS[args.world].sizes, WORLDS[args.world].noise
    given = vars(args)
    noise = settings_of(NoiseSpec, args, **{k: v for k, v in noise.model_dump().items() if k not in given})
    if "speakers" in given:
        sizes = replace(sizes, speakers=args.speakers, outsiders=args.speakers // 2)
    quality = {k: given[k] for k in ("clean_similarity", "clean_spread") if k in given}
    return replace(
        sizes,
        videos_per_speaker=given.get("videos", sizes.videos_per_speaker),
        utterances_per_video=given.get("utterances", sizes.utterances_per_video),
        audio=replace(sizes.audio, **quality),
        visual=replace(sizes.visual, **quality),
    ), noise


def run(args: argparse.Namespace) -> int:
    """Simulate and write."""
    import numpy as np

    from avsieve.lists.train_list import write_train_list
    from avsieve.simulation.corpus import simulate
    from avsieve.storage.atomic import atomic_path

    world, noise = _chosen(args)
    corpus = simulate(world, noise, args.seed)
    names = corpus.plan["utterance"].to_numpy(dtype=str)
    write_train_list(args.out / "train_all.txt", names.tolist(), corpus.plan["seconds"].tolist())
    for name, matrix in (("audio", corpus.audio), ("visual", corpus.visual)):
        with atomic_path(args.out / f"{name}.npz") as partial:
            np.savez(partial, utterance=names, embedding=matrix.astype(np.float16))
    if args.sequences:
        from avsieve.simulation.sequences import write_sequences

        write_sequences(corpus, args.out / "audio_segments.parquet", args.out / "visual_frames.parquet", args.seed)
    # The layout that `source.truth` of the configuration takes.
    truth = corpus.truth.rename(columns={"audio_of": "voice_of", "visual_of": "face_of"})
    truth["kind"] = truth["kind"].replace({"audio": "voice", "visual": "face"})
    with atomic_path(args.out / "truth.csv") as partial:
        truth.to_csv(partial, index=False, lineterminator="\n")
    wrong = int((corpus.truth["kind"] != "clean").sum())
    print(f"{len(names)} utterances of {world.speakers} speakers, {wrong} mislabelled, in {args.out}")
    return 0


VERB = Verb("generate embeddings with known label noise", __doc__, add_arguments, run)
