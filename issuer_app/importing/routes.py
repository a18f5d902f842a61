"""Imports for programs: a spreadsheet in, its check, its certificates; the same steps as the pages."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.api import allows, digest_of, key_of
from issuer_app.frame import config, desk, speaker
from issuer_app.importing import report
from issuer_app.importing.cells import MAX_BYTES
from issuer_app.importing.records import BUSY, Import
from issuer_app.importing.running import importer
from issuer_app.problems import NotFoundError
from weid.codec import rfc3339
from weid.errors import IssueError, MalformedError
from weid.records import REASONS

__all__ = ["routes"]

routes = Blueprint("api-imports", __name__, url_prefix="/api/v1/imports")
_TOLD: Final = 1_000  # wrong rows in one answer; `after` asks for the next


@routes.post("")
@allows("clerk")
def add() -> ResponseReturnValue:
    """Upload a spreadsheet as the body; it is checked at once. With `issue=yes` its good rows are issued when it is.

    `map` (repeated, COLUMN=TARGET) changes the guessed mapping. The same Idempotency-Key with the same file is one import.
    """
    request.max_content_length = MAX_BYTES + 1
    once, name = request.headers.get("Idempotency-Key", ""), request.args.get("name", "")
    if len(once) > 200 or not once.isprintable():
        raise MalformedError("an Idempotency-Key has at most 200 printable characters", code="malformed")
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
@allows("clerk")
def every() -> ResponseReturnValue:
    """The newest imports."""
    return jsonify({"items": [_told(job) for job in importer().records.every()]})


@routes.get("/<id_>")
@allows("clerk")
def one(id_: str) -> ResponseReturnValue:
    """An import: its state, counts, how far it is, and the first thousand wrong rows behind `after`."""
    work, after = importer(), request.args.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 7:
        raise MalformedError("after is the number of a row")
    job, t = work.records.get(id_), speaker()
    lines = work.records.lines(id_, "bad", after=int(after), limit=_TOLD)
    return jsonify(_told(job) | {"wrong": [{"row": line.number, "reasons": report.reasons(line, t)} for line in lines]})


@routes.post("/<id_>/<any(issue,cancel,resume):action>")
@allows("clerk")
def act(id_: str, action: str) -> ResponseReturnValue:
    """Issue the good rows, stop before anything is issued, or go on after an interruption."""
    work = importer()
    {"issue": work.start, "cancel": work.cancel, "resume": work.work}[action](id_)
    return jsonify(_told(work.records.get(id_))), 202


@routes.post("/<id_>/recall")
@allows("clerk")
def recall(id_: str) -> ResponseReturnValue:
    """Revoke every certificate of an import, for a reason."""
    value = request.get_json(silent=True)
    reason = value.get("reason") if isinstance(value, dict) and set(value) == {"reason"} else None
    if reason not in REASONS[1:]:
        raise IssueError(f"reason is one of {', '.join(REASONS[1:])}", code="bad-reason")
    return jsonify({"revoked": importer().recall(id_, reason)})


@routes.get("/<id_>/report")
@allows("clerk")
def signed(id_: str) -> ResponseReturnValue:
    """The signed report of an import that is done."""
    work = importer()
    job = work.records.get(id_)
    if job.state != "done":
        raise NotFoundError("there is no report before the import is done")
    return Response(report.batch_report(desk(), work.records, job, config().now()), content_type="application/json")


@routes.get("/<id_>/certificates")
@allows("clerk")
def certificates(id_: str) -> ResponseReturnValue:
    """Which row became which certificate."""
    after = request.args.get("after", "0")
    if not after.isascii() or not after.isdigit() or len(after) > 7:
        raise MalformedError("after is the number of a row")
    importer().records.get(id_)
    lines = importer().records.lines(id_, "issued", after=int(after), limit=_TOLD)
    return jsonify({"items": [{"row": line.number, "certificate": line.id} for line in lines]})


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
