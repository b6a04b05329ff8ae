from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from avsieve.errors import AvsieveError
from avsieve.review.server import page
from avsieve.review.server import start as starting
from avsieve.review.server.start import bound, user_name
from tests.nursery import run, start
from tests.review.server.conftest import Make, Server

CLIP = "id00001/v1-01_Aa/00001"
# What a server has loaded when it answers.
LOADED = ("avsieve.cli", "avsieve.review.server.start", "avsieve.review.server.session", "uvicorn.lifespan.on")
LOADED += ("uvicorn.loops.auto", "uvicorn.protocols.http.auto", "uvicorn.protocols.websockets.auto")


class Running:
    """A server in a process of its own."""

    def __init__(self, process: Any) -> None:
        self.process, self.told = process, ""
        while "Ctrl+C" not in self.told:
            line = process.stdout.readline()
            assert line, f"ended: {self.told}{process.stderr.read()}"
            self.told += line
        found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=([\w-]+)", self.told)
        assert found is not None, self.told
        self.port, self.token = int(found[1]), found[2]

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """Send a request with its path as it stands, dots and all."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        connection.request(method, path, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, content

    def end(self, how: signal.Signals) -> tuple[int, str, str]:
        """End the process; return its status and what it wrote."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@contextmanager
def running(
    results: Path, reviews: Path, *options: str, browser: bool = False, env: dict[str, str] | None = None,
    cold: bool = False,
) -> Iterator[Running]:  # fmt: skip
    """Run a server; ``cold``: in a Python of its own, which is what a user waits for."""
    words = ["review", str(results), "--reviews", str(reviews), *options, *([] if browser else ["--no-browser"])]
    process: Any
    if cold:
        pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        process = subprocess.Popen([sys.executable, "-m", "avsieve", *words], text=True, env=env, **pipes)
    else:
        process = start("avsieve", *words, loaded=LOADED, env=env)
    with process:
        try:
            yield Running(process)
        finally:
            process.kill()


def test_what_was_answered_outlives_a_kill(results: Path, tmp_path: Path) -> None:
    with running(results, tmp_path, "--reviewer", "ann") as server:
        assert server.ask("POST", "/api/decide", {"utterance": CLIP, "decision": "wrong_clip"})[0] == 200
        server.end(signal.SIGKILL)
        lines = [json.loads(line) for line in (tmp_path / "ann.jsonl").read_text().splitlines()]
        assert [(line["utterance"], line["decision"]) for line in lines] == [(CLIP, "wrong_clip")]
    with running(results, tmp_path, "--reviewer", "ann") as server:
        assert json.loads(server.ask("GET", f"/api/item/{CLIP}")[1])["decision"] == "wrong_clip"
        assert json.loads(server.ask("POST", "/api/undo", {})[1])["undone"]["utterance"] == CLIP


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_the_end_folds_the_logs_and_says_what_to_do(results: Path, tmp_path: Path, how: signal.Signals) -> None:
    with running(results, tmp_path, "--reviewer", "ann", cold=True) as server:
        server.ask("POST", "/api/decide", {"utterance": CLIP, "decision": "wrong_clip"})
        status, out, err = server.end(how)
    assert f"1 utterance decided by ann: {tmp_path / 'review.csv'}" in out
    assert f"cleansing.review: {tmp_path / 'review.csv'}" in out
    assert CLIP in (tmp_path / "review.csv").read_text()
    assert "Traceback" not in err
    assert status in (0, 130, 143, -how)


def test_it_listens_on_this_machine_alone_and_opens_no_path(results: Path, tmp_path: Path) -> None:
    with running(results, tmp_path, "--reviewer", "ann") as server:
        listening = Path("/proc/net/tcp").read_text() if Path("/proc/net/tcp").exists() else ""
        if listening:
            assert f"0100007F:{server.port:04X}" in listening
            assert f"00000000:{server.port:04X}" not in listening
        for path in (
            "/../../etc/passwd", "/page/../log.py", "/page/../../../../etc/passwd", "/page/%2e%2e/log.py",
            "/page/..%2f..%2flog.py", "/page//etc/passwd", "/page/%2fetc%2fpasswd", "/media/voice/../../etc/passwd",
            "/media/face/0/../../../x.jpg", "/media/face/%2e%2e/%2e%2e/0.jpg", "/api/item/../../etc/passwd",
            "/api/opinion/%2e%2e%2f%2e%2e%2fetc%2fpasswd", "/api/queue/../run", "/page/", "/page/%00",
        ):  # fmt: skip
            status, content = server.ask("GET", path)
            assert status == 404, path
            assert json.loads(content)["error"]
        for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            assert server.ask(method, "/api/run")[0] == 405
        assert server.ask("GET", "/api/decide")[0] == 405
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw:
            raw.sendall(b"GET /api/run HTTP/1.1\r\nHost: evil.example\r\n\r\n")
            assert b" 421 " in raw.recv(4096).split(b"\r\n", 1)[0]


