"""The files of the page, as they were shipped: a fixed list, so that no path of a request is ever opened."""

from __future__ import annotations

from importlib.resources import files
from importlib.resources.abc import Traversable

TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "mjs": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
    "png": "image/png",
    "ico": "image/x-icon",
    "woff2": "font/woff2",
    "txt": "text/plain; charset=utf-8",
    "md": "text/plain; charset=utf-8",
}
INDEX = "index.html"


def page_files() -> dict[str, Traversable]:
    """Return the files that are shipped, by their path below the page's folder, with ``/``."""
    return dict(_below(files("avsieve.review") / "page", ""))


def type_of(name: str) -> str:
    """Return the media type of a file by its ending; one that is not known is for downloading."""
    return TYPES.get(name.rpartition(".")[2].lower(), "application/octet-stream")


def _below(folder: Traversable, prefix: str) -> list[tuple[str, Traversable]]:
    found: list[tuple[str, Traversable]] = []
    if folder.is_dir():
        for entry in sorted(folder.iterdir(), key=lambda e: e.name):
            if entry.is_dir():
                found += _below(entry, f"{prefix}{entry.name}/")
            elif not entry.name.startswith("."):
                found.append((prefix + entry.name, entry))
    return found
