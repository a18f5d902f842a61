"""Certificates that stand on another one: what is asked of it, refused in words, and what became of it since."""

from __future__ import annotations

import json
from io import BytesIO
from typing import Any

import pytest

from issuer_app import selfcheck
from issuer_app.depending import kept
from issuer_app.importing import report
from issuer_app.importing.job import Importer
from issuer_app.ledger import Issued
from issuer_app.lifecycle.renewing import renew
from issuer_app.lifecycle.replacing import supersede
from issuer_app.terms import Terms
from tests import browser
from tests.issuer_app.access.conftest import agree, two_people
from tests.issuer_app.house import SKILL, House, Person, pack
from tests.issuer_app.sheets import HEADER, csv_of, person
from tests.issuer_app.test_api import CLAIMS, Program
from tests.issuer_app.test_browser import sign_in, sound
from tests.issuer_app.test_imports import EN
from weid.errors import IssueError, MalformedError
from weid.facts import Absent, Unknown
from weid.pack import Pack, read_pack

NAME = CLAIMS["holderName"]
FORM = {**SKILL, "claim-holderName": NAME, "once": "x"}


def asking(**more: Any) -> Pack:
    """The pack, where a skill certificate stands on a training certificate of the same holder."""
    whole = pack("certificate-authority")
    present, issue = (json.loads(whole.files[name]) for name in ("present.json", "issue.json"))
    present["requests"]["trained"] = {**present["requests"]["check"], "schemas": ["training-certificate"]}
    issue["depends"] = {"skill-certificate": {"request": "trained", "same": {"holderName": "holderName"}, **more}}
    return read_pack({**whole.files, "present.json": json.dumps(present).encode(), "issue.json": json.dumps(issue).encode()})


@pytest.fixture
def desk(house: House) -> House:
    """A desk with both rights, and a pack that makes one depend on the other."""
    house.desk.apply([house.skill, house.training], house.now)
    house.accredit(house.skill, house.training)
    house.desk.terms = Terms.from_bytes(Terms.of_pack(asking()).to_bytes())  # as it is kept
    return house


def trained(house: House, name: str = NAME, **more: Any) -> Issued:
    claims = {"holderName": name, "awardDate": "2026-11-01", "course": "Chains"}
    return house.desk.issue(house.training, claims, at=house.now, random=house.world.random, **more)


def skilled(house: House, base: bytes | None, **more: Any) -> Issued:
    return house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random, base=base, **more)


def refused(house: House, base: bytes | None) -> str:
    with pytest.raises(IssueError) as caught:
        skilled(house, base)
    assert house.desk.find(CLAIMS["certificateNumber"]) == ()
    return caught.value.code


def test_it_stands_on_what_was_brought(desk: House) -> None:
    """As file, as code, or by its id here; it is not valid longer than what it stands on, and checks as any other."""
    base = trained(desk, minutes=10_000)
    text = selfcheck.draw(base, "v.example").text.encode()
    rows = [skilled(desk, data, request=str(at)) for at, data in enumerate((base.file, text, base.id.encode()))]
    for row in rows:
        found = kept.base_of(desk.desk.books, row.id)
        assert found is not None and found.id == base.id and row.until == base.until
        assert kept.state_of(desk.desk.facts(desk.now), found, desk.now) == "stands"
    assert desk.verify(rows[0].file).verdict == "valid-bearer"
    assert skilled(desk, base.file, request="0").id == rows[0].id  # the same again
    with pytest.raises(IssueError) as caught:
        skilled(desk, text, request="0")
    assert caught.value.code == "key-reused"


def test_what_carries_nothing_is_refused_by_name(desk: House) -> None:
    """Missing, unreadable, another's, another kind, altered, suspended, revoked, expired: each its own code, nothing issued."""
    good, short = trained(desk), trained(desk, minutes=5)
    assert refused(desk, None) == "base-missing" and refused(desk, b" ") == "base-missing"
    assert refused(desk, b"nothing") == refused(desk, b"0" * 32) == "base-unreadable"
    assert refused(desk, trained(desk, "李四").file) == "base-other"
    assert refused(desk, good.file.replace(b"Chains", b"Chain!")) == "base-refused"
    desk.desk.suspend(good.id, "fraud", desk.now)
    assert refused(desk, good.file) == "base-suspended"
    desk.desk.revoke(good.id, "fraud", desk.now)
    assert refused(desk, good.file) == "base-revoked"
    desk.world.tick(6)
    assert refused(desk, short.file) == "base-expired"
    other = skilled(desk, trained(desk).file)
    desk.desk.erase(other.id)
    assert refused(desk, other.file) == "base-kind"
    with pytest.raises(IssueError) as caught:
        trained(desk, base=good.file)
    assert caught.value.code == "base-not-asked"


