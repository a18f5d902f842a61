"""Webhooks: one event for each act that happened, signed, at least once, to nowhere that was not meant."""

from __future__ import annotations

import json
import re
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from issuer_app.importing.job import Importer
from issuer_app.lifecycle.many import change_many
from issuer_app.lifecycle.replacing import supersede
from issuer_app.terms import Terms
from issuer_app.two_people import Waiting
from issuer_app.webhooks import outbox
from issuer_app.webhooks.courier import Courier, delivering
from issuer_app.webhooks.endpoints import KEPT, TEST
from issuer_app.webhooks.hooks import Hooks
from issuer_app.webhooks.outbox import EVENTS
from registry.genesis import print_genesis
from registry.node.service import create_node
from tests.browser import serving
from tests.issuer_app.house import House
from tests.issuer_app.sheets import csv_of, person
from tests.issuer_app.test_api import CLAIMS
from weid.codec import rfc3339
from weid.errors import KeyMaterialError, MalformedError, RegistryError, RejectedError, WeidError

DOC = Path(__file__).parents[2] / "docs" / "howto" / "webhooks.md"
URL = "https://hooks.example.org/in"
DAY = 86_400


@dataclass
class Ear:
    """Hears what is sent, and answers what it is told to."""

    heard: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answer: str = "http-204"
    refuses: str = ""  # events whose name begins so

    def __call__(self, url: str, head: Any, body: bytes) -> str:
        self.heard.append((url, dict(head), body))
        if self.refuses and json.loads(body)["type"].startswith(self.refuses):
            return "http-500"
        return self.answer

    def told(self) -> list[tuple[str, dict[str, Any]]]:
        """(event, data) of all that was heard, none of it twice."""
        assert len({head["webhook-id"] for _, head, _ in self.heard}) == len(self.heard)
        return [(held["type"], held["data"]) for held in (json.loads(body) for _, _, body in self.heard)]


class Told:
    """A desk with one webhook for everything, and a clock of its own."""

    def __init__(self, house: House) -> None:
        self.house, self.ear, self.now = house, Ear(), house.now * 60
        house.desk.terms = Terms()
        self.hooks = Hooks.open(house.desk, house.folder / "app")
        self.one, self.secret = self.hooks.add(URL, "records", EVENTS, at=self.now, random=house.world.random)
        self.off: list[tuple[str, str]] = []
        self.courier: Courier = self.hooks.courier(
            clock=lambda: self.now, random=house.world.random, send=self.ear, noted=lambda id_, why: self.off.append((id_, why))
        )

    def issued(self) -> str:
        """A certificate more."""
        return self.house.desk.issue(self.house.skill, CLAIMS, at=self.house.now, random=self.house.world.random).id

    def names(self) -> list[str]:
        """What a round tells of certificates, imports and requests, by name."""
        self.ear.heard.clear()
        self.courier.round()
        return [name for name, _ in self.ear.told() if name != "list.published"]


@pytest.fixture
def told(house: House) -> Iterator[Told]:
    house.accredit()
    made = Told(house)
    yield made
    made.hooks.close()


# -- what is told -----------------------------------------------------------------------------------------------------


def test_each_act_is_told_with_ids_and_states_alone(told: Told) -> None:
    """Issue, suspend, lift, replace, erase; no value of a certificate in any form it might have in JSON."""
    desk, now = told.house.desk, told.house.now
    id_ = told.issued()
    desk.suspend(id_, "fraud", now)
    desk.lift(id_, now)
    new = supersede(desk, id_, {**CLAIMS, "skill": "焊接"}, at=now, random=told.house.world.random, by="chen")
    desk.erase(new.id)
    told.courier.round()
    found = [item for item in told.ear.told() if item[0] != "list.published"]
    assert [name for name, _ in found[:3]] == ["certificate.issued", "certificate.suspended", "certificate.restored"]
    rest = sorted(name.partition(".")[2] for name, _ in found[3:])
    assert rest == ["erased", "issued", "replaced", "revoked"]
    held, schema = dict(found), told.house.skill.hex()
    assert held["certificate.suspended"] == {
        "id": id_, "schema": schema, "state": "suspended", "reason": "fraud", "changed": rfc3339(now)
    }  # fmt: skip
    assert held["certificate.replaced"] == {"id": id_, "by": new.id}
    assert held["certificate.revoked"]["id"] == id_ and held["certificate.erased"] == {"id": new.id, "schema": schema}
    assert dict(told.ear.told())["list.published"]["id"].startswith(f"{desk.did}/status/")
    sent = b"".join(body for _, _, body in told.ear.heard)
    for value in (*CLAIMS.values(), "焊接"):
        assert value.encode() not in sent and json.dumps(value).encode() not in sent
    assert told.names() == []  # and nothing twice


