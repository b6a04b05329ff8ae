"""The routes: what each address answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from avsieve.errors import AvsieveError
from avsieve.review.server import media, page, sheet, table
from avsieve.review.server.guard import Guard
from avsieve.review.server.parameters import Parameters, known_keys, shown, text_of
from avsieve.review.server.queues import LABELS, MOST_ITEMS
from avsieve.review.server.ranges import media_response
from avsieve.review.server.refusal import NotThereError, RefusedError
from avsieve.review.server.session import Session

LONGEST_BODY = 2 * 2**20
"""Bytes of a body at most: a thousand decisions have some 300 kB."""
Answer = Callable[[Request], Awaitable[Response]]


def make_app(session: Session, port: int, token: str) -> ASGIApp:
    """Return the server of a session, guarded by its token."""
    routes = [
        Route("/", _page(session, page.INDEX)),
        Route("/page/{name:path}", _page(session)),
        Route("/api/run", _asked(session, (), lambda given, _: session.facts())),
        Route("/api/table", _asked(session, table.NAMES, lambda given, _: _table(session, given))),
        Route("/api/queue/{name}", _asked(session, ("after", "limit"), lambda given, r: _queue(session, given, r))),
        Route("/api/item/{utterance:path}", _asked(session, (), lambda _, r: session.items.item(_row(session, r)))),
        Route("/api/opinion/{utterance:path}", _asked(session, (), lambda _, r: session.machine.of(_row(session, r)))),
        Route("/api/sheet", _asked(session, sheet.NAMES, lambda given, _: _sheet(session, given))),
        Route(
            "/api/speakers", _asked(session, ("q", "limit"), lambda given, _: sheet.speakers(given, session.columns))
        ),
        Route("/api/progress", _asked(session, ("queue",), lambda given, _: _progress(session, given))),
        Route("/api/decide", _told(session, _decide), methods=["POST"]),
        Route("/api/decide_many", _told(session, _decide_many), methods=["POST"]),
        Route("/api/undo", _told(session, _undo), methods=["POST"]),
        Route("/api/fold", _told(session, _fold), methods=["POST"]),
        Route("/media/face/{row}/{name}", _media(session, _face)),
        Route("/media/voice/{name}", _media(session, _voice)),
        Route("/media/peaks/{name}", _media(session, _peaks)),
    ]
    handlers: dict[Any, Any] = {AvsieveError: _refused, HTTPException: _http, Exception: _failed}
    return Guard(Starlette(routes=routes, exception_handlers=handlers), port, token)


def _asked(session: Session, known: Sequence[str], answer: Callable[[Parameters, Request], Any]) -> Answer:
    """Answer a question with JSON, after what other processes have written was read."""

    def locked(request: Request) -> Any:
        given = Parameters(dict(request.query_params), known)
        with session.lock:
            session.reviews.read_on()
            return answer(given, request)

    async def endpoint(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(locked, request))

    return endpoint


def _told(session: Session, answer: Callable[[Session, Any], Any]) -> Answer:
    """Answer what changes something with JSON."""

    def locked(body: Any) -> Any:
        with session.lock:
            session.reviews.read_on()
            return answer(session, body)

    async def endpoint(request: Request) -> Response:
        return JSONResponse(await run_in_threadpool(locked, await _body(request)))

    return endpoint


def _media(session: Session, answer: Callable[[Session, Request], Response]) -> Answer:
    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, session, request)

    return endpoint


def _page(session: Session, fixed: str | None = None) -> Answer:
    shipped = page.page_files()

    async def endpoint(request: Request) -> Response:
        name = fixed or request.path_params["name"]
        if name not in shipped:
            if name == page.INDEX:
                missing = (
                    "avsieve/review/page/index.html is not installed: install avsieve again, with its package data"
                )
                return PlainTextResponse(f"{missing}\nThe data are at /api/run.\n", 500)
            raise NotThereError(f"page {shown(name)}: no such file of the page; expected one of {len(shipped)} shipped")
        content = await run_in_threadpool(shipped[name].read_bytes)
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=page.type_of(name))

    return endpoint


async def _body(request: Request) -> Any:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise RefusedError(f"content type {shown(kind)}; expected application/json")
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LONGEST_BODY:
            raise RefusedError(f"the body has more than {LONGEST_BODY:,} bytes; send fewer decisions at once")
    try:
        return json.loads(content or b"{}")
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"the body cannot be read ({error}); expected a JSON object") from None


def _table(session: Session, given: Parameters) -> Any:
    return session.table.page(table.Query.of(given), session.reviews)


def _queue(session: Session, given: Parameters, request: Request) -> Any:
    limit = given.whole("limit", 8, 1, MOST_ITEMS)
    return session.queues.page(request.path_params["name"], given.text("after"), limit)


def _sheet(session: Session, given: Parameters) -> Any:
    return sheet.sheet(given, session.columns, session.items, session.reviews)


def _progress(session: Session, given: Parameters) -> Any:
    names = [queue["name"] for queue in session.queues.listed()]
    return session.progress.of(given.choice("queue", names, "flagged"), with_estimate=True)


def _decide(session: Session, body: Any) -> Any:
    entry = session.desk.decide(body)
    place = body.get("place") or ""
    queue = session.queues.queue_of(place) if place else "flagged"
    answer: dict[str, Any] = {"entry": entry.number, "decision": entry.decision, "next": None}
    try:
        found = session.queues.page(queue, place, 1)["items"] if place else []
        answer["next"] = found[0] if found else None
        answer["progress"] = session.progress.of(queue)
    except AvsieveError as error:
        # The decision is noted: to answer it with an error would say that it is not.
        answer |= {"progress": session.progress.of("flagged"), "next_error": str(error)}
    return answer


def _decide_many(session: Session, body: Any) -> Any:
    entries = session.desk.decide_many(body)
    return {"entries": [entry.number for entry in entries], "progress": session.progress.of("flagged")}


def _undo(session: Session, body: Any) -> Any:
    values = known_keys(body, ("entry", "upto", "act", "queue"))
    queue = Parameters({"queue": text_of(values, "queue")}, ("queue",)).choice("queue", list(LABELS), "flagged")
    answer = session.desk.undo({name: value for name, value in values.items() if name != "queue"})
    try:
        return {**answer, "progress": session.progress.of(queue)}
    except AvsieveError:  # of the plan: what was taken back is not answered with its error, and the page asks for more
        return {**answer, "progress": session.progress.of("flagged")}


def _fold(session: Session, body: Any) -> Any:
    known_keys(body, ())
    found = session.fold()
    if found is None:
        return {"path": None, "utterances": 0, "reviewers": [], "told": ["nobody has decided anything yet"]}
    return found


def _row(session: Session, request: Request) -> int:
    utterance = request.path_params["utterance"]
    row = session.columns.row_of(utterance)
    if row < 0:
        raise NotThereError(f"utterance {shown(utterance)}: not one of this run's; expected speaker/video/utterance")
    return row


def _number(text: str, ending: str, what: str, below: int) -> int:
    digits = text.removesuffix(ending)
    if not text.endswith(ending) or not (digits.isascii() and digits.isdecimal() and len(digits) < 12):
        raise NotThereError(f"{what} {shown(text)}; expected a number{f' and {ending}' if ending else ''}")
    if int(digits) >= below:
        raise NotThereError(f"{what} {digits}; expected a number below {below:,}")
    return int(digits)


def _row_of(session: Session, text: str, ending: str) -> tuple[int, str]:
    row = _number(text, ending, "row", len(session.columns))
    return row, session.columns.id_of(row)


def _face(session: Session, request: Request) -> Response:
    _, utterance = _row_of(session, request.path_params["row"], "")
    found = session.media.faces(utterance)
    which = _number(request.path_params["name"], ".jpg", f"face of {utterance}", max(len(found), 1))
    part = media.of_row(found, which, utterance)
    return media_response(part, "image/jpeg", request.headers, request.query_params.get("v", ""))


def _voice_of(session: Session, text: str, ending: str) -> media.Part:
    _, utterance = _row_of(session, text, ending)
    found = session.media.voice(utterance)
    if found is None:
        raise NotThereError(f"{utterance}: the run has no sound of it; its stage tells why (avsieve show {utterance})")
    return found


def _voice(session: Session, request: Request) -> Response:
    found = _voice_of(session, request.path_params["name"], ".wav")
    return media_response(found, "audio/wav", request.headers, request.query_params.get("v", ""))


def _peaks(session: Session, request: Request) -> Response:
    found = _voice_of(session, request.path_params["name"], ".json")
    right = request.query_params.get("v", "") == found.version
    headers = {"Cache-Control": "private, max-age=604800, immutable" if right else "private, no-cache"}
    return JSONResponse({"peaks": media.peaks_of(found), "duration_s": media.seconds_of(found)}, headers=headers)


async def _refused(request: Request, error: Exception) -> Response:
    status = error.status if isinstance(error, RefusedError) else 500
    return JSONResponse({"error": str(error)}, status)


async def _failed(request: Request, error: Exception) -> Response:
    """Answer an error of the program; what happened is told at the terminal."""
    told = f"{request.url.path}: {type(error).__name__}; the terminal of avsieve review tells more"
    return JSONResponse({"error": told}, 500)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        text = f"{shown(request.url.path)}: no such address"
    elif error.status_code == 405:
        allowed = (error.headers or {}).get("Allow", "another method")
        text = f"{request.method} {shown(request.url.path)}: expected {allowed}"
    else:
        text = error.detail
    return JSONResponse({"error": text}, error.status_code, error.headers)
