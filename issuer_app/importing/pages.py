"""The clerk's pages of an import: upload, say what the columns are, look at what is wrong, issue, take the files away."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from credentials.schema import Schema
from issuer_app.access import two_acts
from issuer_app.documents import KINDS
from issuer_app.frame import config, desk, needs, page, slow_down, speaker, tell, user
from issuer_app.importing import archive, report
from issuer_app.importing.cells import MAX_BYTES, column_name
from issuer_app.importing.columns import BASE, LOOKUPS
from issuer_app.importing.records import BUSY, Import, Line
from issuer_app.importing.running import importer
from issuer_app.importing.tables import read_table
from issuer_app.problems import NotFoundError, status_of
from issuer_app.proposals.acts import body_of_change, body_of_import
from issuer_app.web_desk import schema_named
from weid.errors import IssueError, MalformedError
from weid.records import REASONS

__all__ = ["pages"]

pages = Blueprint("imports", __name__, url_prefix="/desk/imports")

_SHOWN: Final = 100  # wrong lines on the page; the file has all
_SAMPLES: Final = 3  # rows shown beside the columns
_CALM: Final = ("mapping", "checked", "done", "cancelled", "refused")


@pages.get("/")
@needs("clerk")
def home() -> ResponseReturnValue:
    """Upload a list, and see the imports so far."""
    return _home("")


@pages.post("/")
@needs("clerk")
def upload() -> ResponseReturnValue:
    """Read an uploaded file; nothing is kept of one that cannot be read."""
    slow_down(config().limits.issue)
    schema, given = schema_named(request.form.get("kind", "")), request.files.get("list")
    data = b"" if given is None else given.stream.read(MAX_BYTES + 1)
    if given is None or not data:
        return _home(speaker()("fault.import-file")), 422
    parent = request.form.get("parent", "") or None
    try:
        job = importer().upload(data, given.filename or "", schema.digest, by=user().name, parent=parent)
    except (MalformedError, IssueError) as error:
        return _home(speaker().problem(error.code)), status_of(error)
    return redirect(url_for("imports.one", id_=job.id))


@pages.get("/<id_>")
@needs("clerk")
def one(id_: str) -> ResponseReturnValue:
    """An import where it stands."""
    return _one(importer().records.get(id_), "")


@pages.post("/<id_>/check")
@needs("clerk")
def check(id_: str) -> ResponseReturnValue:
    """Take the columns and check every row."""
    job = importer().records.get(id_)
    names = [request.form.get(f"column-{place}", "") for place in range(len(job.header))]
    try:
        importer().check(id_, names, request.form.get("key", ""), request.form.get("document", ""))
    except (MalformedError, IssueError) as error:
        return _one(job, speaker().problem(error.code), names), 422
    return redirect(url_for("imports.one", id_=id_))


@pages.post("/<id_>/<any(issue,resume,cancel,forget,again):action>")
@needs("clerk")
def act(id_: str, action: str) -> ResponseReturnValue:
    """The buttons of an import."""
    work, job = importer(), importer().records.get(id_)
    if action == "issue":
        slow_down(config().limits.issue)
        if two_acts.needed("import"):
            asked = two_acts.ask("import", id_, body_of_import(work, id_), by=user().name)
            tell("two.asked")
            return redirect(url_for("two.one", id_=asked.id))
        work.start(id_)
    elif action == "resume":
        work.work(id_)
    elif action == "cancel":
        work.cancel(id_)
    elif action == "again":
        work.reopen(id_)
    elif job.state in _CALM:
        work.records.drop_lines(id_)
        tell("import.forgotten")
    return redirect(url_for("imports.one", id_=id_))


@pages.get("/<id_>/recall")
@needs("clerk")
def recall(id_: str) -> ResponseReturnValue:
    """Say what a recall does, and ask for the reason."""
    return _recall(id_, "")


@pages.post("/<id_>/recall")
@needs("clerk")
def recall_now(id_: str) -> ResponseReturnValue:
    """Revoke every certificate of the batch."""
    reason = request.form.get("reason", "")
    if reason not in REASONS[1:]:
        return _recall(id_, speaker()("fault.reason")), 422
    if request.form.get("sure") != "yes":
        return _recall(id_, speaker()("fault.import-confirm"), reason), 422
    if two_acts.needed("change"):
        body = body_of_change(desk(), importer().standing(id_), "revoke", reason, due=None, batch=id_)
        asked = two_acts.ask("change", id_, body, by=user().name)
        tell("two.asked")
        return redirect(url_for("two.one", id_=asked.id))
    tell("import.recalled", count=importer().recall(id_, reason))
    return redirect(url_for("imports.one", id_=id_))


@pages.get("/<id_>/progress.json")
@needs("clerk")
def progress(id_: str) -> ResponseReturnValue:
    """How far the work is, for the page's script; `over` when the page should be loaded anew."""
    job = importer().records.get(id_)
    running = importer().running(job)
    found, t = importer().progress(job), speaker()
    left = "" if found.seconds is None else t("import.left", seconds=found.seconds)
    return jsonify({
        "over": not running, "percent": found.percent, "left": left, "state": t(f"import.state-{job.state}"),
        "words": t("import.working", done=found.done, total=found.total or "…"),
    })  # fmt: skip


