"""Imports for programs: a spreadsheet in, its check, its certificates; the same steps as the pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.access import two_acts
from issuer_app.calling import allows, body_of, digest_of, key_of, once_of
from issuer_app.frame import config, desk, speaker
from issuer_app.importing import report
from issuer_app.importing.cells import MAX_BYTES
from issuer_app.importing.records import BUSY, Import, Line
from issuer_app.importing.running import importer
from issuer_app.paging import after, limit, paged
from issuer_app.problems import NotFoundError
from issuer_app.proposals.acts import body_of_change, body_of_import
from weid.codec import rfc3339
from weid.errors import IssueError, MalformedError
from weid.records import REASONS

__all__ = ["routes"]

routes = Blueprint("api-imports", __name__, url_prefix="/api/v1/imports")
_TOLD: Final = 1_000  # rows in one answer


@routes.post("")
@allows("imports:write", own_once=True)
def add() -> ResponseReturnValue:
    """Upload a spreadsheet as the body; it is checked at once. With `issue=yes` its good rows are issued when it is.

    `map` (repeated, COLUMN=TARGET) changes the guessed mapping. The same Idempotency-Key with the same file is one import.
    """
    request.max_content_length = MAX_BYTES + 1
    once, name = once_of(), request.args.get("name", "")
    work, data = importer(), request.get_data(cache=False)
    job = work.upload(
        data, name, digest_of(request.args.get("schema")), by=f"api:{key_of().label}", parent=request.args.get("corrects"),
        request=f"api:{key_of().id}:{once}" if once else None,
    )  # fmt: skip
    if job.state == "mapping":
        columns = list(job.mapped.columns)
        for text in request.args.getlist("map")[:100]:
            label, _, target = text.rpartition("=")
            if label not in job.header:
                raise MalformedError("map names a column of the file: COLUMN=TARGET", code="import-mapping")
            columns[job.header.index(label)] = target
        key, kind = request.args.get("key", job.mapped.key), request.args.get("document", job.mapped.kind)
        work.check(job.id, columns, key if key in columns else "", kind, issue=request.args.get("issue") == "yes")
    answer = jsonify(_told(work.records.get(job.id)))
    answer.headers["Location"] = url_for("api-imports.one", id_=job.id)
    return answer, 202


@routes.get("")
@allows("imports:read")
def every() -> ResponseReturnValue:
    """The newest imports."""
    count = limit()
    found = importer().records.every(count + 1, before=after())
    return paged([_told(job) for job in found[:count]], found[count - 1].id if len(found) > count else None)


@routes.get("/<id_>")
@allows("imports:read")
def one(id_: str) -> ResponseReturnValue:
    """An import: its state, counts and how far it is."""
    return jsonify(_told(importer().records.get(id_)))


@routes.get("/<id_>/wrong")
@allows("imports:read")
def wrong(id_: str) -> ResponseReturnValue:
    """The rows that cannot be issued, with the reasons, in the order of the file."""
    t = speaker()
    return _lines(id_, "bad", lambda line: {"row": line.number, "reasons": report.reasons(line, t)})


@routes.post("/<id_>/<any(issue,cancel,resume):action>")
@allows("imports:write")
def act(id_: str, action: str) -> ResponseReturnValue:
    """Issue the good rows, stop before anything is issued, or go on after an interruption."""
    body_of()
    work = importer()
    if action == "issue" and two_acts.needed("import"):
        return two_acts.answer(two_acts.ask("import", id_, body_of_import(work, id_), by=_me()))
    {"issue": work.start, "cancel": work.cancel, "resume": work.work}[action](id_)
    return jsonify(_told(work.records.get(id_))), 202


@routes.post("/<id_>/recall")
@allows("status:write")
def recall(id_: str) -> ResponseReturnValue:
    """Revoke every certificate of an import, for a reason."""
    reason = body_of("reason").get("reason")
    if reason not in REASONS[1:]:
        raise IssueError(f"reason is one of {', '.join(REASONS[1:])}", code="bad-reason")
    if two_acts.needed("change"):
        body = body_of_change(desk(), importer().standing(id_), "revoke", str(reason), due=None, batch=id_)
        return two_acts.answer(two_acts.ask("change", id_, body, by=_me()))
    return jsonify({"revoked": importer().recall(id_, str(reason))})


@routes.get("/<id_>/report")
@allows("imports:read")
def signed(id_: str) -> ResponseReturnValue:
    """The signed report of an import that is done."""
    work = importer()
    job = work.records.get(id_)
    if job.state != "done":
        raise NotFoundError("there is no report before the import is done")
    return Response(report.batch_report(desk(), work.records, job, config().now()), content_type="application/json")


@routes.get("/<id_>/certificates")
@allows("imports:read")
def certificates(id_: str) -> ResponseReturnValue:
    """Which row became which certificate."""
    return _lines(id_, "issued", lambda line: {"row": line.number, "certificate": line.id})


def _me() -> str:
    return two_acts.of_key(key_of())


def _lines(id_: str, state: str, show: Callable[[Line], dict[str, Any]]) -> Response:
    records, count = importer().records, limit(_TOLD, _TOLD)
    records.get(id_)
    found = records.lines(id_, state, after=after(id_) or 0, limit=count + 1)
    return paged([show(line) for line in found[:count]], found[count - 1].number if len(found) > count else None, id_)


def _told(job: Import) -> dict[str, Any]:
    work = importer()
    running, found = work.running(job), work.progress(job)
    return {
        "id": job.id, "state": job.state, "running": running, "interrupted": job.state in BUSY and not running,
        "schema": job.schema.hex(), "name": job.name, "created": rfc3339(job.created), "corrects": job.parent,
        "columns": dict(zip(job.header, job.mapped.columns, strict=True)), "key": job.mapped.key, "document": job.mapped.kind,
        "counts": {"rows": job.total, "good": job.good, "wrong": job.bad, "before": job.same,
                   "issued": work.records.counts(job.id).get("issued", 0)},
        "progress": {"done": found.done, "total": found.total, "secondsLeft": found.seconds}, "code": job.code,
        "batch": None if job.root is None or job.op is None else {"root": job.root.hex(), "operation": job.op.hex()},
    }  # fmt: skip
