"""Starting the server: a free port, a token, the address, the browser; and folding the logs when it ends."""

from __future__ import annotations

import getpass
import os
import re
import secrets
import signal
import socket
import tempfile
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import uvicorn

from avsieve.errors import AvsieveError
from avsieve.review.server.app import make_app
from avsieve.review.server.keys import read_keys
from avsieve.review.server.session import Session, Settings

HOST = "127.0.0.1"


def serve(
    settings: Settings, *, port: int = 0, browser: bool = True, keys: Path | None = None, tell: Callable[[str], None]
) -> None:
    """Serve a review until it is interrupted.

    Parameters
    ----------
    settings
        Run and reviewer.
    port
        Of 127.0.0.1; 0 for any that is free.
    browser
        Whether to open the page.
    keys
        A file with other keys.
    tell
        Takes lines for the user: the address, and at the end what became of the decisions.

    Raises
    ------
    AvsieveError
        If the run or the logs cannot be read, or the port is taken.
    """
    token = secrets.token_urlsafe(24)
    session = Session(settings, read_keys(keys))
    with bound(port) as listening:
        number = listening.getsockname()[1]
        address = f"http://{HOST}:{number}/?token={token}"
        facts = f"{len(session.columns):,} utterances of {session.run.folder}; decisions of {settings.reviewer} go to"
        tell(f"{facts} {session.reviews.own.log.path}")
        for line in session.warnings():
            tell(f"WARNING: {line}")
        tell(f"\n    {address}\n\nOpen it in a browser on this machine; Ctrl+C ends it.")
        threading.Thread(target=session.warm, daemon=True).start()
        opened = _private_link(session.reviews_folder, address) if browser else None
        if opened is not None:
            threading.Thread(target=webbrowser.open, args=[opened.as_uri()], daemon=True).start()
        config = uvicorn.Config(
            make_app(session, number, token), log_level="warning", access_log=False, server_header=False,
            proxy_headers=False, ws="none", lifespan="off", http="h11", loop="asyncio", timeout_graceful_shutdown=2,
        )  # fmt: skip
        # Uvicorn ends in order and raises the signal again, which would end the process before the logs are folded.
        before = signal.signal(signal.SIGTERM, _interrupt)
        try:
            uvicorn.Server(config).run(sockets=[listening])
        except KeyboardInterrupt:
            tell("")
        finally:
            signal.signal(signal.SIGTERM, before)
            if opened is not None:
                opened.unlink(missing_ok=True)
            _end(session, tell)


def bound(port: int) -> socket.socket:
    """Return a socket of 127.0.0.1 that listens on a port, or on a free one where it is 0.

    Raises
    ------
    AvsieveError
        If the port is taken or not allowed.
    """
    # asyncio sends at once (TCP_NODELAY) only where the protocol is named; else each answer waits 40 ms for a receipt.
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen()  # a browser that is quicker than the server waits
    except (OSError, OverflowError) as error:
        found.close()
        reason = getattr(error, "strerror", None) or error
        raise AvsieveError(f"--port {port}: {reason}; expected a free port, or 0 for any") from None
    return found


def user_name() -> str:
    """Return who is logged in, as a reviewer may be called.

    Raises
    ------
    AvsieveError
        If the system does not know.
    """
    try:
        found = re.sub(r"[^A-Za-z0-9_.@+-]", "_", getpass.getuser()).lstrip(".@+-")
    except (OSError, KeyError, ImportError):
        found = ""
    if not found:
        raise AvsieveError("the system does not tell who you are; name the reviewer with --reviewer")
    return found[:100]


def _private_link(folder: Path, address: str) -> Path:
    """Write a page that leads to the address, for this user's eyes alone.

    A browser's command line is seen by everybody on the machine, and the address has the token. Browsers that come as a
    snap see no /tmp, so it lies with the logs.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=folder.resolve(), prefix="open_", suffix=".html")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(
            f'<!doctype html><meta charset="utf-8"><title>AVSieve</title>'
            f'<meta http-equiv="refresh" content="0;url={address}"><a href="{address}">Go on</a>\n'
        )
    return Path(name)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _end(session: Session, tell: Callable[[str], None]) -> None:
    with session.lock:
        found = session.fold()
    if found is None:
        tell("nobody has decided anything")
        return
    count, names = found["utterances"], ", ".join(found["reviewers"])
    tell(f"{count:,} utterance{'s' * (count != 1)} decided by {names}: {found['path']}")
    for line in found["told"]:
        tell(f"WARNING: {line}")
    tell(f"To let the cleansing take them, set cleansing.review: {found['path']} (or avsieve cleanse --review)")
