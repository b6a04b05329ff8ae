from __future__ import annotations

import pytest

from tests.review.server.conftest import PORT, TOKEN, Server

OWN = f"http://127.0.0.1:{PORT}"
COOKIE = {"Cookie": f"avsieve_{PORT}={TOKEN}"}
BODY = {"utterance": "id00001/v0-01_Aa/00001", "decision": "right"}


def test_the_address_with_the_token_sets_a_cookie_that_opens_the_rest(server: Server) -> None:
    found = server.stranger.get("/", params={"token": TOKEN})
    assert (found.status_code, found.headers["location"]) == (303, "/")
    cookie = found.headers["set-cookie"]
    assert cookie == f"avsieve_{PORT}={TOKEN}; HttpOnly; SameSite=Strict; Path=/"
    assert server.stranger.get("/api/run").json()["utterances"] == 72


def test_from_another_page_the_way_goes_on_from_a_page_of_our_own(server: Server) -> None:
    found = server.stranger.get("/", params={"token": TOKEN}, headers={"Sec-Fetch-Site": "cross-site"})
    assert (found.status_code, found.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert 'content="0;url=/"' in found.text
    assert TOKEN not in found.text
    assert found.headers["set-cookie"].startswith(f"avsieve_{PORT}={TOKEN}; HttpOnly; SameSite=Strict")
    assert found.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "path", ["/", "/?token=wrong", "/?token=", "/api/run", "/page/index.html", "/media/voice/0.wav"]
)
def test_without_the_token_nothing_is_answered(server: Server, path: str) -> None:
    found = server.stranger.get(path)
    assert found.status_code == 401
    assert "with its token" in found.json()["error"]
    assert "set-cookie" not in found.headers


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {TOKEN}"},
        {"Authorization": "Bearer "},
        {"Cookie": f"avsieve_{PORT}=wrong"},
        {"Cookie": f"avsieve_{PORT + 1}={TOKEN}"},
        {"Cookie": f"avsieve_{PORT}={TOKEN[:-1]}"},
    ],
)
def test_a_wrong_token_is_none(server: Server, headers: dict[str, str]) -> None:
    assert server.stranger.get("/api/run", headers=headers).status_code == 401


def test_the_cookie_is_found_among_those_of_other_programs(server: Server) -> None:
    headers = {"Cookie": f'state={{"a": [1, 2]}}; {COOKIE["Cookie"]}; theme=dark'}
    assert server.stranger.get("/api/run", headers=headers).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "example.com",
        f"example.com:{PORT}",
        "127.0.0.1",
        "127.0.0.1:1",
        f"127.0.0.1.example.com:{PORT}",
        f"[::1]:{PORT}",
    ],
)
def test_another_host_is_refused_whatever_the_token(server: Server, host: str) -> None:
    for headers in ({"Authorization": f"Bearer {TOKEN}"}, COOKIE):
        found = server.stranger.get("/api/run", headers={**headers, "Host": host})
        assert found.status_code == 421
        assert f"localhost:{PORT}" in found.json()["error"]
    assert server.stranger.get("/", params={"token": TOKEN}, headers={"Host": host}).status_code == 421


def test_localhost_is_this_machine_too(server: Server) -> None:
    headers = {**COOKIE, "Host": f"localhost:{PORT}"}
    assert server.stranger.get("/api/run", headers=headers).status_code == 200
    own = {**headers, "Origin": f"http://localhost:{PORT}"}
    assert server.stranger.post("/api/decide", json=BODY, headers=own).status_code == 200


@pytest.mark.parametrize(
    "origin",
    ["https://example.com", "null", "http://127.0.0.1", f"https://127.0.0.1:{PORT}", f"http://localhost:{PORT}", ""],
)
def test_what_changes_something_must_come_from_the_page(server: Server, origin: str) -> None:
    for path in ("/api/decide", "/api/decide_many", "/api/undo", "/api/fold"):
        for headers in (COOKIE, {"Authorization": f"Bearer {TOKEN}"}):
            found = server.stranger.post(path, json=BODY, headers={**headers, "Origin": origin})
            assert found.status_code == 403, path
    assert server.get("/api/progress")["mine"] == 0


def test_with_the_cookie_alone_a_post_without_an_origin_is_refused(server: Server) -> None:
    assert server.stranger.post("/api/decide", json=BODY, headers=COOKIE).status_code == 403
    assert server.stranger.post("/api/decide", json=BODY, headers={**COOKIE, "Origin": OWN}).status_code == 200
    tool = {"Authorization": f"Bearer {TOKEN}"}
    assert server.stranger.post("/api/decide", json=BODY, headers=tool).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/run", "/nothing", "/media/voice/0.wav", "/media/voice/999.wav", "/api/table?sort=x", "/page/none.js"]
)
def test_every_answer_says_what_a_browser_may_do_with_it(server: Server, path: str) -> None:
    for client in (server.client, server.stranger):
        found = client.get(path).headers
        policy = found["content-security-policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert found["x-content-type-options"] == "nosniff"
        assert found["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in found
    kept = server.client.get(path).headers["cache-control"]
    assert kept == ("private, no-cache" if path == "/media/voice/0.wav" else "no-store")


def test_a_body_that_is_no_json_is_refused(server: Server) -> None:
    for kind in ("text/plain", "application/x-www-form-urlencoded"):
        found = server.client.post("/api/decide", content=b'{"utterance": "a"}', headers={"Content-Type": kind})
        assert found.status_code == 400
        assert found.json()["error"] == f"content type '{kind}'; expected application/json"
    headers = {"Content-Type": "application/json"}
    for content in (b"{", b"[" * 100_000, b"\xff", b'"text"', b"[1]", b"null"):
        assert server.client.post("/api/decide", content=content, headers=headers).status_code == 400
    found = server.client.post("/api/decide", content=b" " * (2**21 + 1), headers=headers)
    assert found.status_code == 400
    assert "more than 2,097,152 bytes" in found.json()["error"]
