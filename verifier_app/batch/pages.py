"""The drop zone: files in, one after the other; a table; a signed report; nothing kept afterwards."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, cast
from urllib.parse import unquote

from flask import (
    Blueprint,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    stream_with_context,  # fmt: skip
    url_for,
)
from werkzeug.wrappers import Response as Redirect

from credentials.check_report import key_fingerprint, sign_check_report
from verifier_app.batch.archive import files_in, is_archive
from verifier_app.batch.judging import Result, judge_file, plain_name
from verifier_app.batch.lines import Line, counts_of, line_of, report_items, trust_lines
from verifier_app.batch.sessions import Batches
from verifier_app.checker import Checker
from verifier_app.frame import checker, t
from verifier_app.languages import in_words
from verifier_app.moments import moment
from verifier_app.offers import Offer
from weid.errors import MalformedError

__all__ = ["MAX_BODY", "MAX_FILES", "room"]

MAX_BODY: Final = 64 << 20
MAX_FILES: Final = 300
_AT_ONCE: Final = 2
room = Blueprint("batch", __name__, url_prefix="/batch")


@room.get("")
def page() -> str:
    """The drop zone and what this browser's batch gave so far."""
    _name()
    return _page()


@room.post("")
def files() -> str | tuple[str, int]:
    """Many files of one form, for a browser without scripts."""
    uploads = [upload for upload in request.files.getlist("files") if upload.filename][:MAX_FILES]
    if not uploads:
        return _page(problem=t("problem.empty")), 400
    offer, name = _offer(request.form.get("request")), _name()
    given = ((upload.filename or "", upload.stream.read()) for upload in uploads)
    for results in _judged(checker(), given, offer):
        if _batches().add(name, results) is None:
            return _page(problem=t("batch.full")), 409
    return _page()


@room.post("/add")
def add() -> Response:
    """One file as the body, its name in a header: an answer a file, as soon as it is judged (JSON lines)."""
    if request.mimetype != "application/octet-stream":
        abort(415)
    data, offer, name = request.get_data(cache=False), _offer(request.headers.get("X-Request")), _name()
    given = iter([(unquote(request.headers.get("X-File-Name", ""), errors="replace"), data)])
    return Response(stream_with_context(_told(name, given, offer)), mimetype="application/x-ndjson")


@room.post("/report")
def report() -> Response | tuple[str, int]:
    """The signed report as a file."""
    signed = _signed()
    if signed is None:
        return _page(problem=t("batch.unsigned")), 409
    answer = Response(signed, mimetype="application/json")
    answer.headers["Content-Disposition"] = 'attachment; filename="check-report.json"'
    return answer


@room.post("/print")
def printable() -> str | tuple[str, int]:
    """The same on a page to print."""
    results, held = _batches().lines(session.get("batch")), checker()
    if not results:
        return _page(problem=t("batch.nothing")), 409
    lines = tuple(line_of(number, result) for number, result in enumerate(results, 1))
    signer = held.signer
    return render_template(
        "batch/print.html", lines=lines, digests=[result.digest.hex() for result in results], counts=counts_of(lines),
        made=moment(held.now(), held.settings.zone), name=held.settings.name, rests=trust_lines(),
        key="" if signer is None else key_fingerprint(signer.public_key), values="values" in request.form,
    )  # fmt: skip


@room.post("/forget")
def forget() -> Redirect:
    """Ends the batch: nothing of it is left here."""
    _batches().forget(session.pop("batch", None))
    return redirect(url_for("batch.page"))


def _told(name: str, given: Iterator[tuple[str, bytes]], offer: Offer | None) -> Iterator[str]:
    """One JSON line for each file: its rows as HTML. The last says how many there are of each group."""
    template = current_app.jinja_env.get_template("batch/rows.html")
    words = {"t": t, "language": g.language}
    for results in _judged(checker(), given, offer):
        first = _batches().add(name, results)
        if first is None:
            yield json.dumps({"problem": t("batch.full")}) + "\n"
            return
        lines = tuple(line_of(number, result) for number, result in enumerate(results, first))
        yield json.dumps({"html": template.render(lines=lines, **words), "counts": counts_of(lines)}) + "\n"


def _judged(held: Checker, given: Iterator[tuple[str, bytes]], offer: Offer | None) -> Iterator[tuple[Result, ...]]:
    """The results of each file in the order given, archives opened; two are read at a time."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        waiting: deque[Future[tuple[Result, ...]]] = deque()
        for name, data, problem in _opened(given):
            waiting.append(pool.submit(_one, held, name, data, problem, offer))
            if len(waiting) > _AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _one(held: Checker, name: str, data: bytes, problem: str, offer: Offer | None) -> tuple[Result, ...]:
    if problem:
        return (Result(plain_name(name), hashlib.sha256(data).digest(), problem=problem),)
    return judge_file(held, name, data, offer)


def _opened(given: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes, str]]:
    """Files as they are, archives as the files in them; what cannot be had of an archive stands with the archive's bytes."""
    for name, data in given:
        if not is_archive(data):
            yield name, data, ""
            continue
        try:
            for inner, content in files_in(data):
                yield (inner, data, "unreadable") if content is None else (inner, content, "")
        except MalformedError:
            yield name, data, "bad-archive"


def _signed() -> bytes | None:
    held, results = checker(), _batches().lines(session.get("batch"))
    if held.signer is None or not results:
        return None
    items = report_items(results, values="values" in request.form)
    return sign_check_report(items, held.signer, name=held.settings.name, trust=trust_lines(), made=held.now())


def _batches() -> Batches:
    held = current_app.extensions.get("batches")
    if held is None:
        held = current_app.extensions.setdefault("batches", Batches(checker().now))
    return cast(Batches, held)


def _name() -> str:
    """The name of this browser's batch. It is in the cookie with the page already: two files may come at once."""
    if "batch" not in session:
        session["batch"] = secrets.token_hex(16)
    return cast(str, session["batch"])


def _offer(asked: str | None) -> Offer | None:
    if not asked or asked == "none":
        return None
    offer = checker().offers.get(asked)
    if offer is None or offer.request.mode == "challenge":  # a file answers no question
        abort(400)
    return offer


def _page(problem: str = "") -> str:
    held, results = checker(), _batches().lines(session.get("batch"))
    lines: tuple[Line, ...] = tuple(line_of(number, result) for number, result in enumerate(results, 1))
    offers = {
        offer.id: in_words(offer.request.titles, g.language)
        for offer in held.offers.values() if offer.request.mode != "challenge"
    }  # fmt: skip
    key = "" if held.signer is None else key_fingerprint(held.signer.public_key)
    return render_template("batch/page.html", lines=lines, counts=counts_of(lines), offers=offers, key=key, problem=problem)
