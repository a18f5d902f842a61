"""The trail: every write by every door, nothing of a certificate, and no change of it that would not show."""

from __future__ import annotations

import json
import re
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

from issuer_app.access.trail import NOBODY, PERSON, Row, Trail, check_export
from issuer_app.cli import issuer
from issuer_app.texts import table
from registry.genesis import print_genesis
from tests.issuer_app.access.conftest import signed_in
from tests.issuer_app.house import SKILL, House, Person
from tests.issuer_app.test_api import CLAIMS, Program, _check
from weid.errors import ConflictError, WeidError


def trail_of(app: object) -> Trail:
    return app.extensions["issuer_app"].access.trail  # type: ignore[attr-defined, no-any-return]


def last(app: object) -> Row:
    return trail_of(app).rows(limit=1)[0]


def test_every_write_leaves_a_row(fresh: House) -> None:
    """By page and by API, done and refused: who, what, about which id, what came of it, the id of the request."""
    fresh.accredit()
    app = fresh.app()
    chen = Person(app, "chen")
    assert (last(app).act, last(app).who, last(app).result) == ("people.enter", "chen", "ok")
    answer = chen.post(f"/desk/issue/{fresh.skill.hex()}", {**SKILL, "once": "x"})
    id_ = answer.headers["Location"].rsplit("/", 1)[1]
    row = last(app)
    assert (row.kind, row.who, row.act, row.target, row.minute) == (PERSON, "chen", "desk.issue", id_, fresh.now)
    assert row.request == answer.headers["X-Request-Id"]
    chen.post(f"/desk/certificates/{id_}/revoke", {"reason": "none"})
    assert (last(app).act, last(app).target, last(app).result) == ("desk.act-revoke", id_, "http-422")
    chen.post("/people/users", {"name": "evil", "role": "admin"}, page="/desk/certificates")
    assert (last(app).act, last(app).result) == ("people.add_user", "no-role")
    program = Program(fresh, app, "clerk")
    program("POST", "certificates", {"schema": fresh.skill.hex(), "claims": CLAIMS})
    assert last(app).kind == "key" and last(app).who.startswith("program (") and last(app).act == "api.issue"
    before = last(app).seq
    chen.get("/desk/")
    program("GET", "certificates")
    assert last(app).seq == before  # reading leaves none
    assert trail_of(app).check() == before


def test_failed_sign_ins_are_there_and_passwords_are_not(house: House) -> None:
    """The name only if there is one of that name: some people type the password first."""
    app = house.app()
    for name, password in (("chen", "wrong wrong wrong"), ("my secret password", "")):
        Person(app).post("/sign-in", {"name": name, "password": password})
    rows = trail_of(app).rows(kind=NOBODY)
    assert [(row.who, row.result) for row in rows] == [("", "wrong-password"), ("chen", "wrong-password")]
    held = (house.folder / "app" / "trail.db").read_bytes() + (house.folder / "app" / "trail.db-wal").read_bytes()
    assert b"wrong wrong" not in held and b"my secret" not in held
    for _ in range(3):
        app.test_client().post("/api/v1/publish", headers={"Authorization": "Bearer weid_x"})
    assert [row.result for row in trail_of(app).rows(act="api.")] == ["bad-key"]  # once a minute


def test_every_act_of_the_pages_has_words(house: House) -> None:
    """An auditor reads what was done, not the name of a function."""
    rooms = ("people", "entry", "account", "rights", "two", "desk", "reissue", "office", "hooks", "api-hooks")
    missing = []
    for rule in house.app().url_map.iter_rules():
        if not {"POST", "PUT", "DELETE"} & (rule.methods or set()) or rule.endpoint.split(".")[0] not in rooms:
            continue
        choices = re.search(r"<any\(([a-z,]+)\):action>", rule.rule)
        acts = [f"{rule.endpoint}-{choice}" for choice in choices.group(1).split(",")] if choices else [rule.endpoint]
        missing += [act for act in acts if f"done.{act.replace('.', '-').replace('_', '-')}" not in table("en")]
    assert missing == []


def test_strangers_cannot_fill_the_disk(house: House) -> None:
    """Requests that lead nowhere leave no row."""
    app = house.app()
    client = app.test_client()
    for path in ("/desk/publish", "/people/users", "/nowhere", "/api/v1/publish", "/account/sessions/end-others"):
        client.post(path)
    assert trail_of(app).head()[0] == 0


def test_no_content_of_a_certificate_is_in_it(fresh: House) -> None:
    """Names and numbers of the form stand in the books, not in the trail."""
    fresh.accredit()
    app = fresh.app()
    signed_in(app, "chen").post(f"/desk/issue/{fresh.skill.hex()}", {**SKILL, "once": "x"})
    data = b"".join(path.read_bytes() for path in (fresh.folder / "app").glob("trail.db*"))
    for value in (SKILL["claim-holderName"], SKILL["claim-certificateNumber"], SKILL["claim-skill"]):
        assert value.encode() not in data


