"""The two-person rule: one asks, another agrees; nobody alone, by no door."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from issuer_app.terms import Terms
from tests.issuer_app.access.conftest import agree, signed_in, two_people
from tests.issuer_app.house import PASSWORD, SKILL, House, Person
from tests.issuer_app.test_api import CLAIMS, Program
from weid.errors import IssueError, MalformedError
from weid.pack import Pack

ALL = ("issue", "revoke", "import", "erase")


def second_clerk(house: House, app: Any, name: str = "yan") -> Person:
    """Another clerk."""
    app.extensions["issuer_app"].users.add(name, PASSWORD, frozenset({"clerk"}))
    return signed_in(app, name)


def asked(house: House, clerk: Person, **form: str) -> str:
    """Fill the form; the page of the request that waits."""
    answer = clerk.post(f"/desk/issue/{house.skill.hex()}", {**SKILL, "once": "one", **form})
    assert answer.status_code == 302, answer.text
    assert re.fullmatch(r"/waiting/[0-9a-f]{16}", answer.headers["Location"])
    return str(answer.headers["Location"])


def test_a_certificate_takes_two(fresh: House) -> None:
    """Nothing is issued until another clerk agrees; then it is in both names, and what the request held is gone."""
    fresh.accredit()
    two_people(fresh, "issue")
    app = fresh.app()
    chen, yan = signed_in(app, "chen"), second_clerk(fresh, app)
    path = asked(fresh, chen)
    assert asked(fresh, chen) == path  # the form sent twice is one request
    assert fresh.desk.find("") == ()
    assert "王小明" in yan.get(path).text and "chen" in yan.get("/waiting/").text
    own = agree(chen, path)
    assert own.status_code == 403 and "Nobody agrees to their own" in own.text
    assert chen.post(f"{path}/decline", {}, page=path).status_code == 403
    done = agree(yan, path)
    assert done.status_code == 302
    row = fresh.desk.find("")[0]
    assert done.headers["Location"] == f"/desk/certificates/{row.id}"
    assert (row.by, row.published) == ("chen + yan", True)
    assert fresh.verify(row.file).verdict == "valid-bearer"
    assert "王小明".encode() not in (fresh.folder / "app" / "waiting.db").read_bytes()
    again = yan.post(f"{path}/agree", {}, page="/waiting/")
    assert again.status_code in (403, 404, 409) and len(fresh.desk.find("")) == 1


def test_ends_take_two(fresh: House) -> None:
    """Revoking and erasing wait; declined or taken back, nothing happens; suspending is at once, it can be lifted."""
    fresh.accredit()
    app = fresh.app()
    chen, yan = signed_in(app, "chen"), second_clerk(fresh, app)
    location = chen.post(f"/desk/issue/{fresh.skill.hex()}", {**SKILL, "once": "x"}).headers["Location"]
    two_people(fresh, "revoke", "erase")
    id_ = location.rsplit("/", 1)[1]
    paths = [chen.post(f"{location}/{act}", {"reason": "fraud"}).headers["Location"] for act in ("revoke", "erase")]
    assert fresh.desk.get(id_).state == "valid"
    assert chen.post(f"{location}/revoke", {"reason": "fraud"}).headers["Location"] == paths[0]  # asked for already
    assert yan.post(f"{paths[1]}/withdraw", {}, page=paths[1]).status_code == 403
    assert yan.post(f"{paths[1]}/decline", {}, page=paths[1]).status_code == 302
    assert not fresh.desk.get(id_).erased
    assert chen.post(f"{paths[0]}/withdraw", {}, page=paths[0]).status_code == 302
    assert yan.post(f"{paths[0]}/agree", {"seen": ""}, page="/waiting/").status_code in (404, 409)
    assert fresh.desk.get(id_).state == "valid"
    path = chen.post(f"{location}/revoke", {"reason": "fraud"}).headers["Location"]
    assert agree(yan, path).status_code == 302
    row = fresh.desk.get(id_)
    assert (row.state, row.reason) == ("revoked", "fraud")
    assert chen.post(f"{location}/suspend", {"reason": "fraud"}).status_code == 409


def test_the_administrator_may_be_the_second(fresh: House) -> None:
    """An administrator agrees, and still issues nothing alone; reviewers and auditors are no business of it."""
    fresh.accredit()
    two_people(fresh, "issue")
    app = fresh.app()
    chen, boss = signed_in(app, "chen"), signed_in(app, "boss")
    path = asked(fresh, chen)
    for name in ("lin", "ho"):
        other = Person(app, name)
        assert other.get(path).status_code == 403
        assert other.post(f"{path}/agree", {}, page="/account/").status_code == 403
    assert agree(boss, path).headers["Location"] == "/waiting/"
    assert fresh.desk.find("")[0].by == "chen + boss"


def test_too_late_is_gone(fresh: House) -> None:
    """After three days the request is expired and its content destroyed."""
    fresh.accredit()
    two_people(fresh, "issue")
    app = fresh.app()
    path = asked(fresh, signed_in(app, "chen"))
    fresh.world.tick(3 * 24 * 60)
    yan = second_clerk(fresh, app)
    text = yan.get(path).text
    assert "Nobody decided in time" in text and "王小明" not in text
    assert yan.post(f"{path}/agree", {}, page="/waiting/").status_code == 409
    assert fresh.desk.find("") == ()


def test_what_nobody_agreed_to_can_be_asked_for_again(fresh: House) -> None:
    """The same form after a refusal is a new request; an old certificate has one form only, so it must be."""
    fresh.accredit()
    two_people(fresh, "issue")
    app = fresh.app()
    chen, yan = signed_in(app, "chen"), second_clerk(fresh, app)
    path = asked(fresh, chen)
    yan.post(f"{path}/decline", {}, page=path)
    again = asked(fresh, chen)
    assert again != path
    assert agree(yan, again).status_code == 302
    assert len(fresh.desk.find("")) == 1


def test_a_refusal_leaves_it_waiting(fresh: House) -> None:
    """The right ended meanwhile: a sentence for the second person, nothing issued, the request is still there."""
    fresh.accredit()
    two_people(fresh, "issue")
    app = fresh.app()
    path = asked(fresh, signed_in(app, "chen"))
    fresh.office.suspend_issuer(fresh.desk.did, "fraud", schema=fresh.skill)
    yan = second_clerk(fresh, app)
    assert agree(yan, path).status_code == 403
    assert fresh.desk.find("") == ()
    fresh.office.reinstate(fresh.desk.did, schema=fresh.skill)
    assert agree(yan, path).status_code == 302


def test_programs_ask_and_never_agree(fresh: House) -> None:
    """202 and the request's address; the same key with the same content gives the certificate once it is done."""
    fresh.accredit()
    two_people(fresh, "issue", "revoke", "erase")
    app = fresh.app()
    program, other = Program(fresh, app, "clerk"), Program(fresh, app, "clerk", "admin")
    body = {"schema": fresh.skill.hex(), "claims": CLAIMS}
    status, held = program("POST", "certificates", body, Idempotency_Key="a")
    assert (status, held["state"], held["act"]) == (202, "waiting", "issue")
    assert program("POST", "certificates", body, Idempotency_Key="a")[1]["waiting"] == held["waiting"]
    assert program("POST", "certificates", {**body, "specimen": True}, Idempotency_Key="a")[0] == 422
    assert program("GET", f"waiting/{held['waiting']}")[0] == 200
    assert other("GET", f"waiting/{held['waiting']}")[0] == 404
    for way in ("agree", "decline"):
        bare = app.test_client().post(f"/waiting/{held['waiting']}/{way}", headers={"Authorization": f"Bearer {other.key}"})
        assert bare.status_code == 400  # no page of theirs, no token
    chen = signed_in(app, "chen")
    assert agree(chen, f"/waiting/{held['waiting']}").status_code == 302
    status, made = program("POST", "certificates", body, Idempotency_Key="a")
    assert (status, made["claims"]["holderName"]) == (201, "王小明")
    assert program("POST", f"certificates/{made['id']}/revoke", {"reason": "fraud"})[0] == 202
    assert program("DELETE", f"certificates/{made['id']}")[0] == 202
    assert program("GET", f"certificates/{made['id']}")[1]["state"] == "valid"