def test_what_the_registry_refused_is_not_told(told: Told) -> None:
    """An institution that was suspended revokes: refused, so there is nothing to tell. A silent registry: told when it speaks."""
    id_, desk, now = told.issued(), told.house.desk, told.house.now
    assert told.names() == ["certificate.issued"]
    told.house.office.suspend_issuer(desk.did, "fraud")
    with pytest.raises(RejectedError):
        desk.revoke(id_, "fraud", now)
    with pytest.raises(RejectedError):
        change_many(desk, [id_], "revoke", "fraud", now)
    assert told.names() == []
    told.house.office.reinstate(desk.did)
    submit = desk.client.submit

    def silent(data: bytes) -> Any:
        raise RegistryError("no answer", code="unreachable")

    desk.client.submit = silent  # type: ignore[method-assign]
    with pytest.raises(RegistryError):
        desk.revoke(id_, "fraud", now)
    assert told.names() == []
    desk.client.submit = submit  # type: ignore[method-assign]
    desk.publish(now)
    assert told.names() == ["certificate.revoked"]


def test_an_import_is_told_row_by_row_and_as_a_whole(told: Told) -> None:
    """Checked, every certificate once all of them are published, finished; a cancelled one tells of no certificate."""
    work = Importer(told.house.desk, clock=lambda: told.house.now, random=secrets.token_bytes, zone=UTC)
    for last in ("start", "cancel"):
        job = work.upload(csv_of([person(1), person(2), person(3, 颁发日期="soon")]), f"{last}.csv", told.house.skill, by="chen")
        work.check(job.id, job.mapped.columns, job.mapped.key, job.mapped.kind, wait=True)
        if last == "start":
            work.start(job.id, wait=True)
            assert told.names() == ["import.checked", "certificate.issued", "certificate.issued", "import.finished"]
            assert dict(told.ear.told())["import.finished"] == {
                "id": job.id, "schema": told.house.skill.hex(), "state": "done", "counts": {"good": 2, "wrong": 1, "before": 0},
            }  # fmt: skip
        else:
            work.cancel(job.id)
            assert told.names() == ["import.checked", "import.finished"]
            assert dict(told.ear.told())["import.finished"]["state"] == "cancelled"


def test_requests_for_a_second_person_are_told(told: Told) -> None:
    """That one waits, and what became of it; never what it holds."""
    waiting = Waiting(told.house.folder / "app" / "waiting.db")
    asked = [
        waiting.ask("issue", "aa", {"claims": {"name": f"王小明{place}"}}, by="chen", at=told.house.now, digest=bytes([place]))
        for place in range(2)
    ]
    waiting.claim(asked[0].id, "yan", told.house.now)
    waiting.done(asked[0].id, "c" * 32)
    waiting.decline(asked[1].id, "yan", told.house.now)
    waiting.close()
    assert told.names() == ["request.waiting", "request.waiting", "request.decided", "request.decided"]
    assert [data for _, data in told.ear.told()][2:] == [
        {"id": asked[0].id, "act": "issue", "state": "done", "result": "c" * 32},
        {"id": asked[1].id, "act": "issue", "state": "declined"},
    ]
    assert "王小明".encode() not in b"".join(body for _, _, body in told.ear.heard)


