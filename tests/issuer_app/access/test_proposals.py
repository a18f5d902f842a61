"""What two people decide about many certificates, about corrections and renewals: just what was asked for, once."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from issuer_app import pointers
from issuer_app.cli import issuer
from issuer_app.ledger import Issued
from issuer_app.lifecycle import planned
from issuer_app.premises import Premises
from issuer_app.proposals import acts, deciding
from issuer_app.proposals.acts import Room
from issuer_app.two_people import NEEDS, Asked, Waiting
from tests.issuer_app.access.conftest import agree, signed_in, two_people
from tests.issuer_app.house import PASSPHRASE, PASSWORD, SKILL, House, Person
from tests.issuer_app.test_api import CLAIMS, Program
from weid.canon import JSON
from weid.errors import RegistryError, RejectedError, WeidError


@pytest.fixture
def ours(house: House) -> Iterator[House]:
    """The desk of all these tests, for one of them: its certificates have names of their own."""
    if not house.desk.may_issue(house.skill, house.now):
        house.accredit()
    yield house
    two_people(house)
    planned.hold(house.desk, 0)


@pytest.fixture
def pair(ours: House) -> tuple[House, Person, Person]:
    """Two clerks of that desk."""
    app = ours.app()
    with app.extensions["issuer_app"].users.store.change() as db:
        db.execute("UPDATE users SET roles = 'clerk' WHERE name = 'mei'")
    return ours, signed_in(app, "chen"), signed_in(app, "mei")


_NUMBERS = count(1)


def issue(house: House, wanted: int, skill: str = "-") -> list[Issued]:
    """Certificates of a skill that tells the tests apart."""
    made = []
    for number in islice(_NUMBERS, wanted):
        claims = {**CLAIMS, "certificateNumber": f"{number:012}", "skill": skill}
        made.append(house.desk.issue(house.skill, claims, at=house.now, random=house.world.random))
    return made


def many(house: House, clerk: Person, form: dict[str, Any], number: int, *, reason: str = "fraud", due: str = "") -> Any:
    """Choose, type the number, send."""
    shown = clerk.post("/later/many", {"action": "revoke", **form})
    action = re.findall(r'action="(/later/many/[^"]+)"', shown.text)[0]
    return clerk.post(action, {"reason": reason, "count": str(number), "due": due}, page="/later/many")


def rows_of(house: House) -> list[str]:
    connection = sqlite3.connect(house.folder / "app" / "trail.db")
    found = [f"{who} {act} {result}" for who, act, result in connection.execute("SELECT who, act, result FROM trail")]
    connection.close()
    return found


def test_many_are_revoked_by_two(pair: tuple[House, Person, Person]) -> None:
    """The request names each certificate; what changed meanwhile is named and left out, and a yes to an older page is none."""
    house, chen, mei = pair
    rows = issue(house, 4, "welding")
    two_people(house, "revoke")
    answer = many(house, chen, {"text": "welding"}, 4)
    path = answer.headers["Location"]
    assert answer.status_code == 302 and re.fullmatch(r"/waiting/[0-9a-f]{16}", path)
    assert {house.desk.get(row.id).state for row in rows} == {"valid"}
    text = mei.get(path).text
    assert "Revoke 4 certificates" in text and all(row.id in text for row in rows)
    listed = mei.get(f"{path}/certificates.csv").text
    assert all(f"{row.id},valid,yes" in listed for row in rows)
    house.desk.suspend(rows[1].id, "fraud", house.now)
    late = agree(mei, path, page=text)
    assert late.status_code == 409 and "Something changed since you opened this page" in late.text
    assert "now suspended" in late.text and "1 certificates have changed" in late.text
    assert house.desk.get(rows[0].id).state == "valid"
    assert agree(chen, path, page=late.text).status_code == 403  # nobody agrees to their own, whatever they send
    assert f"{rows[1].id},suspended,no" in mei.get(f"{path}/certificates.csv").text
    done = agree(mei, path)
    assert done.status_code == 302 and "3 certificates" in mei.follow(done).text
    assert [house.desk.get(row.id).state for row in rows] == ["revoked", "suspended", "revoked", "revoked"]
    assert house.verify(rows[0].file).verdict == "revoked" and house.desk.waiting() == 0
    digest = re.findall(r"second-person-asked digest=([0-9a-f]{32})", " ".join(rows_of(house)))
    assert digest and f"mei two.decide-agree ok asked-by=chen digest={digest[0]}" in rows_of(house)
    assert "chen" in signed_in(mei.http.application, "boss").get("/trail").text
    again = mei.post(f"{path}/agree", {"seen": "0" * 64}, page="/waiting/")
    assert again.status_code == 409


def test_a_list_is_revoked_at_a_minute_by_two(pair: tuple[House, Person, Person]) -> None:
    """It is planned in both names; a request that nobody agreed to before its minute is no more."""
    house, chen, mei = pair
    rows = issue(house, 2, "sewing")
    two_people(house, "revoke")
    due = (house.moment + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    past = (house.moment - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    table = b"id\n" + rows[0].id.encode() + b"\n"
    assert many(house, chen, {"list": (BytesIO(table), "list.csv")}, 1, due=past).status_code == 422
    path = many(house, chen, {"list": (BytesIO(table), "list.csv")}, 1, due=due).headers["Location"]
    assert due[:10] in mei.get(path).text
    assert agree(mei, path).status_code == 302
    held = planned.of(house.desk, rows[0].id)
    assert held is not None and held.by == "chen + mei" and house.desk.get(rows[0].id).state == "valid"
    late = many(house, chen, {"text": "sewing"}, 2, due=due).headers["Location"]
    house.world.tick(121)
    mei = signed_in(mei.http.application, "mei")  # the old session has ended
    assert planned.run_due(house.desk, house.now) == 1
    assert [house.desk.get(row.id).state for row in rows] == ["revoked", "valid"]
    assert "Nobody decided in time" in mei.get(late).text and agree(mei, late).status_code == 409


def test_what_is_held_back_is_held_back_for_two_as_well(pair: tuple[House, Person, Person]) -> None:
    """The time to change one's mind begins with the second yes; the page says so."""
    house, chen, mei = pair
    rows = issue(house, 2)
    two_people(house, "revoke")
    planned.hold(house.desk, 30)
    one = chen.post(f"/desk/certificates/{rows[0].id}/revoke", {"reason": "fraud"}).headers["Location"]
    some = many(house, chen, {"text": str(rows[1].claims["certificateNumber"])}, 1).headers["Location"]
    for path in (one, some):
        assert "Held back for 30 minutes" in mei.get(path).text
        assert agree(mei, path).status_code == 302
    assert [house.desk.get(row.id).state for row in rows] == ["valid", "valid"]
    house.world.tick(31)
    assert planned.run_due(house.desk, house.now) == 2