def test_the_desk_itself_refuses_one_alone(fresh: House) -> None:
    """A door that forgets to ask is closed: command, conversion, VC-API all end at the desk."""
    fresh.accredit()
    row = fresh.desk.issue(fresh.skill, CLAIMS, at=fresh.now, random=fresh.world.random)
    two_people(fresh, *ALL)
    for act in (
        lambda: fresh.desk.issue(fresh.skill, CLAIMS, at=fresh.now, random=fresh.world.random),
        lambda: fresh.desk.revoke(row.id, "fraud", fresh.now),
        lambda: fresh.desk.erase(row.id),
    ):
        with pytest.raises(IssueError) as caught:
            act()
        assert caught.value.code == "second-person"
    assert fresh.desk.get(row.id).state == "valid"


@pytest.mark.parametrize("value", ["issue", ["issue", "issue"], ["sing"], [1], [["issue"]], {"issue": True}, None])
def test_the_pack_is_read_strictly(house: House, value: object) -> None:
    """Anything but a list of known acts, each once, is refused; what is kept reads back the same."""
    files = dict(house.pack.files)
    section = json.loads(files["issue.json"])
    files["issue.json"] = json.dumps({**section, "twoPeople": value}).encode()
    with pytest.raises(MalformedError):
        Terms.of_pack(_with(house.pack, files))
    files["issue.json"] = json.dumps({**section, "twoPeople": ["revoke", "issue"]}).encode()
    terms = Terms.of_pack(_with(house.pack, files))
    assert terms.two_people == {"issue", "revoke"}
    assert Terms.from_bytes(terms.to_bytes()) == terms


def _with(pack: Pack, files: dict[str, bytes]) -> Pack:
    from weid.pack import read_pack

    return read_pack({**pack.files, **files})
