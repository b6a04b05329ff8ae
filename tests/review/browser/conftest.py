"""The page in a browser: a server in a process of its own, and Debian's Chromium."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.review.made_up import made_up_results
from tests.review.server.test_start import Running, running

# A browser without a window lets a page sound at once. This holds it back until there was a click or a key, as a
# browser with a window does.
SILENT = """
for (const name of ["pointerdown", "keydown"]) addEventListener(name, () => { window.touched = true; }, true);
const play = HTMLMediaElement.prototype.play;
window.played = [];
HTMLMediaElement.prototype.play = function () {
  if (!window.touched) return Promise.reject(new DOMException("not yet", "NotAllowedError"));
  window.played.push(this.src);
  return play.call(this);
};
window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => window.violations.push(event.violatedDirective));
"""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results with faces and voices; tests leave them as they are."""
    return made_up_results(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="session")
def embeddings_only(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of more people, without faces and voices."""
    folder = tmp_path_factory.mktemp("many")
    return made_up_results(folder, speakers=24, videos=5, utterances=4, faces=False, voices=False)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed (pip install playwright)")
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if path is None:
        pytest.skip("no Chromium on this machine (apt-get install chromium)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


Serve = Callable[..., Running]


@pytest.fixture
def serve(results: Path, tmp_path: Path) -> Iterator[Serve]:
    """Return what starts a server; all of a test share a folder of reviews."""
    with ExitStack() as stack:

        def started(*options: str, reviewer: str = "ann", folder: Path | None = None) -> Running:
            given = ["--reviewer", reviewer, *options]
            return stack.enter_context(running(folder or results, tmp_path / "reviews", *given))

        yield started


class Visit:
    """A page that was opened, and what its console said."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.complaints: list[str] = []
        page.on("console", lambda m: self.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def open(self, server: Running, route: str = "", awaited: str = ".judge") -> Any:
        """Open the address that the server has printed."""
        self.page.goto(f"http://127.0.0.1:{server.port}/?token={server.token}{route}")
        self.page.wait_for_selector(awaited)
        return self.page


Open = Callable[..., Any]


@pytest.fixture
def allowed() -> list[str]:
    """Return what a browser may complain of: any answer that is an error, whatever the page makes of it."""
    return []


@pytest.fixture
def visit(chromium: Any, allowed: list[str]) -> Iterator[Callable[..., Visit]]:
    """Return what makes a page; at the end none may have had an error, or have broken the policy of the contents."""
    visits: list[Visit] = []

    def made(**settings: Any) -> Visit:
        context = chromium.new_context(**{"viewport": {"width": 1280, "height": 800}, **settings})
        context.add_init_script(SILENT)
        page = context.new_page()
        page.set_default_timeout(30_000)
        visits.append(Visit(page))
        return visits[-1]

    yield made
    complaints = [text for one in visits for text in one.complaints if not any(a in text for a in allowed)]
    violations = [text for one in visits for text in one.page.evaluate("window.violations || []")]
    for one in visits:
        one.page.context.close()
    assert complaints == []
    assert violations == []


@pytest.fixture
def opened(visit: Callable[..., Visit], serve: Serve) -> Open:
    """Return what opens the page of a server, by default one of its own."""

    def page(server: Running | None = None, route: str = "", awaited: str = ".judge", **settings: Any) -> Any:
        return visit(**settings).open(server or serve(), route, awaited)

    return page


@pytest.fixture
def log(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """Return what reads the lines of a reviewer's log."""

    def lines(reviewer: str = "ann") -> list[dict[str, Any]]:
        path = tmp_path / "reviews" / f"{reviewer}.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    return lines
