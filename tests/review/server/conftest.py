"""A server of a made-up run, asked as a browser would, without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from avsieve.review.server.app import make_app
from avsieve.review.server.keys import read_keys
from avsieve.review.server.session import Session, Settings
from tests.review.made_up import made_up_results

PORT, TOKEN = 8765, "a-token-of-the-tests"


class Server:
    """A server and one who may talk to it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        app = make_app(session, PORT, TOKEN)
        self.stranger = TestClient(app, base_url=f"http://127.0.0.1:{PORT}", follow_redirects=False)
        self.client = TestClient(app, base_url=f"http://127.0.0.1:{PORT}", headers={"Authorization": f"Bearer {TOKEN}"})

    def get(self, path: str, **parameters: Any) -> Any:
        """Ask, expect an answer, and return its JSON."""
        found = self.client.get(path, params=parameters)
        assert found.status_code == 200, found.text
        return found.json()

    def post(self, path: str, body: Any) -> Any:
        """Tell, expect an answer, and return its JSON."""
        found = self.client.post(path, json=body)
        assert found.status_code == 200, found.text
        return found.json()

    def refused(self, path: str, status: int, body: Any = None, **parameters: Any) -> str:
        """Ask or tell, expect to be refused, and return the text."""
        found = self.client.get(path, params=parameters) if body is None else self.client.post(path, json=body)
        assert found.status_code == status, found.text
        return str(found.json()["error"])


def until_a_repeat(server: Server, queue: str) -> dict[str, Any]:
    """Decide one clip after the other until one comes a second time, and return that item, undecided."""
    seen: set[str] = set()
    while True:
        item = server.get(f"/api/queue/{queue}", limit=1)["items"][0]
        if item["utterance"] in seen:
            return dict(item)
        seen.add(item["utterance"])
        body = {"utterance": item["utterance"], "decision": "right", "place": item["place"]}
        assert server.client.post("/api/decide", json=body).status_code == 200


Make = Callable[..., Server]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results with faces and voices; tests leave them as they are."""
    return made_up_results(tmp_path_factory.mktemp("review"))


@pytest.fixture(scope="session")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return results of more people, without faces and voices."""
    folder = tmp_path_factory.mktemp("many")
    return made_up_results(folder, speakers=24, videos=5, utterances=4, faces=False, voices=False)


@pytest.fixture
def make(results: Path, tmp_path: Path) -> Make:
    """Return what starts a server; all of a test share a folder of reviews."""

    def started(reviewer: str = "ann", folder: Path | None = None, **settings: Any) -> Server:
        given = {"reviews": tmp_path / "reviews", **settings}
        return Server(Session(Settings(folder or results, reviewer, **given), read_keys(None)))

    return started


@pytest.fixture
def server(make: Make) -> Server:
    return make()