def test_a_correction_takes_two(pair: tuple[House, Person, Person]) -> None:
    """Both values stand on the page; agreed, it is one step; what ended meanwhile is not corrected."""
    house, chen, mei = pair
    old, other = issue(house, 2)
    two_people(house, "issue", "revoke")
    form = {**SKILL, "claim-certificateNumber": old.claims["certificateNumber"], "claim-holderName": "王晓明"}
    path = chen.post(f"/later/replace/{old.id}", form).headers["Location"]
    text = mei.get(path).text
    assert "王晓明" in text and f"<del><bdi>{old.claims['holderName']}</bdi></del>" in text
    assert house.desk.find("王晓明") == ()
    done = agree(mei, path)
    new = pointers.successor(house.desk.books, old.id)
    assert done.headers["Location"] == f"/desk/certificates/{new}"
    assert house.desk.get(str(new)).by == "chen + mei" and house.desk.get(old.id).reason == "superseded"
    assert "王晓明".encode() not in (house.folder / "app" / "waiting.db").read_bytes()
    form["claim-certificateNumber"] = str(other.claims["certificateNumber"])
    path = chen.post(f"/later/replace/{other.id}", form).headers["Location"]
    two_people(house)
    house.desk.revoke(other.id, "fraud", house.now)
    two_people(house, "issue", "revoke")
    text = mei.get(path).text
    assert "changed since it was asked for" in text and "Agree and do it" not in text
    mark = re.findall(r'name="seen" value="([0-9a-f]+)"', text)
    assert mark == [] and mei.post(f"{path}/agree", {"seen": ""}, page=path).status_code == 409
    assert mei.post(f"{path}/decline", {}, page=path).status_code == 302
    assert pointers.successor(house.desk.books, other.id) is None


def test_a_renewal_takes_two(pair: tuple[House, Person, Person]) -> None:
    """The same values, once; a suspended certificate is not renewed around its suspension."""
    house, chen, mei = pair
    row, other = issue(house, 2)
    two_people(house, "issue")
    house.desk.suspend(other.id, "fraud", house.now)
    assert chen.post(f"/later/renew/{other.id}", {}).status_code == 409
    path = chen.post(f"/later/renew/{row.id}", {}).headers["Location"]
    assert "As soon as you agree, for" in mei.get(path).text
    made = agree(mei, path).headers["Location"].rsplit("/", 1)[1]
    assert made != row.id and house.desk.get(made).claims == row.claims
    assert (
        chen.post(f"/later/renew/{row.id}", {}).status_code == 302
        and len(house.desk.find(str(row.claims["certificateNumber"]))) == 2
    )


