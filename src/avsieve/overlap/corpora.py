"""The two corpora of an overlap: folders of runs, or lists with tables of embeddings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from avsieve.cleansing.inputs import MODALITIES, Shard, read_shard
from avsieve.cleansing.table import list_shards
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import check_places, read_tables
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.errors import AvsieveError
from avsieve.inspection.audited import embeddings_of_run
from avsieve.inspection.run_files import results_folder
from avsieve.lists.layouts import read_corpus_list
from avsieve.overlap.people import People, Shards, gather
from avsieve.runtime.prefetch import prefetched
from avsieve.storage import paths as P

_MODEL_KEYS = ("checkpoint_sha256", "encoder_sha256")


@dataclass(frozen=True)
class Corpus:
    """One corpus before it is read.

    Attributes
    ----------
    name
        What messages call it.
    shards
        Reads it, a shard at a time.
    models
        Per modality the digest of the model that embedded it; none where that is not known.
    results
        The folder of the run that it is; None of a list.
    """

    name: str
    shards: Shards
    models: dict[str, str]
    results: Path | None

    def people(self) -> People:
        """Read it, and find its people."""
        return gather(self.shards, self.name)


def corpus_of(
    path: Path, tables: dict[str, Sequence[str] | None], options: Options, which: str, modalities: Sequence[str]
) -> Corpus:
    """Return a corpus.

    Parameters
    ----------
    path
        The results of the workflow, the folder of ``avsieve cleanse --out``, or a list.
    tables
        Per modality the files of embeddings; None of a run, which has its own.
    which
        ``a`` or ``b``: how options of it end.
    modalities
        Those to read.

    Raises
    ------
    AvsieveError
        If there is nothing at the path, or embeddings are missing, or given for a run that has them.
    """
    given = {m: files for m, files in tables.items() if files}
    if not path.exists():
        raise AvsieveError(f"{path}: no such file; name the results of a run, or a list with its embeddings")
    folder = results_folder(path) if path.is_dir() else None
    if folder is not None and P.below(folder, P.plan.shards).is_dir():
        if given:
            raise AvsieveError(f"{folder} has its embeddings; leave --{next(iter(given))}-{which} out")
        return _of_run(folder, modalities)
    listed = path if folder is None else folder / Path(P.lists.all).name
    if not listed.is_file():
        raise AvsieveError(
            f"{path}: neither {P.below(path, P.plan.shards)} nor {listed.name} is there; name the results of a run, or "
            "a list with its embeddings"
        )
    if not given:
        raise AvsieveError(f"{path} has no embeddings; give them: --audio-{which} FILE, --visual-{which} FILE, or both")
    return _of_list(listed, {m: files for m, files in given.items() if m in modalities}, options)


def _of_run(folder: Path, modalities: Sequence[str]) -> Corpus:
    files = embeddings_of_run(folder)
    names = [path.stem for path in files[MODALITIES[0]]]
    plans = [P.below(folder, P.plan.shard, shard=name) for name in names]

    def shards() -> Iterator[Shard]:
        chosen = [[files[m][k] if m in modalities else None for m in MODALITIES] for k in range(len(plans))]
        return prefetched((read_shard(p, *c) for p, c in zip(plans, chosen, strict=True)), ahead=1)

    return Corpus(str(folder), shards, _models(folder, names), folder)


def _models(folder: Path, shards: Sequence[str]) -> dict[str, str]:
    """Return the digest of the model of each modality, where the provenance of the shards has one."""
    found = {}
    for m in MODALITIES:
        path = P.below(folder, P.embed.provenance, modality=m, shard=shards[0])
        if path.is_file():
            facts = json.loads(path.read_text(encoding="utf-8"))
            if key := next((k for k in _MODEL_KEYS if k in facts), None):
                found[m] = str(facts[key])
    return found


def _of_list(path: Path, tables: dict[str, Sequence[str]], options: Options) -> Corpus:
    for files in tables.values():
        check_places(files)
    frame = read_corpus_list(path, options.strip_prefix)[["utterance", "speaker"]]
    listed = frame["utterance"].tolist()
    held: dict[str, EmbeddingTable | None] = {m: read_tables(f, options, wanted=listed) for m, f in tables.items()}
    for m, table in held.items():
        if table is not None and not any(u in table.row for u in listed):
            raise AvsieveError(
                f"{path}: none of its {len(listed):,} utterances is among the {m} embeddings (the list's first: "
                f"{listed[0]}; the table's: {next(iter(table.row), 'none')}); names must match"
            )
    return Corpus(str(path), list_shards(frame, held, dict.fromkeys(MODALITIES, listed), str(path)), {}, None)


def refuse_other_models(a: Corpus, b: Corpus, modalities: Sequence[str]) -> None:
    """Refuse corpora that were embedded by different models, as far as both say by which.

    Raises
    ------
    AvsieveError
        Naming the modality and both models.
    """
    for m in modalities:
        first, second = a.models.get(m), b.models.get(m)
        if first and second and first != second:
            other = next(o for o in MODALITIES if o != m)
            raise AvsieveError(
                f"{m} embeddings of {a.name} are of the model {first[:12]}, those of {b.name} of {second[:12]} "
                f"(SHA-256, embed_{m}/*.json); embed both with the same model, or compare by {other} alone: "
                f"--by {other}"
            )