@pytest.mark.parametrize("change", [
    "UPDATE trail SET who = 'lin' WHERE seq = 2", "DELETE FROM trail WHERE seq = 2", "UPDATE trail SET hash = zeroblob(32) WHERE seq = 3",
    "UPDATE trail SET minute = minute - 1 WHERE seq = 1", "INSERT INTO trail SELECT 4, minute, kind, who, act, target, result, request, "
    "prev, hash FROM trail WHERE seq = 3",
])  # fmt: skip
def test_a_change_shows(tmp_path: Path, change: str) -> None:
    """The database refuses it; forced past that, the chain does not fit. A cut end shows by a head written down."""
    trail = Trail(tmp_path / "trail.db")
    for who in ("chen", "yan", "boss"):
        trail.add(minute=7, kind=PERSON, who=who, act="desk.issue")
    head = trail.head()[1]
    assert trail.check(head=head) == 3
    trail.close()
    forger = sqlite3.connect(tmp_path / "trail.db", isolation_level=None)
    if not change.startswith("INSERT"):
        with pytest.raises(sqlite3.IntegrityError):
            forger.execute(change)
    forger.execute("DROP TRIGGER no_update")
    forger.execute("DROP TRIGGER no_delete")
    forger.execute(change)
    again = Trail(tmp_path / "trail.db")
    with pytest.raises(ConflictError) as caught:
        again.check()
    assert caught.value.code == "trail-broken"
    forger.execute("DROP TRIGGER no_delete")
    forger.execute("DELETE FROM trail WHERE seq > 0")
    assert again.check() == 0
    with pytest.raises(ConflictError) as caught:
        again.check(head=head)
    assert caught.value.code == "trail-cut"


def test_who_may_read_it(house: House) -> None:
    """Administrator and auditor, filtered and by pages; a clerk and a reviewer their own alone."""
    app = house.app(form="1000 per minute")
    boss, chen = signed_in(app, "boss"), signed_in(app, "chen")
    for number in range(120):
        trail_of(app).add(minute=house.now, kind=PERSON, who=f"u{number}", act="desk.issue", target=f"t{number}")
    text = boss.get("/trail").text
    assert "u119" in text and "u5<" not in text
    older = boss.get(text.split('class="button" href="')[-1].split('"')[0].replace("&amp;", "&")).text
    assert "u5<" in older and "u119" not in older
    assert "u7<" in boss.get("/trail?who=u7").text and "u8<" not in boss.get("/trail?who=u7").text
    assert "u9<" in boss.get("/trail?target=t9&kind=person&act=desk.issue").text
    assert boss.get("/trail?before=x&kind=y&act=%00").status_code == 200
    assert signed_in(app, "ho").get("/trail").status_code == 200
    assert (chen.get("/trail").status_code, signed_in(app, "lin").get("/trail").status_code) == (403, 403)


def test_exports_are_signed_and_for_whom_they_are_about(fresh: House) -> None:
    """A person takes along what they did; the subject of a certificate what was done to it; a change breaks the signature."""
    fresh.accredit()
    app = fresh.app()
    chen, hash = Person(app, "chen"), fresh.world.genesis.hash
    location = chen.post(f"/desk/issue/{fresh.skill.hex()}", {**SKILL, "once": "x"}).headers["Location"]
    chen.post(f"{location}/revoke", {"reason": "fraud"})
    signed_in(app, "boss").post("/people/rules", {"role": []})
    own = chen.get("/account/trail.json").data
    content = check_export(own, fresh.desk.facts(fresh.now), hash)
    assert {row["who"] for row in content["rows"]} == {"chen"} and len(content["rows"]) == 3
    subject = check_export(chen.get(f"{location}/trail.json").data, fresh.desk.facts(fresh.now), hash)
    assert [row["act"] for row in subject["rows"]] == ["desk.act-revoke", "desk.issue"]
    for changed in (own.replace(b'"chen"', b'"yann"'), own.replace(b"desk.issue", b"desk.issuf"), own.replace(b"#key-1", b"#key-2"),
                    own.replace(b"#key-1", b"#key-9"), b"{}", own[:-2]):  # fmt: skip
        with pytest.raises(WeidError):
            check_export(changed, fresh.desk.facts(fresh.now), hash)


