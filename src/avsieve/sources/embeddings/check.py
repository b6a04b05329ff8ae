"""Whether the tables of embeddings and the list fit each other, before a run."""

from __future__ import annotations

import numpy as np

from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.table import EmbeddingTable, coverage, coverage_lines
from avsieve.errors import AvsieveError
from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.contract import MODALITIES
from avsieve.sources.embeddings.contract import Embeddings, EmbeddingsSource
from avsieve.sources.embeddings.gather_items import gather
from avsieve.sources.findings import Finding, SourceFacts


def check(settings: Embeddings, modalities: str) -> SourceFacts:
    """Read the list and the tables as the run does, and compare their names."""
    facts = SourceFacts()
    add = facts.findings.append
    try:
        listed = read_corpus_list(str(settings.train_list), settings.strip_prefix)
    except AvsieveError as error:
        add(Finding("error", "source.embeddings.train_list", str(error), "name the list that the embeddings belong to"))
        return facts
    utterances = set(listed["utterance"])
    speakers = listed["speaker"].nunique()
    text = f"{settings.train_list}: {len(utterances):,} utterances of {speakers:,} speakers"
    add(Finding("ok", "source.embeddings.train_list", text))
    facts.utterances = len(utterances)
    facts.clip_bytes = facts.fetch_bytes = 0
    others: set[str] = set()
    lengths: dict[str, int] = {}
    for key in ("audio", "visual", "test_audio", "test_visual"):
        given = getattr(settings, key)
        if given is None:
            continue
        tables = [given] if isinstance(given, str) else given
        subject = f"source.embeddings.{key}"
        options = Options(settings.names_key, settings.vectors_key, settings.strip_prefix)
        try:
            table = read_tables(tables, options, wanted=utterances | others)
        except AvsieveError as error:
            add(Finding("error", subject, str(error), "fix the path or the table, or bring it in another format"))
            continue
        modality = key.removeprefix("test_")
        length = table.embedding.shape[1]
        shape = f"{', '.join(tables)}: {len(table.utterance):,} embeddings of length {length}"
        if lengths.setdefault(modality, length) != length:
            add(Finding("error", subject, f"{shape}, those of {modality} have {lengths[modality]}", "use one encoder"))
            continue
        if key.startswith("test_"):
            others |= {*table.row, *table.rejected} - utterances
            add(Finding("ok", subject, shape))
            continue
        facts.findings += _compared(subject, shape, modality, utterances, table)
    for modality in MODALITIES:
        facts.findings += _sequences(settings, modality, utterances | others, lengths)
    facts.utterances += len(others)
    facts.is_there = (utterances | others).__contains__
    return facts


def _compared(subject: str, shape: str, modality: str, listed: set[str], table: EmbeddingTable) -> list[Finding]:
    """Say how many utterances of the list have an embedding, and why others have none."""
    count = coverage(listed, table)
    first, *details = [line.partition(": ")[2] for line in coverage_lines(modality, listed, table)]
    if not count.n_with:
        text = (
            f"{shape}, none of them of an utterance of the list (the list's first: {min(listed)}, the table's: "
            f"{table.utterance[0]})"
        )
        return [Finding("error", subject, text, "names must match; `strip_prefix` removes a folder")]
    if count.n_with == count.n_listed:
        return [Finding("ok", subject, f"{shape}; {first}"), *(Finding("note", subject, line) for line in details)]
    text = "; ".join([shape, first, *details])
    return [Finding("warning", subject, text, "utterances without an embedding become rows with a reason")]


def _sequences(settings: Embeddings, modality: str, known: set[str], lengths: dict[str, int]) -> list[Finding]:
    """Read the names in the tables of segments or faces, and say how many utterances have any."""
    key = "visual_frames" if modality == "visual" else "audio_segments"
    subject, of_others = f"source.embeddings.{key}", "fix the table, or name another one"
    tables = EmbeddingsSource(settings).sequence_tables(modality)
    if not tables:
        return []
    options = Options(settings.names_key, settings.vectors_key, settings.strip_prefix)
    try:
        found = gather(sorted(known), tables, options)
    except AvsieveError as error:
        return [Finding("error", subject, str(error), of_others)]
    own = {table.dim for table in found.tables} - {0}
    if modality in lengths and own - {lengths[modality]}:
        text = f"embeddings of length {min(own)}, those of whole utterances have {lengths[modality]}"
        return [Finding("warning", subject, text, "no fusion model can read both: use one encoder")]
    findings = []
    for k, name in enumerate(found.sequences):
        rows = found.which == k
        count = len(np.unique(found.place[rows]))
        text = f"{name}: {int(rows.sum()):,} embeddings of {count:,} of {len(known):,} utterances"
        if found.unknown:
            text += f"; {found.unknown:,} rows are of others"
        note = "the others have none: models mask it"
        findings.append(
            Finding("ok", subject, text) if count == len(known) else Finding("warning", subject, text, note)
        )
    return findings
