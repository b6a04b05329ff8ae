"""What stands between the network and the server: only this machine's page, which knows the token, gets an answer.

Any page that a browser shows may send requests to a port of this machine, and a name that an attacker owns may be made
to point here. So the host must be this address, what changes something must come from the own origin, and everything
needs the token, which is in the address that the server prints and then in a cookie that other sites cannot send.
"""

from __future__ import annotations

import json
import secrets
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOSTS = ("127.0.0.1", "localhost")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src 'self' blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ALWAYS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_READS = ("GET", "HEAD")
_ONWARD = '<!doctype html><title>AVSieve</title><meta http-equiv="refresh" content="0;url=/"><a href="/">Go on</a>'


class Guard:
    """Middleware that refuses what does not come from the page.

    Parameters
    ----------
    app
        What is guarded.
    port, token
        Of the server.
    """

    def __init__(self, app: ASGIApp, port: int, token: str) -> None:
        self._app, self._token, self.cookie = app, token, f"avsieve_{port}"
        self._hosts = {f"{name}:{port}" for name in HOSTS} | ({*HOSTS} if port == 80 else set())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            return  # no web sockets; without an answer the server closes them

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        headers = Headers(scope=scope)
        refused = self._refused(scope, headers)
        if refused is not None:
            await _answer(with_headers, refused[0], json.dumps({"error": refused[1]}), {})
        elif scope["path"] == "/" and scope["method"] in _READS and self._token_of(scope) is not None:
            given = {"Set-Cookie": f"{self.cookie}={self._token}; HttpOnly; SameSite=Strict; Path=/"}
            if headers.get("sec-fetch-site") == "cross-site":
                # A redirect would go on as the other page's request, without this cookie; a page of our own does not.
                await _answer(with_headers, 200, _ONWARD, {**given, "Content-Type": "text/html; charset=utf-8"})
            else:
                await _answer(with_headers, 303, "", {**given, "Location": "/"})
        else:
            await self._app(scope, receive, with_headers)

    def _refused(self, scope: Scope, headers: Headers) -> tuple[int, str] | None:
        """Return status and text where a request is refused."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 421, f"host {', '.join(hosts)!r}; expected {' or '.join(sorted(self._hosts))}"
        given = self._token_of(scope)
        if given is not None:
            return None if self._is_token(given) else (401, _NO_TOKEN)
        bearer = headers.get("authorization", "")
        by_header = bearer[:7].lower() == "bearer " and self._is_token(bearer[7:].strip())
        if not by_header and not self._is_token(_cookie(headers, self.cookie)):
            return 401, _NO_TOKEN
        if scope["method"] in _READS:
            return None
        origins = headers.getlist("origin")
        # Who knows the token in a header is a tool, and tools name no origin; a browser names it with every POST.
        if not origins and by_header:
            return None
        if len(origins) == 1 and origins[0].lower() == f"http://{hosts[0].lower()}":
            return None
        return 403, f"origin {', '.join(origins) or 'none'!r}; expected http://{hosts[0].lower()}"

    def _token_of(self, scope: Scope) -> str | None:
        """Return the token in the address of the page, None where there is none."""
        if scope["path"] != "/" or scope["method"] not in _READS:
            return None
        found = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True).get("token")
        return None if found is None else found[-1]

    def _is_token(self, given: str) -> bool:
        return secrets.compare_digest(given.encode("utf-8", "surrogateescape"), self._token.encode())


_NO_TOKEN = "no token, or a wrong one; expected the address that avsieve review printed, with its token"  # noqa: S105


def _cookie(headers: Headers, name: str) -> str:
    # By hand: the parser of the standard library gives up at another program's cookie that it cannot read.
    for text in headers.getlist("cookie"):
        for part in text.split(";"):
            found, _, value = part.strip().partition("=")
            if found == name:
                return value
    return ""


async def _answer(send: Send, status: int, text: str, headers: dict[str, str]) -> None:
    content = text.encode()
    given = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
    encoded = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in given.items()]
    await send({"type": "http.response.start", "status": status, "headers": encoded})
    await send({"type": "http.response.body", "body": content})