@pytest.mark.parametrize(("more", "code"), [({}, "base-unknown"), ({"unknown": "accept"}, "")])
def test_what_cannot_be_known(desk: House, monkeypatch: pytest.MonkeyPatch, more: dict[str, str], code: str) -> None:
    """Refused, unless the pack says that it is no obstacle; that it is genuine must be known in any case."""
    desk.desk.terms = Terms.of_pack(asking(**more))
    base = trained(desk)
    facts = desk.desk.facts(desk.now)

    class Blind:
        def __init__(self, *kinds: str) -> None:
            self.kinds = kinds

        def fact(self, kind: str, *key: Any) -> Any:
            return Unknown("not here") if kind in self.kinds else facts.fact(kind, *key)

        def find(self, *asked: Any) -> Any:
            return facts.find(*asked)

    from issuer_app.depending.judging import judged

    schema = desk.desk.schema(desk.skill, desk.now)
    for kinds, said in ((("status",), code), (("did",), "base-unknown")):
        monkeypatch.setattr(desk.desk, "facts", lambda _, kinds=kinds: Blind(*kinds))
        if said:
            with pytest.raises(IssueError) as caught:
                judged(desk.desk, schema, CLAIMS, base.file, desk.now)
            assert caught.value.code == said
        else:
            assert judged(desk.desk, schema, CLAIMS, base.file, desk.now) is not None


def test_it_may_outlive_where_the_pack_says_so(desk: House) -> None:
    """Else what it stands on bounds it."""
    desk.desk.terms = Terms.of_pack(asking(outlives=True))
    base = trained(desk, minutes=100)
    assert skilled(desk, base.file).until > base.until


def test_corrected_and_renewed_it_stands_on_the_same(desk: House) -> None:
    """As long as that one stands and it is still seen whose it is; else it is to be brought."""
    base, other = trained(desk), trained(desk, "王晓明")
    row = skilled(desk, base.file)
    common = {"at": desk.now, "random": desk.world.random, "by": "chen"}
    new = supersede(desk.desk, row.id, {**CLAIMS, "level": "1"}, **common)  # type: ignore[arg-type]
    again = renew(desk.desk, new.id, **common)  # type: ignore[arg-type]
    found = [kept.base_of(desk.desk.books, one.id) for one in (new, again)]
    assert [None if one is None else one.id for one in found] == [base.id, base.id]
    named = {**CLAIMS, "holderName": "王晓明"}
    for bring, code in ((None, "base-missing"), (base.file, "base-other")):
        with pytest.raises(IssueError) as caught:
            supersede(desk.desk, new.id, named, base=bring, **common)  # type: ignore[arg-type]
        assert caught.value.code == code and desk.desk.get(new.id).state == "valid"
    assert supersede(desk.desk, new.id, named, base=other.file, **common).state == "valid"  # type: ignore[arg-type]
    desk.desk.revoke(base.id, "fraud", desk.now)
    with pytest.raises(IssueError) as caught:
        renew(desk.desk, again.id, **common)  # type: ignore[arg-type]
    assert caught.value.code == "base-revoked"
    desk.desk.erase(again.id)
    assert kept.base_of(desk.desk.books, again.id) is None


def test_by_the_pages(desk: House) -> None:
    """The form asks for it, says what is wrong with it in words, and the page of ended ones names who stands on nothing."""
    base, other = trained(desk), trained(desk, "李四")
    app = desk.app()
    clerk = Person(app, "chen")
    path = f"/desk/issue/{desk.skill.hex()}"
    assert "Training certificate" in clerk.get(path).text and 'enctype="multipart/form-data"' in clerk.get(path).text
    assert "Ask the holder for it" in clerk.post(path, FORM).text
    wrong = clerk.post(path, {**FORM, "base": other.id})
    assert wrong.status_code == 422 and "somebody else" in wrong.text and other.id in wrong.text
    done = clerk.post(path, {**FORM, "base-file": (BytesIO(base.file), "base.json")})
    assert done.status_code == 302
    id_ = done.headers["Location"].rsplit("/", 1)[1]
    assert base.id in clerk.get(f"/desk/certificates/{id_}").text
    assert "Every certificate here stands" in clerk.get("/depending/").text
    desk.desk.revoke(base.id, "fraud", desk.now)
    text = clerk.get("/depending/").text
    assert id_ in text and "it was revoked" in text
    form = {**FORM, "claim-level": "1"}
    assert "was revoked" in clerk.post(f"/later/replace/{id_}", form).text
    assert clerk.post(f"/later/replace/{id_}", {**form, "base": trained(desk).id}).status_code == 302


def test_by_programs_and_two_people(desk: House) -> None:
    """A program brings it as an object, a text or an id; what waits for a second person is judged again at the yes."""
    base = trained(desk)
    app = desk.app()
    program = Program(desk, app, "clerk")
    order = {"schema": desk.skill.hex(), "claims": CLAIMS}
    assert program("POST", "certificates", order)[1]["code"] == "base-missing"
    for value in (17, "", ["x"]):
        assert program("POST", "certificates", {**order, "base": value})[0] == 400
    status, made = program("POST", "certificates", {**order, "base": json.loads(base.file)})
    assert (status, made["dependsOn"]["id"], made["dependsOn"]["state"]) == (201, base.id, "stands")
    two_people(desk, "issue")
    held = program("POST", "certificates", {**order, "base": base.id})[1]
    desk.desk.suspend(base.id, "fraud", desk.now)
    assert [item["certificate"] for item in program("GET", "depending")[1]["items"]] == [made["id"]]
    boss = Person(app, "boss")
    path = f"/waiting/{held['waiting']}"
    late = agree(boss, path)
    assert late.status_code == 422 and "is suspended" in late.text
    desk.desk.lift(base.id, desk.now)
    assert agree(boss, path).status_code == 302


