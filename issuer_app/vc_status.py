"""`POST /credentials/status` of the VC-API (vcalm): set the revocation or suspension of a credential that was issued here.

For an instance it changes its book, for the desk's certificates it is the desk's own revoke, suspend and lift.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from flask import Blueprint, Response, jsonify, request

from credentials.bitstring import ENTRY_TYPE, SUBJECT_TYPE
from credentials.vcdm import status_url
from issuer_app.problems import NotFoundError, problem, status_of
from weid.canon import JSON, parse_json
from weid.codec import minutes
from weid.errors import IssueError, MalformedError, WeidError

if TYPE_CHECKING:
    from issuer_app.desk import Desk

__all__ = ["Change", "add_status_routes", "json_body", "read_changes"]

MAX_BODY: Final = 1 << 20
MAX_CHANGES: Final = 16
_MEMBERS: Final = frozenset({"credentialId", "credentialStatus", "status", "indexAllocator"})
_TYPES: Final = (ENTRY_TYPE, SUBJECT_TYPE)  # vcalm's own example names the list
_ENTRY: Final = frozenset({"id", "type", "statusPurpose", "statusListIndex", "statusListCredential", "status"})
_VALUE: Final = re.compile(r"[0-9]{1,9}|0x[0-9A-Fa-f]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Change:
    """One entry that shall say `value`; `url` and `index` are where the caller believes it to be."""

    purpose: str
    value: int
    url: str | None
    index: str | None


class Statuses(Protocol):
    """Whoever keeps the status of credentials: `check` raises where `set` would, and changes nothing."""

    def check(self, credential: str, purpose: str, value: int, *, url: str | None = None, index: str | None = None) -> None: ...

    def set(self, credential: str, purpose: str, value: int) -> None: ...


def add_status_routes(
    routes: Blueprint, books: Mapping[str, Statuses | None], *, clock: Callable[[], datetime], allowed: Callable[[], bool],
    desk: Desk | None,
) -> None:  # fmt: skip
    """`<instance>/credentials/status` for these books and, for the desk's certificates, `credentials/status`."""

    def change(found: Statuses | None) -> Response:
        if not allowed():
            return problem(401, "bad-key", "bad-key", "An API key is needed: Authorization: Bearer …")
        if found is None:
            return problem(404, "not-found", "not-found", "no status lists here")
        try:
            credential, changes = read_changes(json_body())
            apply(found, credential, changes)
        except WeidError as error:
            status = status_of(error)
            return problem(status if status == 404 or status >= 500 else 400, error.code, error.code, str(error))
        return jsonify({"credentialId": credential})

    @routes.post("/<name>/credentials/status")
    def status(name: str) -> Response:
        return change(books.get(name))

    @routes.post("/credentials/status")
    def desk_status() -> Response:
        return change(None if desk is None else _DeskStatuses(desk, lambda: minutes(clock())))


def apply(found: Statuses, credential: str, changes: Sequence[Change]) -> None:
    """Every change is looked at before the first is made, and what is final comes last; if the registry fails between two,
    the first stands."""
    for item in changes:
        found.check(credential, item.purpose, item.value, url=item.url, index=item.index)
    for item in sorted(changes, key=lambda change: change.purpose == "revocation"):
        found.set(credential, item.purpose, item.value)


def read_changes(body: Mapping[str, JSON]) -> tuple[str, tuple[Change, ...]]:
    """(credential id, changes); MalformedError `bad-request`. A value stands in the body, or in an entry of several."""
    credential, listed = body.get("credentialId"), body.get("credentialStatus")
    entries = listed if isinstance(listed, list) else [listed]
    if set(body) - _MEMBERS or not isinstance(credential, str) or not 0 < len(entries) <= MAX_CHANGES:
        raise _bad("a body has credentialId, credentialStatus and status")
    changes = tuple(_change(item, body.get("status")) for item in entries)
    if len({change.purpose for change in changes}) != len(changes):
        raise _bad("a purpose is named twice")
    return credential, changes


def json_body() -> dict[str, JSON]:
    """The JSON object of the request; MalformedError `bad-request` or that of the parser."""
    request.max_content_length = MAX_BODY
    value = parse_json(request.get_data(cache=False), max_bytes=MAX_BODY)
    if not isinstance(value, dict):
        raise _bad("a body is a JSON object")
    return value


def _change(item: JSON, value: JSON) -> Change:
    if not isinstance(item, dict) or set(item) - _ENTRY or item.get("type") not in _TYPES:
        raise _bad(f"an entry of credentialStatus is a {ENTRY_TYPE} with its statusPurpose")
    purpose, url, index = item.get("statusPurpose"), item.get("statusListCredential"), item.get("statusListIndex")
    texts = all(text is None or isinstance(text, str) for text in (url, index))
    if not isinstance(purpose, str) or not purpose or not texts:
        raise _bad("statusPurpose, statusListCredential and statusListIndex are texts")
    said = item.get("status", value)
    if not isinstance(said, bool) and not (isinstance(said, str) and _VALUE.fullmatch(said)):
        raise _bad("status is true or false, or the value as text")
    number = int(said, 16 if said.startswith("0x") else 10) if isinstance(said, str) else int(said)
    return Change(purpose, number, None if url is None else str(url), None if index is None else str(index))


def _bad(reason: str) -> MalformedError:
    return MalformedError(reason, code="bad-request")


class _DeskStatuses:
    """The desk's certificates, by the id in their files or by the number the desk knows them under."""

    def __init__(self, desk: Desk, now: Callable[[], int]) -> None:
        self._desk, self._now = desk, now

    def check(self, credential: str, purpose: str, value: int, *, url: str | None = None, index: str | None = None) -> None:
        row = self._desk.get(self._id(credential))
        if row.list_number is None or row.state == "refused":
            raise NotFoundError("no credential of this id has a status here")
        known = [f"{status_url(self._desk.did, row.list_number, base=base)}/{purpose}" for base in {None, self._desk.public}]
        if purpose not in ("revocation", "suspension"):
            raise IssueError(f"there is no list for {purpose[:40]!r}", code="bad-status")
        if (index is not None and index != str(row.index)) or (url is not None and url not in known):
            raise IssueError("this credential has another place", code="bad-status")
        if value > 1:
            raise IssueError(f"{value} is no value of one bit", code="bad-status")
        if row.state == "revoked" and (purpose, value) in (("revocation", 0), ("suspension", 1)):
            raise IssueError("revoked is final", code="already-revoked")

    def set(self, credential: str, purpose: str, value: int) -> None:
        id_ = self._id(credential)
        if purpose == "revocation" and value:
            self._desk.revoke(id_, "unspecified", self._now())
        elif purpose == "suspension" and value:
            self._desk.suspend(id_, "unspecified", self._now())
        elif purpose == "suspension" and self._desk.get(id_).state == "suspended":
            self._desk.lift(id_, self._now())

    def _id(self, credential: str) -> str:
        return credential.removeprefix(f"{self._desk.did}/credentials/")