def test_act_and_event_are_one_transaction(told: Told) -> None:
    """What is rolled back tells nothing; a courier cut short between the two files tells once."""
    id_, books = told.issued(), told.house.desk.books
    told.names()

    def cut_short() -> None:
        with books.change() as db:
            db.execute("UPDATE issued SET told = 'revoked|fraud|7' WHERE id = ?", (id_,))
            assert outbox.waiting(books, 9)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cut_short()
    assert told.names() == []
    told.house.desk.suspend(id_, "fraud", told.house.now)
    held = outbox.waiting(books, 9)
    for event in held:
        told.hooks.endpoints.put(event, told.house.desk.did, told.now)  # and then the power fails
    assert told.names() == ["certificate.suspended"]
    assert outbox.waiting(books, 9) == ()


def test_without_webhooks_nothing_is_written_down(house: House) -> None:
    """No table, no trigger; none any more when the last address is gone."""
    house.accredit()
    made = Told(house)
    watched = "SELECT count(*) AS n FROM sqlite_master WHERE name LIKE 'event%'"
    assert house.desk.books.row(watched) != {"n": 0}
    made.issued()
    made.hooks.remove(made.one.id)
    assert house.desk.books.row(watched) == {"n": 0}
    made.issued()
    assert made.courier.round() == 0
    made.hooks.close()


# -- signatures -------------------------------------------------------------------------------------------------------


def receiver() -> Any:
    """The function that the how-to prints."""
    found: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", DOC.read_text("utf-8"), re.DOTALL)[0], found)
    return found["genuine"]


