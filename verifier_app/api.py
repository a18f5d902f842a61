"""The JSON API: the Report that the library and the command give, over HTTP."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, request

from verifier_app import inputs
from verifier_app.frame import checker
from verifier_app.inputs import Handed
from weid.canon import jcs, parse_json
from weid.errors import MalformedError, WeidError

__all__ = ["room"]

_MEMBERS: Final = frozenset({"data", "verifiableCredential", "request", "question"})

room = Blueprint("api", __name__, url_prefix="/api/v1")


@room.post("/verify")
def verify() -> Response:
    """One credential: `{"data": text}` or `{"verifiableCredential": {…}}`, with `request` and `question` if wanted;
    the answer is the Report. A picture (image/png, image/jpeg) gives `{"reports": […]}`, one a code."""
    if request.mimetype in ("image/png", "image/jpeg"):
        handed = inputs.from_bytes(request.get_data())
        return jsonify(reports=_reports(handed, request.args.to_dict()))
    if request.mimetype != "application/json":
        abort(415)
    try:
        body = parse_json(request.get_data(), max_bytes=1 << 20)
    except MalformedError:
        abort(400)
    if not isinstance(body, dict) or ("data" in body) == ("verifiableCredential" in body) or set(body) - _MEMBERS:
        abort(400)
    if not all(body.get(name) is None or isinstance(body[name], str) for name in ("request", "question")):
        abort(400)
    if "data" in body:
        if not isinstance(body["data"], str):
            abort(400)
        item = body["data"].strip().encode("utf-8")
    else:
        item = jcs(body["verifiableCredential"])
    return jsonify(_reports(Handed((item,)), body)[0])


def _reports(handed: Handed, wanted: dict[str, Any]) -> list[Any]:
    held = checker()
    if handed.problem is not None:
        abort(413 if handed.problem == "too-large" else 400)
    offer = question = None
    if wanted.get("request"):
        offer = held.offers.get(str(wanted["request"])) or abort(400)
    if wanted.get("question"):
        question = held.memory.question(str(wanted["question"])) or abort(400)
        offer = held.offers.get(question.request)
        if question.state(held.now()) != "open":
            abort(409)
    reports = []
    try:
        for item in handed.items:
            report = held.judge(item, offer, question)
            if question is not None and not held.answered(report, question):
                abort(409)
            reports.append(report.to_json())
    except WeidError:
        abort(503)
    return reports
