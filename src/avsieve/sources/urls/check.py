"""What a table of URLs says about itself before a run; no server is asked."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit

from avsieve.errors import AvsieveError
from avsieve.sources.downloads import settled
from avsieve.sources.findings import Finding, SourceFacts
from avsieve.sources.ledger import Ledger
from avsieve.sources.store import Store
from avsieve.sources.urls.contract import Urls
from avsieve.sources.urls.table import UrlRequest, read_table
from avsieve.storage.ids import parse_id


def check(settings: Urls, modalities: str) -> SourceFacts:
    """Read the tables and what the store has of them."""
    facts = SourceFacts([])
    requests: dict[str, UrlRequest] = {}
    for name in ("table", "test_table"):
        path = getattr(settings, name)
        if path is None:
            continue
        key = f"source.urls.{name}"
        try:
            found = read_table(Path(path))
        except AvsieveError as error:
            facts.findings.append(Finding("error", key, str(error), "fix the table"))
            return facts
        hosts = Counter(urlsplit(r.url).hostname for r in found.values()).most_common(3)
        text = f"{path}: {len(found):,} utterances at {len({r.url for r in found.values()}):,} URLs, most at "
        facts.findings.append(Finding("ok", key, text + ", ".join(f"{host} ({n:,})" for host, n in hosts)))
        requests |= found
    facts.utterances = len(requests)
    _look_into_store(facts, settings, requests)
    return facts


def _look_into_store(facts: SourceFacts, settings: Urls, requests: dict[str, UrlRequest]) -> None:
    """Tell how much is there, and what is left by the mean size of that."""
    store = Store(settings.store)
    if store.root.exists() and not store.root.is_dir():
        text = f"{store.root} is a file"
        facts.findings.append(Finding("error", "source.urls.store", text, "name a folder, or one to be made"))
        return
    ledgers: dict[str, Ledger] = {}
    done, gone, size, seconds = 0, 0, 0, []
    for utterance, request in requests.items():
        speaker = parse_id(utterance).speaker
        if speaker not in ledgers:
            ledgers[speaker] = Ledger(store, speaker)
        entry = settled(store, ledgers[speaker], utterance, request.to_text(), settings.ask_again_days)
        if entry is None:
            continue
        if entry.outcome == "gone":
            gone += 1
            continue
        done += 1
        size += int(entry.facts["size"])
        if (duration_s := entry.facts.get("duration_s")) is not None:
            seconds.append(float(duration_s))
    left = len(requests) - done - gone
    text = f"{store.root}: {done:,} clips are there, {gone:,} are known to be gone, {left:,} are still to be asked for"
    facts.findings.append(Finding("ok", "source.urls.store", text))
    facts.clip_bytes = size
    if not left:
        facts.fetch_bytes = 0
    elif done:
        facts.fetch_bytes = round(size / done * left)
    else:
        text = "how much is to be downloaded is not known before the first clips are there"
        facts.findings.append(Finding("note", "source.urls.table", text))
    if seconds:
        facts.seconds = sum(seconds) / len(seconds) * (done + left)
