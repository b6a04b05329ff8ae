"""What the server answers when a request cannot be served: a status and one text for the person at the page."""

from __future__ import annotations

from avsieve.errors import AvsieveError


class RefusedError(AvsieveError):
    """A request with a value that cannot be: 400."""

    status = 400


class NotThereError(RefusedError):
    """What a request names is not in the run: 404."""

    status = 404


class ConflictError(RefusedError):
    """A request that does not fit the state, such as an undo where nothing is decided: 409."""

    status = 409


class NoDecisionError(RefusedError):
    """Values that can be read and make no decision, such as other_speaker without a speaker: 422."""

    status = 422
