"""After the issue: corrected, changed with others, at a time, after a key was exposed, and ending soon."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest

from credentials.compact import read_compact
from credentials.replacement import replaced_fingerprint, replaced_kind
from issuer_app import pointers
from issuer_app.importing.tables import read_table
from issuer_app.lifecycle import ending, exposure, many, planned
from issuer_app.lifecycle.replacing import supersede
from registry import operations as ops
from registry.receipt import Receipt
from tests.issuer_app.house import SKILL, House, Person
from tests.issuer_app.test_desk import CLAIMS, issue
from weid.errors import IssueError, RegistryError, RejectedError


def correct(house: House, id_: str, **changed: object) -> object:
    claims = {**house.desk.get(id_).claims, **changed}
    return supersede(house.desk, id_, claims, at=house.now, random=house.world.random, by="chen")


def said(house: House, data: bytes) -> dict[str, object]:
    return dict(house.verify(data).check("status").evidence)


def test_forms_give_back_what_they_were_filled_with(house: House) -> None:
    """A form filled with claims and sent back says the same claims."""
    from issuer_app import forms

    for digest, claims in ((house.skill, CLAIMS),):
        schema = house.desk.schema(digest, house.now)
        form = forms.filled(schema, claims, ZoneInfo("Asia/Shanghai"))
        assert forms.read_form(schema, form, ZoneInfo("Asia/Shanghai")) == (claims, {})


def test_the_old_one_says_which_replaced_it(house: House) -> None:
    """One step: the new one is valid, the old one is revoked as superseded and names the new one, offline."""
    house.accredit()
    old = issue(house)
    new = correct(house, old.id, holderName="王晓明")
    assert house.verify(new.file).verdict == "valid-bearer" and new.claims["holderName"] == "王晓明"
    assert house.verify(old.file).verdict == house.verify(old.compact).verdict == "revoked"
    assert said(house, old.file)["reason"] == "superseded" and said(house, old.file)["replacedBy"] == new.id
    assert (pointers.successor(house.desk.books, old.id), pointers.predecessor(house.desk.books, new.id)) == (new.id, old.id)
    assert correct(house, old.id, holderName="王晓明").id == new.id  # the same again
    with pytest.raises(IssueError) as caught:
        correct(house, old.id, holderName="王大明")
    assert caught.value.code == "already-replaced"
    last = correct(house, new.id, level="2")
    assert said(house, new.file)["replacedBy"] == last.id


def test_nobody_else_says_what_replaced_it(house: House) -> None:
    """A holder may anchor the fingerprint of his own certificate; only the issuer's word about it counts."""
    house.accredit()
    old = issue(house)
    fingerprint = replaced_fingerprint(
        bytes.fromhex(old.id), origin=house.world.genesis.origin, issuer=house.desk.did, hash=read_compact(old.compact).hash
    )
    stranger = house.world.author(house.world.register(house.world.actor()))
    word = ops.evidence_anchor(stranger, fingerprint, replaced_kind(bytes(16))).data
    assert house.world.registry.submit([word])[0].code == "applied"
    correct(house, old.id, level="1")
    assert house.verify(old.file).verdict == "revoked" and "replacedBy" not in said(house, old.file)
    house.desk.publish(house.now)  # and nothing waits for ever


