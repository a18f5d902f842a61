"""The clerk's page of papers, links for holders, and the API."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

import pytest

from issuer_app.ledger import Issued
from issuer_app.papers.holder import KeptOut
from issuer_app.papers.links import MOST, Links
from issuer_app.papers.web import links
from issuer_app.users import Users
from tests.issuer_app.house import Person
from tests.issuer_app.papers import pdf
from tests.issuer_app.papers.conftest import Workshop
from weid.codec import b64u
from weid.errors import IssueError


@pytest.fixture(scope="module")
def app(workshop: Workshop) -> Any:
    """One app for this file."""
    return workshop.house.app(issue="10000 per minute", form="10000 per minute", api="10000 per minute")


@pytest.fixture(scope="module")
def clerk(app: Any) -> Person:
    """A clerk who is signed in."""
    return Person(app, "chen")


def link_to(app: Any, workshop: Workshop, row: Issued) -> str:
    """The path of a new link."""
    with app.test_request_context():
        token = links().make(row.id, days=30, by="chen", at=workshop.house.now, random=workshop.house.world.random)
    return f"/c/{token}"


def test_the_clerk_sees_all_papers_with_how_well_they_read(clerk: Person, row: Issued) -> None:
    """One page: what it looks like, in which languages, what share is read, how small it may be printed."""
    page = clerk.get(f"/desk/certificates/{row.id}/papers?first=zh-Hans&second=pt").text

    for name in ("certificate.pdf", "card.png", "poster.png", "sheet.png"):
        assert f"{row.id}/{name}?first=zh-Hans&amp;second=pt" in page
    assert re.search(r"Read in \d+ % of worn-down trials", page)
    assert "32.5 mm" in page
    assert "<script" not in page.partition("</head>")[2]
    assert clerk.get(f"/desk/certificates/{row.id}").text.count(f"/desk/certificates/{row.id}/papers") == 1


@pytest.mark.parametrize(
    "name, kind", [("certificate.pdf", "application/pdf"), ("card.png", "image/png"), ("sheet.png", "image/png")]
)  # fmt: skip
def test_papers_are_for_clerks(app: Any, clerk: Person, row: Issued, name: str, kind: str) -> None:
    """Signed out and in another role nobody gets them; names of files tell nothing about the person."""
    path = f"/desk/certificates/{row.id}/{name}?first=en"
    given = clerk.get(path)
    assert (given.status_code, given.content_type) == (200, kind)
    assert given.headers["Cache-Control"] == "no-store"
    assert "王" not in given.headers.get("Content-Disposition", "")
    assert Person(app).get(path).status_code == 302
    assert Person(app, "ho").get(path).status_code == 403


def test_a_language_we_do_not_have_is_refused(clerk: Person, row: Issued) -> None:
    """In words, not with a stack."""
    answer = clerk.get(f"/desk/certificates/{row.id}/certificate.pdf?first=../x")
    assert answer.status_code == 422
    assert "languages" in answer.text


def test_a_missing_character_is_named_to_the_clerk(workshop: Workshop, clerk: Person) -> None:
    """The page says which one, and what to do."""
    row = workshop.issue(holderName="王\U0003134a")
    page = clerk.get(f"/desk/certificates/{row.id}/papers").text
    assert "U+3134A" in page
    assert "folder “fonts”" in page


def test_the_holder_needs_only_the_link(app: Any, workshop: Workshop, clerk: Person) -> None:
    """No sign-in, no script but our own for sharing, no cache, no referrer: certificate, today's state, all files, in four languages."""
    row = workshop.issue()
    path, holder = link_to(app, workshop, row), Person(app)
    page = holder.get(path)

    assert page.status_code == 200
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Robots-Tag"].startswith("noindex")
    assert re.findall(r"<script[^>]*>", page.text) == ['<script src="/static/share.js" defer>']
    assert "Valid today" in page.text
    assert "王小明" in page.text
    for language, words in (("zh-Hans", "今天有效"), ("zh-Hant", "今天有效"), ("pt", "Válido hoje")):
        assert words in holder.get(f"{path}?lang={language}").text
    data = holder.get(f"{path}/certificate.pdf?first=en").data
    assert pdf.attachments(data) == {"certificate.json": row.file}
    assert holder.get(f"{path}/certificate.json").data == row.file
    assert holder.get(f"{path}/card.png").data.startswith(b"\x89PNG")
    assert holder.get(f"{path}/code.svg").data.startswith(b"<svg")


def test_the_page_tells_the_state_of_today_and_gives_no_paper_of_what_does_not_stand(
    app: Any, workshop: Workshop, clerk: Person
) -> None:
    """The file stays, because the holder may contest the decision."""
    row, now = workshop.issue(), workshop.house.now
    path, holder = link_to(app, workshop, row), Person(app)
    workshop.desk.suspend(row.id, "error-in-data", now)
    page = holder.get(path).text
    assert "Suspended" in page
    assert "certificate.pdf" not in page
    assert holder.get(f"{path}/certificate.pdf").status_code == 422
    assert holder.get(f"{path}/certificate.json").status_code == 200
    workshop.desk.lift(row.id, now)
    assert "Valid today" in holder.get(path).text
    workshop.desk.erase(row.id)
    assert holder.get(path).status_code == 410