def test_a_receiver_checks_with_the_lines_of_the_how_to(told: Told) -> None:
    """The right secret only, every byte of the body, the id, the time; an old copy is refused."""
    genuine = receiver()
    told.issued()
    told.courier.round()
    _, head, body = told.ear.heard[0]
    assert genuine(told.secret, head, body, told.now)
    other = told.hooks.add(URL, "other", EVENTS, at=told.now, random=told.house.world.random)[1]
    assert other != told.secret and not genuine(other, head, body, told.now)
    assert not genuine(told.secret, head, body.replace(b"valid", b"vali_"), told.now)
    assert not genuine(told.secret, head, body + b" ", told.now)
    assert not genuine(told.secret, {**head, "webhook-id": "evt_" + "0" * 32}, body, told.now)
    assert not genuine(told.secret, {**head, "webhook-timestamp": str(told.now + 1)}, body, told.now)
    for late in (-301, 301):
        assert not genuine(told.secret, head, body, told.now + late)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example that the specification prints, so that its libraries agree."""
    import base64

    from issuer_app.webhooks.signing import headers

    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    head = headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', [secret])
    assert head["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_two_secrets_are_good_while_one_is_changed(told: Told) -> None:
    """Both for a day, or until the old one is ended; then the new one alone."""
    genuine, id_ = receiver(), told.one.id
    new = told.hooks.endpoints.rotate(id_, at=told.now, random=told.house.world.random)

    def good() -> list[bool]:
        told.ear.heard.clear()
        told.hooks.endpoints.test(id_, "did:x", at=told.now, random=told.house.world.random)
        told.courier.round()
        _, head, body = told.ear.heard[0]
        return [genuine(secret, head, body, told.now) for secret in (told.secret, new)]

    assert good() == [True, True]
    told.now += DAY
    assert good() == [False, True]
    newest = told.hooks.endpoints.rotate(id_, at=told.now, random=told.house.world.random)
    told.hooks.endpoints.settle(id_)
    assert good() == [False, False] and newest not in (new, told.secret)


def test_secrets_are_sealed_where_they_lie(told: Told) -> None:
    """No bytes of one in any file of the folder; a row moved to another address opens nothing; no key, no secret."""
    import base64

    bare = base64.b64decode(told.secret.removeprefix("whsec_"))
    data = b"".join(path.read_bytes() for path in told.house.folder.rglob("*") if path.is_file())
    for form in (told.secret.encode(), bare, bare.hex().encode(), base64.urlsafe_b64encode(bare).rstrip(b"=")):
        assert form not in data
    other = told.hooks.add(URL, "other", EVENTS, at=told.now, random=told.house.world.random)[0]
    file = told.house.desk.party.folder / "webhooks.db"
    thief = sqlite3.connect(file, isolation_level=None)
    thief.execute("UPDATE endpoints SET secret = (SELECT secret FROM endpoints WHERE id = ?)", (other.id,))
    thief.close()
    with pytest.raises(KeyMaterialError):
        told.hooks.endpoints.secrets(told.one.id, told.now)


# -- when nobody answers ----------------------------------------------------------------------------------------------


def test_an_attempt_that_fails_is_made_again_later_and_later(told: Told) -> None:
    """Doubling from half a minute, an hour between rounds at most; what waits goes out when somebody answers."""
    told.issued()
    told.ear.answer = "no-answer"
    pauses = []
    for _ in range(12):
        told.ear.heard.clear()
        assert told.courier.round() == 1  # one attempt, not one for each event
        held = told.hooks.endpoints.get(told.one.id)
        pauses.append(held.pause - told.now)
        assert told.courier.round() == 0
        told.now = held.pause
    assert 30 <= pauses[0] < 40
    assert all(1.5 <= later / before <= 2.6 for before, later in pairwise(pauses[:6]))
    assert 3_600 <= max(pauses) <= 4_500
    told.ear.answer = "http-200"
    told.now += 7 * 3_600
    assert "certificate.issued" in told.names()
    assert told.hooks.endpoints.get(told.one.id).fails == 0


def test_one_event_that_is_refused_does_not_hold_up_the_others(told: Told) -> None:
    """The receiver has a fault with one kind; the rest arrives."""
    told.ear.refuses = "list."
    told.issued()
    told.issued()
    for _ in range(8):
        told.courier.round()
        told.now += 400
    heard = {json.loads(body)["type"] for _, _, body in told.ear.heard}
    waiting = [held for held in told.hooks.endpoints.deliveries(told.one.id, limit=99) if held.state == "waiting"]
    assert "certificate.issued" in heard and {held.kind for held in waiting} == {"list.published"}


def test_an_address_that_fails_for_a_week_is_switched_off_and_loses_nothing(told: Told) -> None:
    """Off with its reason, in the trail; what happens meanwhile is kept, and goes out when it is on again."""
    told.ear.answer = "no-answer"
    told.issued()
    end = told.now + 9 * DAY
    while told.now < end and told.hooks.endpoints.get(told.one.id).state == "on":
        told.courier.round()
        told.now += 6 * 3_600
    held = told.hooks.endpoints.get(told.one.id)
    assert (held.state, held.why, told.off) == ("off", "failing", [(told.one.id, "failing")])
    told.issued()
    assert told.names() == []  # fetched and kept, not sent
    told.ear.answer = "http-200"
    told.hooks.endpoints.switch(told.one.id, on=True)
    told.now += 6 * 3_600
    assert told.names().count("certificate.issued") == 2


def test_what_a_person_switched_off_hears_nothing_of_meanwhile(told: Told) -> None:
    """And no test either; 410 is the receiver's own wish to be let alone."""
    told.hooks.endpoints.switch(told.one.id, on=False)
    told.issued()
    assert told.names() == []
    with pytest.raises(WeidError) as caught:
        told.hooks.endpoints.test(told.one.id, "did:x", at=told.now, random=told.house.world.random)
    assert caught.value.code == "hook-off"
    told.hooks.endpoints.switch(told.one.id, on=True)
    assert told.names() == []
    told.ear.answer = "http-410"
    told.issued()
    told.courier.round()
    assert told.off == [(told.one.id, "gone")] and told.hooks.endpoints.get(told.one.id).why == "gone"


def test_after_thirty_days_an_event_is_given_up_and_later_forgotten(told: Told) -> None:
    """So the file has an end, however long nobody answers."""
    told.ear.answer = "no-name"
    told.hooks.endpoints.test(told.one.id, "did:x", at=told.now, random=told.house.world.random)
    told.courier.round()
    told.now += KEPT + 1
    told.courier.round()
    assert told.hooks.endpoints.counts(told.one.id) == {"lost": 1}
    told.now += KEPT + 1
    told.courier.round()
    assert told.hooks.endpoints.counts(told.one.id) == {}