def room_of(house: House, waiting: Waiting) -> Room:
    def imports() -> Any:
        raise AssertionError("no import here")

    return Room(house.desk, waiting, house.now, house.world.random, imports)


@pytest.fixture
def asked(ours: House) -> tuple[House, Room, Asked, list[str]]:
    """A desk with a request to revoke two certificates."""
    ids = [row.id for row in issue(ours, 2)]
    two_people(ours, "revoke")
    room = room_of(ours, Waiting(ours.folder / "waiting.db"))
    body = acts.body_of_change(ours.desk, ids, "revoke", "fraud", due=None)
    return ours, room, deciding.ask(room, "change", "", body, by="chen"), ids


def test_a_crash_behind_the_act_loses_nothing_and_does_nothing_twice(
    asked: tuple[House, Room, Asked, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The act and the note that it was done are one transaction: the request is found done, and is not done again."""
    house, room, held, ids = asked

    def stop(*_: object) -> None:
        raise SystemExit

    mark = deciding.examine(room, held).mark
    with monkeypatch.context() as patched:
        patched.setattr(room.waiting, "done", stop)
        with pytest.raises(SystemExit):
            deciding.agree(room, held.id, "mei", mark)
    assert {house.desk.get(id_).state for id_ in ids} == {"revoked"} and room.waiting.get(held.id).state == "doing"
    with pytest.raises(WeidError) as caught:  # another person does not do it again
        deciding.agree(room, held.id, "mei", mark)
    assert caught.value.code == "not-waiting"
    house.world.tick(6)
    later = room_of(house, room.waiting)
    deciding.settle(later)
    assert (room.waiting.get(held.id).state, room.waiting.get(held.id).result) == ("done", "2")


def test_a_silent_registry_leaves_it_done_and_sent_later(
    asked: tuple[House, Room, Asked, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What two people agreed to is in the books; nobody can decline it any more, and the registry hears of it later."""
    house, room, held, ids = asked

    def silent(*_: object) -> None:
        raise RegistryError("nobody answers", code="unreachable")

    with monkeypatch.context() as patched:
        patched.setattr(house.desk, "publish", silent)
        with pytest.raises(RegistryError):
            deciding.agree(room, held.id, "mei", deciding.examine(room, held).mark)
    assert room.waiting.get(held.id).state == "done" and house.desk.waiting() == 2
    house.desk.publish(house.now)
    assert house.desk.waiting() == 0 and house.verify(house.desk.get(ids[0]).file).verdict == "revoked"


def test_a_refusing_registry_leaves_it_waiting(
    asked: tuple[House, Room, Asked, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing was done and the request is open: the same yes later does it."""
    house, room, held, ids = asked

    def refuses(*_: object) -> None:
        raise RejectedError("no", code="not-accredited")

    mark = deciding.examine(room, held).mark
    with monkeypatch.context() as patched:
        patched.setattr(house.desk, "publish", refuses)
        with pytest.raises(RejectedError):
            deciding.agree(room, held.id, "mei", mark)
    assert room.waiting.get(held.id).state == "waiting" and {house.desk.get(id_).state for id_ in ids} == {"valid"}
    assert deciding.agree(room, held.id, "mei", mark) == "2"


def test_a_request_that_was_changed_in_its_file_is_refused(asked: tuple[House, Room, Asked, list[str]]) -> None:
    """Whoever can write the file puts no other certificate under somebody's yes."""
    house, room, held, ids = asked
    other = issue(house, 1)[0].id
    mark = deciding.examine(room, held).mark
    body = json.loads(json.dumps(dict(held.body)).replace(ids[0], other))
    connection = sqlite3.connect(house.folder / "waiting.db")
    with connection:
        connection.execute("UPDATE asked SET body = ?", (json.dumps(body, sort_keys=True).encode(),))
    connection.close()
    with pytest.raises(WeidError) as caught:
        deciding.agree(room, held.id, "mei", mark)
    assert caught.value.code == "request-altered" and house.desk.get(other).state == "valid"
    assert room.waiting.get(held.id).state == "waiting"


def test_programs_ask_for_all_of_it(pair: tuple[House, Person, Person]) -> None:
    """202 for many, a correction, a renewal; the key sees what became of it, takes back its own, and nobody else's."""
    house, _, mei = pair
    rows = issue(house, 3)
    two_people(house, "issue", "revoke")
    app = mei.http.application
    program, other = Program(house, app, "clerk"), Program(house, app, "clerk")
    named = {"action": "revoke", "reason": "fraud", "certificates": [rows[0].id]}
    status, found = program("POST", "changes", named)
    assert (status, found["state"], found["count"]) == (200, "nothing-done", 1)
    assert program("POST", "changes", {**named, "count": 2})[1]["code"] == "other-count"
    status, held = program("POST", "changes", {**named, "count": 1}, Idempotency_Key="a")
    assert (status, held["act"], held["state"]) == (202, "change", "waiting")
    assert agree(mei, f"/waiting/{held['waiting']}").status_code == 302
    assert program("GET", f"waiting/{held['waiting']}")[1]["result"] == "1"
    assert house.desk.get(rows[0].id).state == "revoked"
    status, held = program("POST", f"certificates/{rows[1].id}/replace", {"claims": {**rows[1].claims, "level": "1"}})
    assert (status, held["act"]) == (202, "replace")
    assert program("POST", f"certificates/{rows[1].id}/replace", {"claims": {"holderName": "x"}})[0] == 422
    assert other("POST", f"waiting/{held['waiting']}/withdraw", {})[0] == 404
    assert program("POST", f"waiting/{held['waiting']}/withdraw", {})[1]["state"] == "withdrawn"
    assert agree(mei, f"/waiting/{held['waiting']}").status_code == 409
    assert program("POST", f"certificates/{rows[2].id}/renew")[0] == 202
    page = program("GET", "waiting?limit=2")[1]
    assert len(page["items"]) == 2 and len(program("GET", f"waiting?limit=2&cursor={page['next']}")[1]["items"]) == 1
    assert len(program("GET", "waiting")[1]["items"]) == 3 and other("GET", "waiting")[1]["items"] == []


def test_programs_do_it_alone_where_one_is_enough(pair: tuple[House, Person, Person]) -> None:
    """Now, by what fits, or at a minute; a correction and a renewal; what ends soon; how long revocations are held back."""
    house, _, mei = pair
    rows = issue(house, 4)
    app = mei.http.application
    program, boss = Program(house, app, "clerk"), Program(house, app, "admin")
    fits = {"action": "suspend", "reason": "fraud", "fits": {"text": rows[3].claims["certificateNumber"]}}
    assert program("POST", "changes", {**fits, "count": 1})[1] == {"state": "done", "count": 1, "left": 0}
    assert house.desk.get(rows[3].id).state == "suspended"
    at = (house.moment + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:00Z")
    later = {"action": "revoke", "reason": "fraud", "certificates": [rows[0].id], "at": at, "count": 1}
    assert program("POST", "changes", later)[1]["state"] == "planned"
    assert [item["certificate"] for item in program("GET", "changes")[1]["items"]] == [rows[0].id]
    assert program("DELETE", f"changes/{rows[0].id}")[0] == 204 and program("GET", "changes")[1]["items"] == []
    assert program("POST", "changes", {**later, "at": "2001-01-01T00:00:00Z"})[1]["code"] == "bad-time"
    status, new = program("POST", f"certificates/{rows[1].id}/replace", {"claims": {**rows[1].claims, "level": "1"}})
    assert status == 201 and house.desk.get(rows[1].id).reason == "superseded"
    alone = app.extensions["issuer_app"].users.add_key("x", frozenset({"certificates:issue"}), house.now)
    narrow = app.test_client().post(f"/api/v1/certificates/{new['id']}/replace", json={"claims": {}},
                                    headers={"Authorization": f"Bearer {alone}"})  # fmt: skip
    assert narrow.status_code == 403 and "status:write" in narrow.headers["WWW-Authenticate"]
    assert program("POST", f"certificates/{rows[2].id}/renew")[0] == 201
    found = program("GET", "ending?days=3650&limit=2")[1]
    assert len(found["items"]) == 2 and found["next"]
    assert program("PUT", "hold", {"minutes": 5})[0] == 403 and program("GET", "hold")[0] == 403
    assert boss("PUT", "hold", {"minutes": 99_999})[1]["code"] == "bad-hold"
    assert boss("PUT", "hold", {"minutes": 5})[1] == {"minutes": 5} and boss("GET", "hold")[1] == {"minutes": 5}
    named = {"action": "revoke", "reason": "fraud", "certificates": [rows[0].id], "count": 1}
    assert program("POST", "changes", named)[1]["state"] == "planned"


def test_a_request_may_name_very_many(tmp_path: Path) -> None:
    """What a filter finds at most can be asked for, and read again."""
    waiting = Waiting(tmp_path / "waiting.db")
    body: dict[str, JSON] = {"was": {"valid": [f"{number:032x}" for number in range(400_000)]}}
    held = waiting.ask("change", "", body, by="chen", at=0, digest=bytes(32))
    assert len(acts.bound(waiting.get(held.id))) == 400_000
    waiting.close()


def test_nobody_asks_for_what_cannot_be(pair: tuple[House, Person, Person]) -> None:
    """A request names certificates that are there; an act that needs two is known."""
    house, *_ = pair
    with pytest.raises(WeidError):
        acts.body_of_change(house.desk, ["f" * 32], "revoke", "fraud", due=None)
    assert set(acts.ACTS) == set(NEEDS)


def test_two_people_decide_by_command(ours: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Who asks and who agrees show who they are; an account of the machine is nobody, and the trail has the persons."""
    house, run = ours, CliRunner(env={"WEID_PASSPHRASE_FILE": str(tmp_path / "passphrase")})
    for name, text in (("passphrase", PASSPHRASE), ("password", PASSWORD), ("wrong", "nothing like it")):
        (tmp_path / name).write_text(text + "\n")
    place = Premises(tmp_path, house.client, ExitStack())
    monkeypatch.setattr(Premises, "open", lambda folder: replace(place, opened=ExitStack()))
    monkeypatch.setattr(Premises, "desk", lambda *_: house.desk)
    monkeypatch.setattr("issuer_app.cli._now", lambda: house.now)
    (tmp_path / "genesis.json").write_bytes(b"")
    rows = issue(house, 3)

    def say(*words: str, person: str = "", file: str = "password") -> tuple[str, Any]:
        who = ["--person", person, "--password-file", str(tmp_path / file)] if person else []
        result = run.invoke(issuer, [words[0], str(tmp_path), *words[1:], *who], catch_exceptions=False, standalone_mode=False)
        return result.stdout, json.loads(result.stdout.splitlines()[0]) if result.stdout.startswith("{") else None

    def refused(*words: str, **who: str) -> str:
        with pytest.raises(WeidError) as caught:
            say(*words, **who)
        return caught.value.code

    two_people(house, "issue", "revoke")
    (tmp_path / "list.csv").write_text(f"id\n{rows[0].id}\n{rows[1].id}\n")
    change = ("change", "revoke", "--list", str(tmp_path / "list.csv"), "--reason", "fraud", "--yes")
    assert refused(*change) == "second-person"
    assert refused(*change, person="chen", file="wrong") == "wrong-password"
    assert refused(*change, person="lin") == "no-role"
    held = say(*change, person="chen")[1]
    assert held["by"] == "chen" and house.desk.get(rows[0].id).state == "valid"
    house.desk.suspend(rows[1].id, "fraud", house.now)
    shown = say("waiting", held["waiting"], "--list", str(tmp_path / "all.csv"))[1]
    assert (shown["count"], shown["leftOut"]) == (1, [{"id": rows[1].id, "state": "suspended"}])
    assert f"{rows[0].id},yes" in (tmp_path / "all.csv").read_text()
    decide = ("decide", held["waiting"], "agree", "--seen", shown["seen"])
    assert refused(*decide, person="chen") == "own-request"
    assert refused(*decide[:3], person="boss") == "compare-again"
    assert refused("decide", held["waiting"], "withdraw", person="boss") == "own-request"
    assert say(*decide, person="boss")[1]["result"] == "1"
    assert [house.desk.get(row.id).state for row in rows] == ["revoked", "suspended", "valid"]
    (tmp_path / "claims.json").write_text(json.dumps({**rows[2].claims, "level": "1"}))
    for words in (("replace", rows[2].id, str(tmp_path / "claims.json")), ("renew", rows[2].id),
                  ("revoke", rows[2].id, "--reason", "fraud")):  # fmt: skip
        waiting = say(*words, person="chen")[1]["waiting"]
        assert waiting in say("waiting")[0] and say("decide", waiting, "withdraw", person="chen")[1]["state"] == "withdrawn"
    assert refused("hold", "--minutes", "7", person="chen") == "no-role" and say("hold")[0] == "0\n"
    assert say("hold", "--minutes", "7", person="boss")[0] == "7\n"
    trail = rows_of(house)
    assert f"chen change second-person-asked digest={held['digest'][:32]}" in trail
    assert f"boss decide ok asked-by=chen digest={held['digest'][:32]}" in trail
