"""Webhooks as administrators, programs and commands meet them."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from issuer_app.app import create_app
from issuer_app.cli import issuer
from issuer_app.openapi import document
from issuer_app.premises import Premises
from issuer_app.webhooks.endpoints import TEST
from issuer_app.webhooks.hooks import Hooks
from issuer_app.webhooks.outbox import EVENTS
from issuer_app.webhooks.running import courier, hooks
from registry.genesis import print_genesis
from registry.node.service import create_node
from tests.browser import serving
from tests.issuer_app.access.conftest import signed_in
from tests.issuer_app.house import PACKS, House
from tests.issuer_app.test_api import CLAIMS, Program, _check
from tests.issuer_app.test_webhook_reach import Ear as Heard
from tests.issuer_app.test_webhook_reach import listening
from tests.issuer_app.test_webhooks import URL, Ear, Told, receiver
from tests.registry.world import YEAR
from weid.codec import parse_rfc3339
from weid.pack import LANGUAGES

KEPT = re.compile(r"whsec_[A-Za-z0-9+/=]+")


@pytest.fixture
def app(house: House) -> Iterator[Any]:
    house.accredit()
    made = create_app(house.config(form="1000 per minute", api="1000 per minute"))
    yield made
    held = made.extensions.get("webhooks")
    if held is not None:
        held.close()


def told(app: Any, ear: Ear) -> None:
    """One round, heard by `ear` instead of the world."""
    with app.app_context():
        held: Hooks = hooks()
        conf = app.extensions["issuer_app"].config
    held.courier(clock=lambda: int(conf.clock().timestamp()), random=conf.random, send=ear).round()


def test_an_administrator_sets_up_tests_and_removes_a_webhook(house: House, app: Any) -> None:
    """The secret is on one page and never again; deliveries and their outcome; a row in the trail for each act."""
    boss = signed_in(app, "boss")
    assert "/webhooks/" in boss.get("/people").text
    wrong = boss.post("/webhooks/", {"url": "http://in.example", "label": "x", "event": EVENTS[0]})
    assert wrong.status_code == 400 and "https address" in wrong.text and 'value="http://in.example"' in wrong.text
    made = boss.post("/webhooks/", {"url": URL, "label": "records", "event": ["certificate.issued"]})
    secret = html.unescape(KEPT.findall(made.text)[0])
    id_ = app.extensions["webhooks"].endpoints.all()[0].id
    page = f"/webhooks/{id_}"
    assert not KEPT.findall(boss.get(page).text + boss.get("/webhooks/").text)
    boss.post(f"{page}/test", {}, page=page)
    assert "Waits to be sent" in boss.get(page).text
    ear = Ear(answer="http-503")
    told(app, ear)
    assert "it answered 503" in boss.get(page).text and "Nothing has got through since" in boss.get(page).text
    assert receiver()(secret, ear.heard[0][1], ear.heard[0][2], house.now * 60)
    boss.post(f"{page}/events", {"event": ["certificate.revoked", "import.finished"]}, page=page)
    assert boss.post(f"{page}/events", {}, page=page).status_code == 400
    new = boss.post(f"{page}/secret", {}, page=page)
    assert html.unescape(KEPT.findall(new.text)[0]) != secret and "The old secret signs until" in new.text
    for action, words in (("settle", "signs no more"), ("off", "Switched off by an administrator"), ("on", "switched on")):
        boss.post(f"{page}/{action}", {}, page=page)
        assert words in boss.get(page).text
    assert boss.get(boss.post(f"{page}/remove", {}, page=page).headers["Location"]).text.count(URL) == 0
    assert boss.get(page).status_code == 404
    acts = {row.act for row in app.extensions["issuer_app"].access.trail.rows(target=id_)}
    assert acts == {
        f"hooks.{act}" for act in ("add", "choose", "rotate", "act-test", "act-settle", "act-off", "act-on", "act-remove")
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_speak(house: House, app: Any, language: str) -> None:
    """Everything a page can say of a webhook, in the viewer's language and never as a code."""
    boss = signed_in(app, "boss")
    boss.language = language
    boss.post("/webhooks/", {"url": URL, "label": "-", "event": list(EVENTS)})
    held = app.extensions["webhooks"].endpoints
    id_ = held.all()[0].id
    seen = ""
    for outcome in ("no-name", "refused-address", "bad-tls", "no-answer", "http-302", "http-204"):
        held.test(id_, "did:x", at=house.now * 60, random=house.world.random)
        held.store._database.execute("UPDATE endpoints SET pause = 0")
        told(app, Ear(answer=outcome))
        seen += boss.get(f"/webhooks/{id_}").text
    for why in ("failing", "gone", "by-hand"):
        held.switch(id_, on=False, why=why)
        seen += boss.get(f"/webhooks/{id_}").text + boss.get("/webhooks/").text
    bare = re.sub(r"<code>.*?</code>|<[^>]*>", " ", seen)
    for code in ("no-name", "refused-address", "bad-tls", "no-answer", "http-", "failing", "by-hand", TEST):
        assert code not in bare, code


