"""The clerk's page for signing together: bring the file, read what it says, sign it or leave it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.bringing import MOST, of_form
from issuer_app.frame import config, desk, needs, page, slow_down, speaker, tell
from issuer_app.lifecycle import joint
from weid.errors import IssueError, MalformedError, RejectedError

__all__ = ["pages"]

pages = Blueprint("joint", __name__, url_prefix="/joint")


@pages.get("/")
@needs("clerk")
def home() -> ResponseReturnValue:
    """Bring a certificate of another institution."""
    return page("lifecycle/joint.html", fault_="", asked=None)


@pages.post("/")
@needs("clerk")
def check() -> ResponseReturnValue:
    """Show what it says and who has signed; nothing is signed yet."""
    slow_down(config().limits.issue)
    upload = request.files.get("file")
    try:
        data = of_form(upload.read(MOST + 1) if upload is not None else b"", request.form.get("text", ""))
        return _asked(data, joint.read_asked(desk(), data, config().clock()), "")
    except (IssueError, MalformedError) as error:
        return page("lifecycle/joint.html", fault_=speaker().problem(error.code), asked=None), 422


@pages.post("/sign")
@needs("clerk")
def sign() -> ResponseReturnValue:
    """Sign it, or take the word back; the certificate is read and checked once more."""
    slow_down(config().limits.issue)
    data = request.form.get("data", "")[:MOST].encode("utf-8", "replace")
    try:
        asked = joint.read_asked(desk(), data, config().clock())
        if request.form.get("sure") != "yes":
            return _asked(data, asked, speaker()("joint.fault-sure")), 422
        if request.form.get("back") == "yes":
            joint.take_back(desk(), asked)
            tell("joint.taken-back")
        else:
            joint.cosign(desk(), asked)
            tell("joint.done")
    except (IssueError, MalformedError, RejectedError) as error:
        return page("lifecycle/joint.html", fault_=speaker().problem(error.code), asked=None), 422
    return redirect(url_for("joint.home"))


def _asked(data: bytes, asked: joint.Asked, fault: str) -> str:
    names = joint.names_of(desk(), asked.others, config().now())
    return page(
        "lifecycle/joint.html", fault_=fault, asked=asked, data=data.decode("utf-8", "replace"), shown=_shown(asked),
        others=[(speaker().name(names[word.did]) or word.did, word) for word in asked.others],
        issuer=speaker().name(asked.presented.issuer_names) or asked.presented.issuer,
    )  # fmt: skip


def _shown(asked: joint.Asked) -> list[tuple[Any, Any]]:
    claims = asked.presented.claims
    return [(claim, claims[claim.name]) for claim in asked.schema.claims if claims.get(claim.name) is not None]