def test_correcting_is_both_or_neither(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """A registry that does not answer leaves both stored and sends them later; one that refuses leaves neither."""
    house.accredit()
    one, two = issue(house, 1), issue(house, 2)
    real = house.client.submit

    def silent(_: bytes) -> object:
        raise RegistryError("no answer", code="unreachable")

    monkeypatch.setattr(house.client, "submit", silent)
    with pytest.raises(RegistryError):
        correct(house, one.id, level="1")
    monkeypatch.setattr(house.client, "submit", real)
    new = correct(house, one.id, level="1")
    assert new.published and said(house, one.file)["replacedBy"] == new.id
    monkeypatch.setattr(house.client, "submit", lambda _: Receipt(9, "not-accredited"))
    with pytest.raises(RejectedError):
        correct(house, two.id, level="1")
    assert house.desk.get(two.id).state == "valid" and pointers.successor(house.desk.books, two.id) is None
    assert [row.state for row in house.desk.find("")].count("valid") == 2


def test_many_are_changed_with_one_publication(house: House) -> None:
    """By filter and by list; what is so already is left alone, and a line that names nothing is named."""
    house.accredit()
    rows = [issue(house, number) for number in range(1, 7)]
    chosen = many.by_filter(house.desk, many.Filter(schema=house.skill, text="王小明"), "suspend")
    assert set(chosen) == {row.id for row in rows}
    assert many.by_filter(house.desk, many.Filter(until=house.now - 1), "suspend") == ()
    before = house.world.registry.size
    assert many.change_many(house.desk, chosen, "suspend", "error-in-data", house.now) == many.Changed(6, 0)
    assert house.world.registry.size - before <= 3  # the list, and the state statements around it
    table = read_table(f"number\n{3:012}\n{rows[3].id}\n{rows[4].id[:12]}\n999\n00000\n".encode())
    listed = many.by_table(house.desk, table)
    assert listed.ids == (rows[2].id, rows[3].id, rows[4].id)
    assert [(line.line, line.code) for line in listed.missing] == [(5, "not-found"), (6, "not-found")]
    bare = many.by_table(house.desk, read_table(f"{rows[0].id}\n{rows[1].id}\n".encode()))
    assert bare.ids == (rows[0].id, rows[1].id)  # a list without a header
    assert many.change_many(house.desk, listed.ids, "revoke", "fraud", house.now).changed == 3
    assert many.change_many(house.desk, listed.ids, "revoke", "fraud", house.now) == many.Changed(0, 3)
    assert many.change_many(house.desk, [row.id for row in rows], "lift", None, house.now) == many.Changed(3, 3)
    assert [house.verify(row.file).verdict for row in rows].count("revoked") == 3
    with pytest.raises(IssueError):
        many.change_many(house.desk, chosen, "revoke", "because", house.now)


def test_more_than_one_operation_holds(house: House) -> None:
    """A change of several thousand goes out in several operations of one publication."""
    house.accredit()
    row = issue(house)
    with house.desk.books.change() as db:
        kept = dict(house.desk.books.row("SELECT * FROM issued WHERE id = ?", row.id) or {})
        for number in range(3_100):
            slot = next(n for n in range(number, 200_000) if n != row.index and n >= number) + (number > (row.index or 0))
            made = {**kept, "seq": None, "id": f"{number:032x}", "slot": slot, "request": None, "mark": None}
            db.table("issued").insert(made)
    ids = many.by_filter(house.desk, many.Filter(), "revoke")
    assert many.change_many(house.desk, ids, "revoke", "status-changed", house.now).changed == 3_101
    assert house.verify(row.file).verdict == "revoked" and house.desk.waiting() == 0


def test_planned_changes_wait_and_can_be_taken_back(house: House) -> None:
    """Until its minute a change is nowhere but here; then it is done once."""
    house.accredit()
    one, two = issue(house, 1), issue(house, 2)
    due = house.now + 30
    assert planned.plan(house.desk, [one.id, two.id], "revoke", "fraud", due=due, at=house.now, by="chen") == 2
    assert planned.run_due(house.desk, house.now) == 0 and house.verify(one.file).verdict == "valid-bearer"
    assert planned.take_back(house.desk, [two.id]) == 1 and planned.of(house.desk, two.id) is None
    assert [(row.id, row.due, row.by) for row in planned.planned(house.desk)] == [(one.id, due, "chen")]
    house.world.tick(31)
    assert planned.run_due(house.desk, house.now) == 1 and planned.run_due(house.desk, house.now) == 0
    assert house.verify(one.file).verdict == "revoked" and house.verify(two.file).verdict == "valid-bearer"
    assert planned.held_minutes(house.desk) == 0
    planned.hold(house.desk, 15)
    assert planned.held_minutes(house.desk) == 15
    for wrong in (-1, planned.MOST_HELD + 1):
        with pytest.raises(IssueError):
            planned.hold(house.desk, wrong)


def test_after_a_key_was_exposed(house: House) -> None:
    """What is proven from before T stands; the later ones fall, and the same values are issued anew."""
    house.accredit()
    early = issue(house, 1)
    house.verify(early.file)  # a commit, so that the register is known to be from before
    house.world.tick(60)
    since = house.now
    house.world.tick(1)
    late = issue(house, 2)
    found = exposure.exposed(house.desk, since)
    assert (found.before, found.after) == (1, (late.id,))
    exposure.declare(house.desk, found.number, since, house.now)
    assert house.verify(early.file).verdict == "valid-bearer"
    assert house.verify(late.file).verdict not in ("valid", "valid-bearer")
    assert exposure.reissue(house.desk, found.after, at=house.now, random=house.world.random, by="chen") == (1, ())
    new = pointers.successor(house.desk.books, late.id)
    assert new is not None and house.verify(house.desk.get(new).file).verdict == "valid-bearer"
    assert exposure.reissue(house.desk, found.after, at=house.now, random=house.world.random, by="chen") == (0, ())


def test_what_ends_soon(house: House) -> None:
    """In good standing and ending within the days; a spreadsheet takes no cell for a formula."""
    house.accredit()
    soon = issue(house, 1, minutes=1_440 * 5)
    issue(house, 2)
    house.desk.revoke(issue(house, 3, minutes=1_440).id, "fraud", house.now)
    rows = ending.ending(house.desk, 30, house.now)
    assert [row.id for row in rows] == [soon.id]
    schema = house.desk.schema(house.skill, house.now)
    odd = house.desk.issue(house.skill, {**CLAIMS, "skill": "=1+1"}, minutes=60, at=house.now, random=house.world.random)
    assert "'=1+1" in ending.as_csv([odd], schema) and ",=1+1" not in ending.as_csv([odd], schema)


# --- the pages ----------------------------------------------------------------------------------


def test_a_clerk_corrects_a_name(house: House) -> None:
    """The form comes filled; unchanged it is refused; the old page says what replaced it, the new one what it replaced."""
    house.accredit()
    old = issue(house)
    clerk = Person(house.app(), "chen")
    path = f"/later/replace/{old.id}"
    shown = clerk.get(path).text
    assert 'value="王小明"' in shown and 'value="2026-11-20"' in shown
    form = {**SKILL, "claim-certificateNumber": f"{1:012}", "claim-skill": CLAIMS["skill"], "claim-grade": ""}
    assert clerk.post(path, form).status_code == 422
    wrong = clerk.post(path, {**form, "claim-holderName": ""})
    assert wrong.status_code == 422 and "claim-holderName" in wrong.text
    answer = clerk.post(path, {**form, "claim-holderName": "王晓明"})
    new = answer.headers["Location"].rpartition("/")[2]
    assert old.id in clerk.follow(answer).text and new in clerk.get(f"/desk/certificates/{old.id}").text
    assert clerk.post(path, {**form, "claim-holderName": "王大明"}).status_code == 422
    assert Person(house.app(), "lin").get(path).status_code == 403


def test_many_at_once_by_the_pages(house: House) -> None:
    """Nothing happens before the number is typed; a list's unknown lines are named; somebody else's choice is nobody's."""
    house.accredit()
    rows = [issue(house, number) for number in range(1, 4)]
    app = house.app()
    clerk = Person(app, "chen")
    asked = clerk.post("/later/many", {"action": "revoke", "list": (BytesIO(f"{rows[0].id}\nnobody\n".encode()), "list.csv")})
    assert asked.status_code == 200 and "nobody" in asked.text and house.desk.get(rows[0].id).state == "valid"
    action = re.findall(r'action="(/later/many/[^"]+)"', asked.text)[0]
    for wrong in ({"count": "1"}, {"reason": "fraud"}, {"reason": "fraud", "count": "2"},
                  {"reason": "fraud", "count": "1", "due": "soon"}):  # fmt: skip
        assert clerk.post(action, wrong, page="/later/many").status_code == 422
    assert Person(app, "boss").post(action, {"reason": "fraud", "count": "1"}, page="/people").status_code == 403
    assert clerk.post(action, {"reason": "fraud", "count": "1"}, page="/later/many").status_code == 302
    assert house.desk.get(rows[0].id).state == "revoked"
    assert clerk.post(action, {"reason": "fraud", "count": "1"}, page="/later/many").status_code == 404  # once
    for wrong in ({}, {"action": "erase"}, {"action": "revoke", "since": "x"}, {"action": "lift"},
                  {"action": "revoke", "list": (BytesIO(b"%PDF"), "x.csv")}):  # fmt: skip
        assert clerk.post("/later/many", wrong).status_code == 422
    fits = clerk.post("/later/many", {"action": "suspend", "text": "王小明", "kind": house.skill.hex(), "since": "2020-01-01"})
    action = re.findall(r'action="(/later/many/[^"]+)"', fits.text)[0]
    later = (house.moment + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    assert clerk.post(action, {"reason": "fraud", "count": "2", "due": later}, page="/later/many").status_code == 302
    assert later[:10] in clerk.get("/later/waiting").text and house.desk.get(rows[1].id).state == "valid"
    assert clerk.post(f"/later/waiting/take-back/{rows[2].id}", {}, page="/later/waiting").status_code == 302
    house.world.tick(121)
    clerk = Person(app, "chen")
    clerk.post("/desk/publish", {}, page="/later/waiting")
    assert [house.desk.get(row.id).state for row in rows] == ["revoked", "suspended", "valid"]


def test_a_revocation_can_be_taken_back_while_it_is_held(house: House) -> None:
    """With a time to change one's mind, revoking only plans."""
    house.accredit()
    row, app = issue(house), house.app()
    clerk, boss = Person(app, "chen"), Person(app, "boss")
    assert clerk.get("/later/hold").status_code == 403
    assert clerk.post("/later/hold", {"minutes": "0"}, page="/account/").status_code == 403  # how long is not a clerk's to say
    assert boss.post("/later/hold", {"minutes": "many"}).status_code == 422
    assert boss.post("/later/hold", {"minutes": "20"}).status_code == 302
    assert "20 minutes" in clerk.get("/later/waiting").text
    act = clerk.post(f"/desk/certificates/{row.id}/revoke", {"reason": "fraud"})
    assert f"/later/waiting/take-back/{row.id}" in clerk.follow(act).text and house.desk.get(row.id).state == "valid"
    clerk.post(f"/later/waiting/take-back/{row.id}", {}, page=f"/desk/certificates/{row.id}")
    house.world.tick(30)
    assert planned.run_due(house.desk, house.now) == 0


def test_renewal_and_an_exposed_key_by_the_pages(house: House) -> None:
    """What ends soon can be renewed once; an exposed key is declared with the number typed."""
    house.accredit()
    row = issue(house, minutes=1_440)
    app = house.app()
    clerk = Person(app, "chen")
    assert row.id in clerk.get("/later/ending?days=60").text and "ending-60" in clerk.get(
        f"/later/ending.csv?days=60&kind={house.skill.hex()}").headers["Content-Disposition"]  # fmt: skip
    first = clerk.post(f"/later/renew/{row.id}", {})
    assert clerk.post(f"/later/renew/{row.id}", {}).headers["Location"] == first.headers["Location"]
    since = (house.moment - timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M")
    assert clerk.post("/later/key", {"since": "2999-01-01T00:00"}).status_code == 422
    assert clerk.post("/later/key", {"since": since}).status_code == 200
    assert clerk.post("/later/key", {"since": since, "count": "1", "sure": "yes"}).status_code == 422
    assert clerk.post("/later/key", {"since": since, "count": "2", "sure": "yes"}).status_code == 302
    assert pointers.successor(house.desk.books, row.id) is not None


def test_what_takes_two_is_not_done_by_correcting(house: House) -> None:
    """Where a second person must agree to revoke or to issue, one alone cannot correct, change many or plan it."""
    house.accredit()
    row = issue(house)
    for act in ("issue", "revoke"):
        house.desk.terms = replace(house.desk.terms, two_people=frozenset({act}))
        with pytest.raises(IssueError) as caught:
            correct(house, row.id, level="1")
        assert caught.value.code == "second-person" and house.desk.get(row.id).state == "valid"
    for attempt in (
        lambda: many.change_many(house.desk, [row.id], "revoke", "fraud", house.now),
        lambda: planned.plan(house.desk, [row.id], "revoke", "fraud", due=house.now, at=house.now, by="chen"),
    ):
        with pytest.raises(IssueError) as caught:
            attempt()
        assert caught.value.code == "second-person"
    assert planned.run_due(house.desk, house.now) == 0 and house.desk.get(row.id).state == "valid"
    left = exposure.reissue(house.desk, (row.id,), at=house.now, random=house.world.random, by="chen")
    assert left == (0, (row.id,)) and pointers.successor(house.desk.books, row.id) is None