def test_nobody_else_opens_them(house: House, app: Any) -> None:
    """Clerk, reviewer and auditor not; without a session the sign-in; without the form's token nothing."""
    for name in ("chen", "lin", "ho"):
        assert signed_in(app, name).get("/webhooks/").status_code == 403
    assert app.test_client().get("/webhooks/").status_code == 302
    boss = signed_in(app, "boss")
    assert boss.http.post("/webhooks/", data={"url": URL, "label": "x", "event": EVENTS[0]}).status_code == 400
    assert app.extensions.get("webhooks") is None or app.extensions["webhooks"].endpoints.all() == ()


def test_tests_are_rationed(house: House, app: Any) -> None:
    """The button is no way to make this desk knock somewhere all day."""
    boss = signed_in(app, "boss")
    boss.post("/webhooks/", {"url": URL, "label": "x", "event": EVENTS[0]})
    page = f"/webhooks/{app.extensions['webhooks'].endpoints.all()[0].id}"
    answers = [boss.post(f"{page}/test", {}, page=page).status_code for _ in range(8)]
    assert answers == [302] * 6 + [429] * 2


def test_a_program_does_the_same_with_its_scope(house: House, app: Any) -> None:
    """Add once by Idempotency-Key, list, choose, rotate, test, deliveries by pages, remove; other keys not."""
    admin, clerk = Program(house, app, "admin"), Program(house, app, "clerk")
    wanted = {"url": URL, "label": "records", "events": ["certificate.issued"]}
    assert clerk("GET", "webhooks")[0] == clerk("POST", "webhooks", wanted)[0] == 403
    status, made = admin("POST", "webhooks", wanted, Idempotency_Key="a")
    _check(made, "NewWebhook")
    assert status == 201 and admin("POST", "webhooks", wanted, Idempotency_Key="a")[1] == made
    (listed,) = admin("GET", "webhooks")[1]["items"]
    _check(listed, "Webhook")
    assert listed == {name: value for name, value in made.items() if name != "secret"}
    path = f"webhooks/{made['id']}"
    for bad in ({**wanted, "events": []}, {**wanted, "events": ["x"]}, {**wanted, "url": 7}, {**wanted, "url": "http://x"}, {}):
        assert admin("POST", "webhooks", bad)[0] == 400
    assert admin("PUT", f"{path}/events", {"events": ["import.finished"]})[1]["events"] == ["import.finished"]
    status, new = admin("POST", f"{path}/secret")
    assert status == 201 and new["secret"] != made["secret"] and admin("GET", path)[1]["oldSecretUntil"] is not None
    assert admin("POST", f"{path}/settle")[1]["oldSecretUntil"] is None
    for _ in range(3):
        assert admin("POST", f"{path}/test")[0] == 200
    ear = Ear()
    told(app, ear)
    assert receiver()(new["secret"], ear.heard[0][1], ear.heard[0][2], house.now * 60)
    first = admin("GET", f"{path}/deliveries?limit=2")[1]
    second = admin("GET", f"{path}/deliveries?limit=2&cursor={first['next']}")[1]
    assert len(first["items"]) == 2 and len(second["items"]) == 1 and second["next"] is None
    _check(first["items"][0], "Delivery")
    assert (first["items"][0]["type"], first["items"][0]["outcome"]) == (TEST, "http-204")
    assert admin("POST", f"{path}/off")[1]["why"] == "by-hand" and admin("POST", f"{path}/test")[0] == 409
    assert admin("DELETE", path)[0] == 204 and admin("GET", path)[0] == 404
    assert admin("GET", f"{path}/deliveries")[0] == 404


def test_twenty_are_enough(house: House, app: Any) -> None:
    admin = Program(house, app, "admin")
    answers = [admin("POST", "webhooks", {"url": URL, "label": "x", "events": [EVENTS[0]]})[0] for _ in range(21)]
    assert answers == [201] * 20 + [409]