def test_by_a_list(desk: House) -> None:
    """A column names it, by id or code; wrong ones are told by their cell; what ended before the issue is left out."""
    work = Importer(desk.desk, clock=lambda: desk.now, random=desk.world.random, zone=desk.config().zone)
    desk.desk.terms = Terms.of_pack(asking())
    bases = [trained(desk, f"王小明{at}", minutes=9_000) for at in (1, 2, 3)]
    text = selfcheck.draw(bases[1], "v.example").text
    rows = [[*person(1), bases[0].id], [*person(2), text], [*person(3), bases[2].id], [*person(4), bases[0].id], [*person(5), ""]]
    job = work.upload(csv_of(rows, header=(*HEADER, "依据证书")), "list.csv", desk.skill, by="chen")
    assert job.mapped.columns[-1] == "depends.base"
    with pytest.raises(MalformedError) as caught:
        work.check(job.id, [*job.mapped.columns[:-1], ""], job.mapped.key, "", wait=True)
    assert caught.value.code == "import-base"
    work.check(job.id, job.mapped.columns, job.mapped.key, "", wait=True)
    bad = list(work.records.all_lines(job.id, "bad"))
    assert [(line.number, line.wrong[0][1]) for line in bad] == [(5, "problem.base-other"), (6, "problem.base-missing")]
    assert "G5" in report.reasons(bad[0], EN)[0]
    desk.desk.revoke(bases[2].id, "fraud", desk.now)
    work.start(job.id, wait=True)
    assert work.records.get(job.id).state == "done" and work.records.counts(job.id) == {"issued": 2, "bad": 3}
    made = [row for row in desk.desk.find("") if row.schema == desk.skill]
    assert {row.until for row in made} == {bases[0].until}
    found = [kept.base_of(desk.desk.books, row.id) for row in made]
    assert {None if one is None else one.id for one in found} == {bases[0].id, bases[1].id}
    plain = work.upload(csv_of([person(9)]), "list.csv", desk.training, by="chen")
    assert "depends.base" not in plain.mapped.columns


@pytest.mark.parametrize(
    "more",
    [{"unknown": "maybe"}, {"outlives": "yes"}, {"same": {}}, {"same": {"nobody": "holderName"}}, {"same": {"level": "level"}},
     {"request": "nothing"}, {"also": 1}, {"same": None}],
)  # fmt: skip
def test_the_pack_is_read_strictly(more: dict[str, Any]) -> None:
    """A dependence that means nothing is refused by name."""
    with pytest.raises(MalformedError):
        Terms.of_pack(asking(**more))


def test_only_what_is_shown_by_a_file_or_code_can_be_asked_for() -> None:
    """A challenge is answered to a verifier, not brought to a desk."""
    whole = asking()
    present = json.loads(whole.files["present.json"])
    present["requests"]["trained"]["mode"] = "challenge"
    with pytest.raises(MalformedError) as caught:
        Terms.of_pack(read_pack({**whole.files, "present.json": json.dumps(present).encode()}))
    assert "bearer" in str(caught.value)


def test_what_became_of_it_is_read_from_list_and_auditor() -> None:
    """Without the list it is unknown; a base without a list stands until it ends."""

    class Said:
        def fact(self, kind: str, key: str) -> Any:
            return Absent(1, None) if kind == "override" else Unknown("not here")  # type: ignore[arg-type]

        def find(self, kind: str, prefix: str) -> Any:
            return ()

    listed = kept.Kept("own", "base", b"", "did", "did|1", 4, 100)
    loose = kept.Kept("own", "base", b"", "did", None, None, 100)
    assert [kept.state_of(Said(), listed, at) for at in (50, 100)] == ["unknown", "expired"]
    assert [kept.state_of(Said(), loose, at) for at in (50, 100)] == ["stands", "expired"]


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["390", "1280"])
def test_the_pages_in_a_browser(desk: House, size: dict[str, int]) -> None:
    """The form, what is wrong with it, the certificate, and who stands on nothing any more."""
    base, other = trained(desk), trained(desk, "李四")
    with browser.serving(desk.app()) as address, browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale="zh-CN" if size is browser.PHONE else "en")
        with browser.only(page, address):
            sign_in(page, address, "chen")
            page.goto(f"{address}/desk/issue/{desk.skill.hex()}")
            for name in ("holderName", "certificateNumber", "skill", "awardDate"):
                page.fill(f"#claim-{name}", str(CLAIMS[name]))
            page.fill("#base", other.id)
            page.click("form.card button.main")
            sound(page, "depends-wrong")
            page.fill("#base", base.id)
            page.click("form.card button.main")
            sound(page, "depends-certificate")
            desk.desk.revoke(base.id, "fraud", desk.now)
            page.goto(f"{address}/depending/")
            sound(page, "depends-ended")
