"""The clerk's page for an old certificate to be issued again: checked here anew, compared by a person, then issued (R30).

Nothing of the request is believed: the verdict is that of this desk's own check, and no value is carried over into the form.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from credentials.policy import Policy
from credentials.reissue import MAX_BYTES, Reissue, read_reissue, reissue_request
from credentials.report import Outcome, Report
from credentials.text import escaped
from credentials.verify import verify
from credentials.wording import verdict
from issuer_app import forms, web_desk
from issuer_app.frame import config, desk, needs, page, speaker
from weid.canon import JSON, jcs
from weid.errors import MalformedError
from weid.hashes import SHA256

__all__ = ["AGAIN", "pages"]

pages = Blueprint("reissue", __name__, url_prefix="/desk/reissue")
AGAIN: Final = web_desk.AGAIN
_DOUBTS: Final = (Outcome.FAILED, Outcome.UNKNOWN)


@dataclass(frozen=True, slots=True)
class _Value:
    path: str
    text: str
    ambiguous: bool


@pages.get("/")
@needs("clerk")
def home() -> ResponseReturnValue:
    """Choose the new kind of certificate, and the file."""
    return _asked("")


@pages.post("/")
@needs("clerk")
def check() -> ResponseReturnValue:
    """What this desk finds out about the old certificate, beside the ordinary form, which is empty."""
    schema = web_desk.schema_named(request.form.get("kind", ""))
    given = request.files.get("request")
    try:
        asked = read_reissue(b"" if given is None else given.stream.read(MAX_BYTES + 1))
    except MalformedError:
        return _asked(speaker()("fault.reissue")), 422
    report = verify(asked.original, facts=desk().facts(config().now()), policy=Policy(), at=config().clock())
    if report.authentic is None:
        return _asked(speaker()("reissue.not-authentic")), 422
    if not desk().may_issue(schema.digest, config().now()):  # then nothing of a person's is kept either
        return _asked(speaker().problem("not-accredited")), 403
    language, once = speaker().language, f"{AGAIN}{SHA256(asked.original).hex()[:40]}"
    desk().keep_original(once, asked.original, config().now())
    return page(
        "reissue_check.html", schema=schema, fields=forms.fields(schema), form={}, faults={}, zone=config().zone, again=True,
        allowed=True, once=once, finding=web_desk.finding(schema),
        verdict=verdict(report.verdict, language), doubts=_doubts(report, language), values=_values(asked, report),
        unsigned=[] if report.presented is None else [escaped(name) for name in report.presented.unsigned],
        hidden=[] if report.presented is None else [escaped(name) for name in report.presented.hidden],
    )  # fmt: skip


def _asked(wrong: str) -> str:
    rights = [right for right in desk().accreditations(config().now()) if right.state == "now"]
    return page("reissue.html", rights=rights, wrong=wrong)


def _doubts(report: Report, language: str) -> list[str]:
    """What failed or is not known, each once."""
    return list(dict.fromkeys(check.sentence(language) for check in report.checks if check.outcome in _DOUBTS))


def _values(asked: Reissue, report: Report) -> list[_Value]:
    """The values with the marks of our own check, not those that the file brings."""
    found = reissue_request(asked.original, report)["confirm"]
    return [
        _Value(escaped(str(item["path"])), escaped(_text(item["value"])), item["ambiguous"] is True)
        for item in (found if isinstance(found, list) else [])
        if isinstance(item, dict)
    ]


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else jcs(value).decode("utf-8")