@pages.get("/<id_>/rows.<any(csv,xlsx):form>")
@needs("clerk")
def wrong(id_: str, form: str) -> ResponseReturnValue:
    """The rows to be corrected, as a file to correct them in."""
    job, lines = importer().records.get(id_), importer().records.all_lines(id_, "bad")
    if form == "csv":
        return _file(report.wrong_csv(job, lines, speaker()), "text/csv; charset=utf-8", f"rows-{id_}.csv")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _file(report.wrong_xlsx(job, lines, speaker()), kind, f"rows-{id_}.xlsx")


@pages.get("/<id_>/report.json")
@needs("clerk")
def signed_report(id_: str) -> ResponseReturnValue:
    """The signed report of a batch."""
    job = importer().records.get(id_)
    if job.state != "done":
        raise NotFoundError("there is no report before the import is done")
    return _file(report.batch_report(desk(), importer().records, job, config().now()), "application/json", f"batch-{id_}.json")


@pages.get("/<id_>/files-<int(max=999):part>.zip")
@needs("clerk")
def files(id_: str, part: int) -> ResponseReturnValue:
    """A part of the certificates as ZIP, sent while it is made."""
    job = importer().records.get(id_)
    conf, own = config(), speaker().language
    languages = (own,) if own == "en" else (own, "en")
    manner = archive.Manner(conf.code_host, languages, conf.zone, conf.now())
    parts = archive.stream(desk(), importer().records, job, manner, part=part)
    answer = Response(parts, content_type="application/zip")
    answer.headers["Content-Disposition"] = f'attachment; filename="batch-{job.id}-{part + 1}.zip"'
    return answer


def _home(wrong: str) -> str:
    rights = [right for right in desk().accreditations(config().now()) if right.state == "now"]
    usable = [right for right in rights if right.schema.bind == "none"]
    jobs = [(job, _state(job), _title(job)) for job in importer().records.every()]
    return page("importing/home.html", rights=usable, jobs=jobs, wrong=wrong)


def _one(job: Import, wrong: str, chosen: list[str] | None = None) -> str:
    work, t = importer(), speaker()
    schema, found = desk().schema(job.schema, config().now()), work.progress(job)
    counts = work.records.counts(job.id)
    lines = work.records.lines(job.id, "bad", limit=_SHOWN)
    issued = counts.get("issued", 0)
    return page(
        "importing/one.html", job=job, schema=schema, title=t.name(schema.title), state=_state(job), wrong=wrong,
        running=work.running(job), progress=found, counts=counts,
        left="" if found.seconds is None else t("import.left", seconds=found.seconds),
        columns=_columns(job, schema, chosen) if job.state == "mapping" else [], targets=_targets(schema), kinds=KINDS,
        lines=[(line, report.reasons(line, t)) for line in lines], more=counts.get("bad", 0) - len(lines),
        noticed=_noticed(work.records.noticed(job.id)) if job.state == "checked" else [],
        parts=[(at // archive.PART, at + 1, min(at + archive.PART, issued)) for at in range(0, issued, archive.PART)],
        family=[(each, _state(each)) for each in work.records.family(job.id)], busy=job.state in BUSY,
        problem=t.problem(job.code) if job.code else "",
    )  # fmt: skip


def _columns(job: Import, schema: Schema, chosen: list[str] | None) -> list[dict[str, Any]]:
    """Every column with its label, the first values and what it is taken for."""
    rows = []
    try:
        for row, _ in zip(read_table(importer().records.source(job.id)).rows(), range(_SAMPLES), strict=False):
            rows.append([cell.shown or cell.text for cell in row.cells])
    except MalformedError:  # its first rows were read before: what comes later is told when all are checked
        pass
    made = []
    for place, label in enumerate(job.header):
        values = [row[place][:40] for row in rows if place < len(row) and row[place]]
        target = chosen[place] if chosen else job.mapped.columns[place]
        made.append({"place": place, "name": column_name(place), "label": label, "values": values, "target": target})
    return made


def _targets(schema: Schema) -> dict[str, list[tuple[str, str]]]:
    t = speaker()
    more = {"import.beside": [(BASE, t("import.target-base"))]} if schema.name in desk().terms.depends else {}
    return {
        **more,
        "import.in-certificate": [(claim.name, t.name(claim.label)) for claim in schema.claims],
        "import.for-lookup": [(name, t(f"import.target-{name.partition('.')[2]}")) for name in LOOKUPS],
    }


def _noticed(lines: tuple[Line, ...]) -> list[tuple[str, str]]:
    t = speaker()
    return [(f"{column_name(column)}{line.number}", t(key)) for line in lines for column, key, _ in line.wrong]


def _state(job: Import) -> str:
    return job.state if job.state not in BUSY or importer().running(job) else "stopped"


def _title(job: Import) -> str:
    return speaker().name(desk().schema(job.schema, config().now()).title)


def _recall(id_: str, wrong: str, chosen: str = "") -> str:
    job = importer().records.get(id_)
    issued = importer().records.counts(id_).get("issued", 0)
    return page(
        "importing/recall.html", job=job, count=issued, reasons=REASONS[1:], wrong=wrong, chosen=chosen, title=_title(job)
    )


def _file(data: bytes, kind: str, name: str) -> Response:
    return Response(data, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})
