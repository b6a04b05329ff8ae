"""Tables of URLs: their settings, and what the source tells of itself."""

from __future__ import annotations

from avsieve.settings import Block, Positive, key
from avsieve.sources.contract import SourceContract, folder_roots
from avsieve.sources.settings import STORE


class Urls(Block):
    """A table of URLs, `utterance,url` and, if known, `sha256,start,end` (`source.kind: urls`)."""

    table: str | None = key(None, "The table (CSV); `start` and `end` in seconds cut a part out.", "refused")
    test_table: str | None = key(None, "The same for other people, for the trials.", "plan_shards")
    store: str = key("downloads", STORE, "fetch_media")
    parallel: int = key(4, "Parallel downloads per shard.", "fetch_media", ge=1, le=64)
    retries: int = key(5, "Retries after a temporary failure, with increasing pauses.", "fetch_media", ge=0)
    pause_s: Positive = key(
        1.0, "First pause, in seconds; each pause is about twice as long as the last.", "fetch_media"
    )
    timeout_s: Positive = key(
        30.0, "A connection that stays silent for this long is closed, in seconds.", "fetch_media"
    )
    requests_per_s: float = key(
        0.0, "Maximum requests per second to one host, per shard; 0 for no limit.", "fetch_media", ge=0
    )
    bytes_per_s: float = key(0.0, "Maximum bytes per second, per shard; 0 for no limit.", "fetch_media", ge=0)
    max_bytes: int = key(4_000_000_000, "Larger files are not downloaded, in bytes.", "fetch_media", ge=1)
    private_addresses: bool = key(
        False,
        "Also download from this machine and from private networks. Without it a URL that leads there, or is "
        "redirected there, is `address_private`: a table from strangers cannot ask your own services.",
        "fetch_media",
    )
    ask_again_days: float = key(
        0.0, "Request files again that were gone this many days ago; 0 for never.", "fetch_media", ge=0
    )


class UrlsSource(SourceContract[Urls]):
    """Clips that a table of URLs names, downloaded into a store."""

    name = "urls"
    block = Urls
    plan = "avsieve.sources.urls.plan:plan"
    fetch = "avsieve.sources.urls.fetch:fetch"
    check = "avsieve.sources.urls.check:check"
    plan_keys = ("table", "test_table")
    fetch_keys = (
        "store", "parallel", "retries", "pause_s", "timeout_s", "requests_per_s", "bytes_per_s", "max_bytes",
        "private_addresses", "ask_again_days",
    )  # fmt: skip
    needed = ("table", "name a CSV with the columns utterance and url")
    plan_files = ("table", "test_table")
    fetching = "downloaded"
    encodes = True

    def roots(self, made: str) -> dict[str, str | None]:
        """Return the folders that the media index starts from: the store."""
        return folder_roots(self.settings, "store", "store")

    @property
    def store(self) -> str:
        """The folder that downloads are kept in."""
        return self.settings.store