def test_one_process_tells_at_a_time(told: Told) -> None:
    """A command beside the running desk leaves the round to it."""
    import fcntl

    told.issued()
    with (told.house.desk.party.folder / "webhooks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert told.courier.round() == 0
    assert told.names() == ["certificate.issued"]


def test_the_thread_tells_by_itself_and_ends(told: Told) -> None:
    """What `weid issuer serve` starts."""
    told.hooks.endpoints.test(told.one.id, "did:x", at=told.now, random=told.house.world.random)
    with delivering(told.courier, every=0.01):
        for _ in range(500):
            if told.ear.heard:
                break
            told.courier.stop.wait(0.01)
    assert [name for name, _ in told.ear.told()] == [TEST]


@pytest.mark.parametrize(("url", "label", "events", "code"), [
    ("http://hooks.example.org", "a", EVENTS, "bad-hook-url"), ("https://user@hooks.example.org", "a", EVENTS, "bad-hook-url"),
    ("https://hooks.example.org/#x", "a", EVENTS, "bad-hook-url"), ("https://", "a", EVENTS, "bad-hook-url"),
    ("https://hooks.example.org:0/", "a", EVENTS, "bad-hook-url"), ("https://[::1", "a", EVENTS, "bad-hook-url"),
    ("https://a/ b", "a", EVENTS, "bad-hook-url"), ("https://exämple.org/", "a", EVENTS, "bad-hook-url"),
    ("ftp://hooks.example.org", "a", EVENTS, "bad-hook-url"), ("https://a/" + "x" * 600, "a", EVENTS, "bad-hook-url"),
    (URL, "", EVENTS, "bad-hook-label"), (URL, "x\n", EVENTS, "bad-hook-label"), (URL, "a", (), "bad-events"),
    (URL, "a", ("certificate.issued", "x"), "bad-events"),
])  # fmt: skip
def test_what_cannot_be_a_webhook_is_refused(told: Told, url: str, label: str, events: Any, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        told.hooks.add(url, label, events, at=told.now, random=told.house.world.random)
    assert caught.value.code == code


# -- killed processes -------------------------------------------------------------------------------------------------

_KILLED = """
import os, secrets, signal, sys
from pathlib import Path
from issuer_app.desk import Desk
from issuer_app.ledger import Ledger
from issuer_app.webhooks.hooks import Hooks
from registry.genesis import parse_genesis
from registry.node.client import RegistryClient

folder, genesis, node, now, schema, point = sys.argv[1:]
client = RegistryClient.http(parse_genesis(Path(genesis).read_bytes()), node)
desk = Desk.open(Path(folder), client=client, passphrase="for tests only")
hooks = Hooks.open(desk, Path(folder).parent / "app")
end = lambda *args, **more: os.kill(os.getpid(), signal.SIGKILL)
sent = Ledger.sent
if point == "inside":
    def inside(self, outgoing):
        with self.store.change():
            sent(self, outgoing)
            end()
    Ledger.sent = inside
elif point == "after":
    Ledger.sent = lambda self, outgoing: end(sent(self, outgoing))
claims = {"holderName": "Ana", "certificateNumber": "202611230009", "skill": "x", "awardDate": "2026-11-20"}
desk.issue(bytes.fromhex(schema), claims, at=int(now), random=secrets.token_bytes)
hooks.courier(clock=lambda: int(now) * 60, random=secrets.token_bytes, send=end).round()
"""


@pytest.mark.long
@pytest.mark.parametrize("point", ["inside", "after", "courier"])
def test_a_kill_loses_neither_act_nor_event(house: House, tmp_path: Path, point: str) -> None:
    """Killed in the transaction of the registry's acceptance, right behind it, and while an event is being sent."""
    house.accredit()
    genesis = tmp_path / "genesis.json"
    genesis.write_bytes(print_genesis(house.world.genesis))
    made = Told(house)
    with serving(create_node(house.world.registry)) as node:
        words = [str(house.desk.party.folder), str(genesis), node, str(house.now), house.skill.hex(), point]
        killed = subprocess.run([sys.executable, "-c", _KILLED, *words], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr.decode()
    (row,) = house.desk.find("")
    if point == "inside":
        assert made.names() == [] and not row.published  # the registry has it, this desk does not know yet
        house.desk.publish(house.now)
    assert made.names() == ["certificate.issued"]
    assert dict(made.ear.told())["certificate.issued"]["id"] == row.id
    assert made.names() == []
    made.hooks.close()