def test_commands_are_in_it_and_check_it(fresh: House, tmp_path: Path) -> None:
    """`user add`, `apikey` and what was refused; `trail --check` says how many rows and the head, and finds a change."""
    from registry.node.service import create_node
    from tests.browser import serving

    folder, secret = tmp_path / "own", tmp_path / "secret"
    secret.write_text("for tests only!\n")
    (tmp_path / "genesis.json").write_bytes(print_genesis(fresh.world.genesis))
    run = CliRunner(env={"WEID_PASSPHRASE_FILE": str(secret)})

    def say(*words: str) -> tuple[int, str]:
        result = run.invoke(issuer, [*words])
        return result.exit_code, result.stdout.strip()

    with serving(create_node(fresh.world.registry)) as address:
        init = ("init", str(folder), "--genesis", str(tmp_path / "genesis.json"), "--node", address)
        names = [word for language in ("en", "pt", "zh-Hans", "zh-Hant") for word in ("--name", f"{language}=Academy")]
        assert say(*init, *names)[0] == 0
        add = ("user", "add", str(folder), "wu", "--role", "clerk", "--password-file", str(secret))
        assert (say(*add)[0], say(*add)[0]) == (0, 1)
        assert say("find", str(folder))[0] == 0
        rows = [json.loads(line) for line in say("trail", str(folder))[1].splitlines()]
        assert [(row["act"], row["target"], row["result"]) for row in rows] == [
            ("user-add", "wu", "user-exists"), ("user-add", "wu", "ok"), ("init", "", "ok"),
        ]  # fmt: skip
        assert {row["kind"] for row in rows} == {"command"}
        status, head = say("trail", str(folder), "--check")
        assert status == 0 and head == rows[0]["hash"]
        assert say("trail", str(folder), "--head", head)[0] == 0
        assert say("trail", str(folder), "--head", "0" * 63 + "1")[0] == 1
        forger = sqlite3.connect(folder / "app" / "trail.db", isolation_level=None)
        forger.execute("DROP TRIGGER no_update")
        forger.execute("UPDATE trail SET who = 'somebody' WHERE seq = 1")
        assert say("trail", str(folder), "--check")[0] == 1


def test_every_command_that_writes_leaves_a_row() -> None:
    """A command added later must say which it is; a look-up names a person, and is not written down."""
    from issuer_app.access.cli import Recorded
    from issuer_app.cli import issuer

    reads = {"backup", "depending", "ending", "find", "lookup", "paper", "serve", "trail"}
    assert {name for name, command in issuer.commands.items() if not isinstance(command, Recorded)} - reads <= {"user", "webhook"}
    webhook = issuer.commands["webhook"]
    assert all(isinstance(command, Recorded) for command in getattr(webhook, "commands", {}).values())


def test_a_program_reads_the_trail_page_by_page(fresh: House) -> None:
    """With the scope all of it, by filters, each row once, and the digests make the chain anew; without it only its own."""
    app = fresh.app()
    auditor, clerk = Program(fresh, app, "auditor"), Program(fresh, app, "clerk")
    for number in range(7):
        trail_of(app).add(minute=fresh.now, kind=PERSON, who="chen", act="desk.issue", target=f"t{number}")
    clerk("POST", "publish", {})
    rows, path = list[dict[str, object]](), "trail?limit=3"
    while path:
        status, page = auditor("GET", path)
        assert status == 200 and page["head"] == {"seq": 8, "hash": trail_of(app).head()[1].hex()}
        _check(page["items"][0], "TrailRow")
        rows += page["items"]
        path = f"trail?limit=3&cursor={page['next']}" if page["next"] else ""
    assert [row["seq"] for row in rows] == list(range(8, 0, -1))
    assert all(older["hash"] == newer["prev"] for newer, older in pairwise(rows))
    assert [row["target"] for row in auditor("GET", "trail?target=t3&kind=person&act=desk.&who=chen")[1]["items"]] == ["t3"]
    next_ = auditor("GET", "trail?limit=3")[1]["next"]
    assert auditor("GET", f"trail?limit=3&who=chen&cursor={next_}")[0] == 400  # the cursor of another list
    for wrong in ("kind=x", "kind=", "limit=0", "who=" + "x" * 201):
        assert auditor("GET", f"trail?{wrong}")[0] == 400
    assert clerk("GET", "trail")[0] == 403 and auditor("GET", "me/trail")[1]["items"] == []
    own = clerk("GET", "me/trail")[1]["items"]
    assert [row["act"] for row in own] == ["api.publish"] and own[0]["who"].startswith("program (")


def test_the_subject_of_a_certificate_gets_its_rows_by_the_api_too(fresh: House) -> None:
    """The same signed file as the clerk's page gives."""
    fresh.accredit()
    app = fresh.app()
    clerk = Program(fresh, app, "clerk")
    id_ = clerk("POST", "certificates", {"schema": fresh.skill.hex(), "claims": CLAIMS})[1]["id"]
    answer = clerk.http.get(f"/api/v1/certificates/{id_}/trail", headers=clerk.head)
    content = check_export(answer.data, fresh.desk.facts(fresh.now), fresh.world.genesis.hash)
    assert (content["about"], [row["act"] for row in content["rows"]]) == (id_, ["api.issue"])
    assert Program(fresh, app, "auditor")("GET", f"certificates/{id_}/trail")[0] == 403
