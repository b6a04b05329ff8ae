"""Whether the tables of embeddings and the list fit each other, before a run."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.imports import read_any
from avsieve.config_source import Embeddings
from avsieve.corpus_lists import read_corpus_list
from avsieve.errors import AvsieveError
from avsieve.sources.embeddings.files import table_files
from avsieve.sources.findings import Finding, SourceFacts


def check(settings: Embeddings, modalities: str) -> SourceFacts:
    """Read the list and the tables, and compare their names."""
    facts = SourceFacts()
    add = facts.findings.append
    try:
        listed = read_corpus_list(str(settings.train_list))
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
    for key in ("audio", "visual", "test_audio", "test_visual"):
        table = getattr(settings, key)
        if table is None:
            continue
        subject = f"source.embeddings.{key}"
        absent = [file for file in table_files(table) if not Path(file).is_file()]
        if absent:
            add(Finding("error", subject, f"{absent[0]}: no such file", "mend the path"))
            continue
        try:
            names, matrix = read_any(table)
        except AvsieveError as error:
            add(Finding("error", subject, str(error), "save the embeddings as npz with `utterance` and `embedding`"))
            continue
        shape = f"{table}: {len(names):,} embeddings of length {matrix.shape[1]}"
        if key.startswith("test_"):
            others |= set(names) - utterances
            add(Finding("ok", subject, shape))
            continue
        missing = len(utterances) - len(utterances & set(names))
        if missing == len(utterances):
            add(Finding("error", subject, f"{shape}, none of them of an utterance of the list", "names must agree"))
        elif missing:
            text = f"{shape}; {missing:,} utterances of the list have none"
            add(Finding("warning", subject, text, "they become rows of reasons"))
        else:
            add(Finding("ok", subject, shape))
    facts.utterances += len(others)
    facts.is_there = (utterances | others).__contains__
    return facts