def test_withdrawn_ended_and_invented_links_look_the_same(app: Any, workshop: Workshop, clerk: Person) -> None:
    """404, and nothing tells one from the other."""
    row = workshop.issue()
    path, holder = link_to(app, workshop, row), Person(app)
    clerk.post(f"/desk/certificates/{row.id}/link/withdraw", {}, page="/desk/")
    gone, never = holder.get(path), holder.get(f"/c/{b64u(bytes(16))}")
    assert (gone.status_code, never.status_code) == (404, 404)
    strip = re.compile(r"/c/[A-Za-z0-9_-]+")
    assert strip.sub("", gone.text) == strip.sub("", never.text)
    for name in ("certificate.pdf", "card.png", "certificate.json", "code.svg"):
        assert holder.get(f"{path}/{name}").status_code == 404


def test_a_link_is_made_by_a_clerk_with_a_form_of_ours(app: Any, clerk: Person, row: Issued) -> None:
    """Signed out, without the token of the form, for a length not offered: no."""
    path = f"/desk/certificates/{row.id}/link"
    assert clerk.http.post(path, data={"days": "30"}).status_code == 400
    assert Person(app).http.post(path, data={"days": "30"}).status_code == 400
    assert clerk.post(path, {"days": "99999"}, page="/desk/").status_code == 422
    answer = clerk.post(path, {"days": "30"}, page="/desk/")
    found = re.search(r'value="http://localhost(/c/[A-Za-z0-9_-]{22})"', answer.text)
    assert found is not None
    assert Person(app).get(found.group(1)).status_code == 200


def test_links_are_kept_as_digests_and_end(tmp_path: Any) -> None:
    """A stolen file opens nothing; after its days a link is gone; there are not endlessly many."""
    held = Links(tmp_path)
    token = held.make("aa", days=2, by="x", at=1_000, random=lambda size: b"r" * size)
    assert len(token) == 22
    assert held.find(token, 1_000) is not None
    assert held.find(token, 1_000 + 2 * 1_440) is None
    assert held.find("' OR 1=1 --", 1_000) is None
    assert token.encode() not in b"".join(path.read_bytes() for path in tmp_path.iterdir())
    for days in (0, 367):
        with pytest.raises(IssueError):
            held.make("aa", days=days, by="x", at=1_000, random=lambda size: b"s" * size)
    for number in range(MOST - 1):
        held.make("aa", days=2, by="x", at=1_000, random=lambda size, number=number: bytes([number]) * size)
    with pytest.raises(IssueError) as refused:
        held.make("aa", days=2, by="x", at=1_000, random=lambda size: b"t" * size)
    assert refused.value.code == "too-many-links"
    assert held.withdraw("aa") == MOST
    held.close()


def test_a_link_is_in_no_log_line() -> None:
    """Flask names the path of a request that failed; the way to somebody's certificate is taken out."""
    line = logging.LogRecord("x", 40, "f", 1, "Exception on %s [%s]", ("/c/WcDdSLRGLTdfnK4JeJh9Xw/card.png", "GET"), None)
    assert KeptOut().filter(line)
    assert line.getMessage() == "Exception on /c/…/card.png [GET]"


def test_programs_get_the_same_papers(app: Any, workshop: Workshop, row: Issued) -> None:
    """With a clerk's key; the answer says how well the code reads. Other roles are refused."""
    users = Users(workshop.house.folder / "app")
    keys = {role: users.add_key(role, frozenset({role}), workshop.house.now) for role in ("clerk", "auditor")}
    users.close()
    http, base = app.test_client(), f"/api/v1/certificates/{row.id}"
    bearer = {role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()}
    made = http.get(f"{base}/paper.pdf?first=zh-Hans&second=en", headers=bearer["clerk"])
    assert made.content_type == "application/pdf"
    assert int(made.headers["Scannability"]) >= 60
    assert pdf.attachments(made.data) == {"certificate.json": row.file}
    for name in ("paper.pdf", "card.png", "poster.png"):
        assert http.get(f"{base}/{name}").status_code == 401
        assert http.get(f"{base}/{name}", headers=bearer["auditor"]).status_code == 403
    for wrong in ("first=xx", "first=", "first=en&second="):
        assert http.get(f"{base}/card.png?{wrong}", headers=bearer["clerk"]).json["code"] == "bad-language"
    url = http.post(f"{base}/links", headers=bearer["clerk"], data=json.dumps({"days": 7})).json["url"]
    path = url.removeprefix("http://localhost")
    assert Person(app).get(path).status_code == 200
    assert http.post(f"{base}/links", headers=bearer["clerk"], data='{"days": true}').status_code == 400
    assert http.delete(f"{base}/links", headers=bearer["clerk"]).status_code == 204
    assert Person(app).get(path).status_code == 404
