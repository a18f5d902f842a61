"""Rows of the trail as a file for whom they are about, signed by the institution's (or authority's) log-op key."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response

from issuer_app.access.trail import Row, export
from issuer_app.frame import access, config
from issuer_app.problems import RefusedError

__all__ = ["signed"]


def signed(rows: Iterable[Row], about: str) -> Response:
    """A download; RefusedError `no-desk` where this app holds no party's key to sign with."""
    party = config().party
    if party is None:
        raise RefusedError("no key of a party here", code="no-desk")
    data = export(
        rows, about=about, head=access().trail.head(), signer=party.party.signer("log-op"), hash=access().hash, at=config().now()
    )
    answer = Response(data, content_type="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="trail.json"'
    return answer