def test_what_is_told_is_what_the_description_says(house: House) -> None:
    """Each event that happens here fits its schema under `webhooks` of the OpenAPI document; every event is described."""
    house.accredit()
    made, described = Told(house), document()["webhooks"]
    assert set(described) == {*EVENTS, TEST}
    id_, now = made.issued(), house.now
    house.desk.suspend(id_, "fraud", now)
    house.desk.lift(id_, now)
    house.desk.revoke(id_, "fraud", now)
    house.desk.erase(id_)
    made.hooks.endpoints.test(made.one.id, house.desk.did, at=made.now, random=house.world.random)
    made.courier.round()
    seen = set()
    for _, head, body in made.ear.heard:
        value = json.loads(body)
        seen.add(value["type"])
        operation = described[value["type"]]["post"]
        Draft202012Validator(operation["requestBody"]["content"]["application/json"]["schema"]).validate(value)
        assert {item["name"] for item in operation["parameters"]} <= set(head)
        assert parse_rfc3339(value["timestamp"]) and value["issuer"] == house.desk.did
    assert len(seen) == 7
    made.hooks.close()


def test_a_webhook_that_gave_up_stands_in_the_trail(house: House, app: Any) -> None:
    """Nobody did it, and still it is there to be read."""
    admin = Program(house, app, "admin")
    id_ = admin("POST", "webhooks", {"url": URL, "label": "x", "events": [EVENTS[0]]})[1]["id"]
    courier(app).noted(id_, "failing")
    row = app.extensions["issuer_app"].access.trail.rows(limit=1)[0]
    assert (row.kind, row.act, row.target, row.result) == ("nobody", "hooks.gave-up", id_, "failing")


@pytest.mark.long
def test_webhooks_by_command(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback only once the operator has said so; add, issue, send, list, rotate, off, on, remove; the desk's folder decides."""
    monkeypatch.setattr("issuer_app.cli._now", lambda: house.now)
    folder, secret = tmp_path / "own", tmp_path / "passphrase"
    secret.write_text("for tests only\n")
    (tmp_path / "genesis.json").write_bytes(print_genesis(house.world.genesis))
    (tmp_path / "claims.json").write_text(json.dumps(CLAIMS))
    run = CliRunner(env={"WEID_PASSPHRASE_FILE": str(secret)})

    def say(*words: str, fails: bool = False) -> str:
        result = run.invoke(issuer, [*words])
        assert (result.exit_code != 0) == fails, result.output
        return result.stdout.strip()

    def hook(verb: str, *words: str, fails: bool = False) -> str:
        return say("webhook", verb, str(folder), *words, fails=fails)

    with serving(create_node(house.world.registry)) as address, listening() as port:
        words = ("--genesis", str(tmp_path / "genesis.json"), "--node", address, "--pack", str(PACKS / "certificate-authority"))
        did = say("init", str(folder), *words, "--party", "association", "--wants", "skill-certificate")
        house.office.approve(did, house.skill, until=house.now + YEAR)
        url = f"http://127.0.0.1:{port}/in"
        hook("add", url, "records", fails=True)
        assert hook("nets") == "" and hook("nets", "127.0.0.1") == "127.0.0.1/32"
        key = hook("add", url, "records", "--event", "certificate.issued")
        id_ = json.loads(hook("list"))["id"]
        before = say("trail", str(folder), "--limit", "1")
        hook("list", "--deliveries", id_)
        hook("nets")
        assert say("trail", str(folder), "--limit", "1") == before
        assert hook("test", id_) == "http-204"
        say("issue", str(folder), "skill-certificate", str(tmp_path / "claims.json"))
        hook("send")
        assert [json.loads(body)["type"] for _, _, body in Heard.heard] == [TEST, "certificate.issued"]
        assert [json.loads(line)["state"] for line in hook("list", "--deliveries", id_).splitlines()] == ["done", "done"]
        assert hook("rotate", id_).startswith("whsec_") and key.startswith("whsec_")
        for verb in ("settle", "off", "on", "remove"):
            hook(verb, id_)
        assert hook("list") == "" and hook("nets", "--none") == ""
        assert Premises.open(folder).webhook_nets == ()
        acts = [json.loads(line)["act"] for line in say("trail", str(folder), "--act", "webhook-").splitlines()]
        assert {"webhook-add", "webhook-remove", "webhook-nets", "webhook-send"} <= set(acts) and "webhook-list" not in acts
