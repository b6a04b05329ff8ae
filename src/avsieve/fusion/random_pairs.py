"""What ``avsieve evaluate --draws`` does: BAFFN's protocol on files of voices and faces, with fusion models or without.

Faces are taken one by one, images by their own names: no face is joined to an utterance, since the protocol pairs a
voice with any face of its speaker.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from avsieve.embedding_files.raw import Options, some
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.errors import AvsieveError, ConfigError
from avsieve.evaluation.random_pairs import PROTOCOL, People, RandomPairs, Scorer, evaluate_draws
from avsieve.evaluation.results import listed_speakers
from avsieve.evaluation.scoring import Part, cosines, mean_of_present
from avsieve.fusion.base import NeuralModel, TrainedModel
from avsieve.fusion.checkpoint import load_fusion
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.recipe import StartSettings
from avsieve.fusion.registry import MODELS
from avsieve.fusion.start import begin_at
from avsieve.fusion.trained_models import trained_model
from avsieve.settings import filled

Arrays = tuple[np.ndarray, np.ndarray]


def evaluate_random_pairs(
    audio: Sequence[str],
    visual: Sequence[str],
    models: Sequence[str],
    options: Options,
    *,
    trained_on: Sequence[str],
    draws: int,
    trials: int,
    definition: str,
    seed: int,
) -> dict[str, Any]:
    """Evaluate voices, faces, their mean and fusion models by random pairs.

    Parameters
    ----------
    audio, visual
        Files of embeddings; the first part of each name is the speaker.
    models
        Models that a run trained, by their files; published weights as ``name:file``.
    options
        How names and vectors are found in the tables.
    trained_on
        Lists whose speakers are refused.
    draws, trials, definition, seed
        See `avsieve.evaluation.random_pairs.evaluate_draws`.

    Returns
    -------
    ``protocol``, counts of what there is, and ``results``, a row per system.

    Raises
    ------
    AvsieveError
        If a table or model cannot be read, they do not fit each other, or speakers were trained on.
    """
    if draws < 1 or trials < 2 or trials % 2:
        raise ConfigError(f"{draws} draws of {trials} trials; expected 1 or more of an even number of trials")
    tables = {m: read_tables(paths, options, by_image=True) for m, paths in (("audio", audio), ("visual", visual))}
    speakers = {m: _speakers(table, paths) for (m, table), paths in zip(tables.items(), (audio, visual), strict=True)}
    people = People.of(speakers["audio"], speakers["visual"])
    for path in trained_on:
        _refuse(people, listed_speakers(path), f"an encoder trained on {path}")
    vectors = {m: np.asarray(table.embedding, np.float32) for m, table in tables.items()}
    parts = {m: Part.of(array) for m, array in vectors.items()}
    scorers: dict[str, Scorer] = {name: partial(_cosines, {name: parts[name]}) for name in parts}
    scorers["fused"] = partial(_cosines, parts)
    for given in models:
        for name, model, seen in _models(given, vectors["audio"].shape[1], vectors["visual"].shape[1]):
            _refuse(people, seen, name)
            if name in scorers:
                raise ConfigError(f"{given}: {name} is evaluated already; name each model once")
            scorers[name] = partial(_fused, model, vectors)
    rows = evaluate_draws(people, scorers, draws=draws, trials=trials, definition=definition, seed=seed)
    return {
        "protocol": PROTOCOL,
        "draws": draws,
        "trials": trials,
        "targets": trials // 2,
        "seed": seed,
        "speakers": len(people.names),
        "speakers_left_out": len(people.left_out),
        "voices": sum(map(len, people.audio)),
        "faces": sum(map(len, people.visual)),
        "notes": [f"{m}: {note}" for m, table in tables.items() for note in _notes(table)],
        "eer_definition": definition,
        "results": rows,
    }


def _speakers(table: EmbeddingTable, paths: Sequence[str]) -> list[str]:
    if bare := next((name for name in table.utterance if "/" not in name), None):
        raise AvsieveError(f"{some(paths, 3)}: {bare!r} has no speaker; expected names such as speaker/video/utterance")
    return [name.partition("/")[0] for name in table.utterance]


def _notes(table: EmbeddingTable) -> list[str]:
    lost = list(table.rejected.items())
    told = [f"{len(lost):,} without an embedding that can be used, such as {lost[0][1].detail}"] if lost else []
    return told + table.notes


def _refuse(people: People, seen: set[str], model: str) -> None:
    if both := sorted(seen & set(people.names)):
        raise AvsieveError(
            f"{len(both)} of {len(people.names)} speakers, such as {both[0]}, are in the training of {model}; its "
            "error rate would be too low: evaluate with other people"
        )


def _cosines(parts: dict[str, Part], pairs: RandomPairs) -> np.ndarray:
    """Return the mean of the cosines of voices, faces, or both."""
    return mean_of_present([cosines(part, *getattr(pairs, m)) for m, part in parts.items()])


def _fused(model: TrainedModel, vectors: dict[str, np.ndarray], pairs: RandomPairs) -> np.ndarray:
    """Return the scores of a fusion model, for which each side is an utterance of its own."""
    rows = {m: np.concatenate(getattr(pairs, m)) for m in vectors}
    count = len(pairs.is_target)
    there = np.ones(2 * count, dtype=bool)
    streams = {m: Stream(vectors[m][rows[m]], there) for m in vectors}
    encoded = model.encode(Inputs([str(i) for i in range(2 * count)], streams["audio"], streams["visual"]))
    return model.score(encoded, np.arange(count), count + np.arange(count))


def _models(given: str, audio_dim: int, visual_dim: int) -> list[tuple[str, TrainedModel, set[str]]]:
    """Return the systems of a file: a name, the model and whom it was trained on, as far as the file tells."""
    name, colon, path = given.partition(":")
    if not colon or name not in MODELS:
        found = load_fusion(given)
        return [(f"{found.model.name} {found.trained_on} {found.seed}", found.model, set(found.speakers))]
    kind = trained_model(name)
    if not (issubclass(kind, NeuralModel) and issubclass(kind.settings, StartSettings)):
        raise ConfigError(
            f"{given}: no weights were published for {name}; give a model that a run trained, by its file"
        )
    ways: dict[str, dict[str, Any]] = {f"{name} published": {}}
    if "published_scoring" in kind.settings.model_fields:
        ways[f"{name} published, its scoring"] = {"published_scoring": True}
    systems: list[tuple[str, TrainedModel, set[str]]] = []
    for way, more in ways.items():
        own = filled(kind.settings, {"weights": path, "train": False, **more}, name)
        torch.manual_seed(0)
        model = kind(audio_dim, visual_dim, getattr(own, "length", None) or 128, own)
        begin_at(model.network, Path(path))
        model.network.eval()
        systems.append((way, model, set()))
    return systems