def test_a_web_socket_is_not_opened(results: Path, tmp_path: Path) -> None:
    lines = ["GET /api/run HTTP/1.1", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    lines += ["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="]
    with (
        running(results, tmp_path, "--reviewer", "ann") as server,
        socket.create_connection(("127.0.0.1", server.port), timeout=5) as raw,
    ):
        raw.sendall("\r\n".join([*lines, f"Host: 127.0.0.1:{server.port}", "", ""]).encode())
        assert b" 401 " in raw.recv(4096).split(b"\r\n", 1)[0]


def test_the_browser_is_given_no_token_on_its_command_line(results: Path, tmp_path: Path) -> None:
    note, browser = tmp_path / "opened.txt", tmp_path / "browser.sh"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > {note}.partial && mv {note}.partial {note}\n')
    browser.chmod(0o700)
    environment = os.environ | {"BROWSER": str(browser)}
    with running(results, tmp_path / "reviews", "--reviewer", "ann", browser=True, env=environment) as server:
        deadline = time.monotonic() + 20
        while not note.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        address = note.read_text()
        assert server.token not in address
        link = Path(address.removeprefix("file://"))
        assert link.parent == tmp_path / "reviews"
        assert link.stat().st_mode & 0o077 == 0
        assert f"http://127.0.0.1:{server.port}/?token={server.token}" in link.read_text()
        server.end(signal.SIGINT)
        assert not link.exists()


def test_a_port_that_is_taken_is_told() -> None:
    with bound(0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AvsieveError, match=f"--port {port}: .*; expected a free port, or 0 for any"):
            bound(port)
    with pytest.raises(AvsieveError, match="--port 99999: "):
        bound(99999)


def test_the_reviewer_is_who_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting.getpass, "getuser", lambda: ".Zoë Müller")
    assert user_name() == "Zo__M_ller"
    monkeypatch.setattr(starting.getpass, "getuser", lambda: "")
    with pytest.raises(AvsieveError, match="name the reviewer with --reviewer"):
        user_name()


def test_the_page_is_served_from_a_fixed_list(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page" / "parts").mkdir(parents=True)
    for name, content in {
        "index.html": "<p>there",
        "app.js": "1",
        "style.css": "a{}",
        "parts/x.bin": "b",
        ".hid": "",
    }.items():
        (tmp_path / "page" / name).write_text(content)
    monkeypatch.setattr(page, "files", lambda package: tmp_path)
    server: Server = make()
    kinds = {
        "": "text/html; charset=utf-8",
        "page/index.html": "text/html; charset=utf-8",
        "page/app.js": "text/javascript; charset=utf-8",
        "page/style.css": "text/css; charset=utf-8",
        "page/parts/x.bin": "application/octet-stream",
    }
    for path, kind in kinds.items():
        found = server.client.get(f"/{path}")
        assert (found.status_code, found.headers["content-type"]) == (200, kind)
        again = server.client.get(f"/{path}", headers={"If-None-Match": found.headers["etag"]})
        assert again.status_code == 304
    for path in ("page/.hid", "page/parts", "page/none.js", "page/app.js/", "page/%2e%2e/page/app.js"):
        assert "no such file of the page" in server.refused(f"/{path}", 404)
    (tmp_path / "page" / "late.js").write_text("2")
    assert server.client.get("/page/late.js").status_code == 404


def test_a_page_that_is_not_installed_is_told(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "files", lambda package: tmp_path)
    found = make().client.get("/")
    assert found.status_code == 500
    assert "install avsieve again" in found.text


def without(package: str, *words: str) -> subprocess.CompletedProcess[str]:
    hide = f"import sys; sys.modules[{package!r}] = None; from avsieve.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", hide, *words], capture_output=True, text=True, check=False, env=os.environ
    )


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_its_packages_it_says_what_to_install(results: Path, package: str) -> None:
    found = without(package, "review", str(results), "--no-browser")
    assert found.returncode != 0
    assert f"the package {package} is missing" in found.stderr
    assert "pip install avsieve[review]" in found.stderr
    assert "Traceback" not in found.stderr


def test_other_verbs_and_fold_need_none_of_them(results: Path, tmp_path: Path) -> None:
    (tmp_path / "ann.jsonl").write_text(json.dumps({"utterance": CLIP, "decision": "right"}) + "\n")
    for words in (["--help"], ["review", "fold", str(tmp_path), "--out", str(tmp_path / "review.csv")]):
        assert without("starlette", *words).returncode == 0
        assert without("uvicorn", *words).returncode == 0
    assert CLIP in (tmp_path / "review.csv").read_text()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["review", "fold"], "fold without FOLDER; expected avsieve review fold FOLDER --out FILE"),
        (["review", "fold", "reviews"], "fold without --out; expected avsieve review fold FOLDER --out FILE"),
        (["review", "results", "more"], "FOLDER more without fold; expected"),
        (["review", "results", "--out", "x"], "--out x without fold; expected"),
        (["review", "nowhere"], "nowhere: no such folder; name the results of a run"),
        (["review", "{results}", "--reviewer", "../x"], "reviewer '../x'; expected letters, digits"),
        (["review", "{results}", "--keys", "none.json"], "--keys none.json: cannot be read"),
    ],
)
def test_words_that_do_not_fit_are_told(results: Path, words: list[str], told: str) -> None:
    given = [word.format(results=results) for word in words]
    found = run("avsieve", *given, loaded=LOADED)
    assert found.returncode != 0
    assert told in found.stderr
    assert "Traceback" not in found.stderr


def test_two_servers_of_a_reviewer_run_beside_each_other(results: Path, tmp_path: Path) -> None:
    with running(results, tmp_path, "--reviewer", "ann") as one, running(results, tmp_path, "--reviewer", "ann") as two:
        assert one.port != two.port
        one.ask("POST", "/api/decide", {"utterance": CLIP, "decision": "right"})
        assert json.loads(two.ask("GET", f"/api/item/{CLIP}")[1])["decision"] == "right"
        begin = time.monotonic()
        two.ask("POST", "/api/undo", {})
        assert json.loads(one.ask("GET", f"/api/item/{CLIP}")[1])["decision"] is None
        assert time.monotonic() - begin < 10
