"""Imports by page, API and command: tokens, roles, sizes, and the whole way from a file to its ZIP."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from issuer_app.app import create_app
from issuer_app.cli import issuer
from issuer_app.importing import report
from issuer_app.terms import Terms
from issuer_app.users import Users
from registry.genesis import print_genesis
from registry.node.service import create_node
from tests import browser
from tests.browser import serving
from tests.issuer_app.house import PASSWORD, House, Person
from tests.issuer_app.sheets import csv_of, person, xlsx_of
from tests.registry.world import YEAR
from weid.errors import WeidError
from weid.pack import LANGUAGES

ROWS = [person(1), person(2), person(3, 颁发日期="05/03/2026"), person(4, 证书编号="１２３４５６７８９０１２")]


def ready(house: House) -> Any:
    """The app of a desk that may issue."""
    house.accredit()
    house.desk.terms = Terms()
    return house.app()


def sent(person_: Person, house: House, data: bytes, name: str = "list.csv", **more: str) -> Any:
    """Upload a file by the page."""
    form = {"kind": house.skill.hex(), "list": (io.BytesIO(data), name), **more}
    return person_.post("/desk/imports/", form)


def waited(person_: Person, path: str) -> str:
    """The page once nobody works at it."""
    for _ in range(200):
        if person_.get(f"{path}/progress.json").json["over"]:  # type: ignore[index]
            return person_.get(path).text
        time.sleep(0.05)
    raise AssertionError("the work does not end")


def mapped(person_: Person, path: str) -> dict[str, str]:
    """The columns as the page proposes them."""
    text = person_.get(path).text
    found = {}
    for name, body in re.findall(r'<select id="(column-\d+|key|document)"(.*?)</select>', text, re.S):
        chosen = re.search(r'value="([^"]*)" selected', body)
        found[name] = chosen.group(1) if chosen else ""
    return found


def test_a_clerk_imports_by_page_and_takes_everything_away(house: House) -> None:
    app = ready(house)
    clerk = Person(app, "chen")
    answer = sent(clerk, house, xlsx_of(ROWS), "C:\\lists\\名单.xlsx")
    path = answer.headers["Location"]
    assert mapped(clerk, path)["column-0"] == "holderName" and "名单.xlsx" in clerk.get(path).text
    assert clerk.post(f"{path}/check", mapped(clerk, path), page=path).status_code == 302
    text = waited(clerk, path)
    assert "D4: “05/03/2026” is" not in text and "D4" in text and "B5" in text  # the wrong cell, and what was made narrow
    assert house.desk.find("") == ()
    assert clerk.post(f"{path}/issue", {}, page=path).status_code == 302
    text = waited(clerk, path)
    assert len(house.desk.find("")) == 3 and "files-0.zip" in text
    with zipfile.ZipFile(io.BytesIO(clerk.get(f"{path}/files-0.zip").data)) as opened:
        assert len(opened.namelist()) == 9
    back = clerk.get(f"{path}/rows.csv").data.decode("utf-8-sig")
    assert "王小明3" in back and "D4" in back and "王小明1," not in back
    assert json.loads(clerk.get(f"{path}/report.json").data)["counts"]["issued"] == 3
    fixed = sent(clerk, house, csv_of([person(3)]), parent=path.rpartition("/")[2]).headers["Location"]
    clerk.post(f"{fixed}/check", mapped(clerk, fixed), page=fixed)
    waited(clerk, fixed)
    clerk.post(f"{fixed}/issue", {}, page=fixed)
    waited(clerk, fixed)
    assert len(house.desk.find("")) == 4 and fixed.rpartition("/")[2] in clerk.get(path).text
    assert clerk.post(f"{path}/recall", {"reason": "fraud"}, page=f"{path}/recall").status_code == 422
    assert clerk.post(f"{path}/recall", {"reason": "fraud", "sure": "yes"}, page=f"{path}/recall").status_code == 302
    assert sorted(row.state for row in house.desk.find("")) == ["revoked", "revoked", "revoked", "valid"]


def test_nobody_else_may_and_no_token_no_change(house: House) -> None:
    app = ready(house)
    clerk, stranger, reviewer = Person(app, "chen"), Person(app), Person(app, "lin")
    path = sent(clerk, house, csv_of(ROWS)).headers["Location"]
    for page in (
        path,
        f"{path}/rows.csv",
        f"{path}/report.json",
        f"{path}/files-0.zip",
        f"{path}/progress.json",
        "/desk/imports/",
    ):
        assert stranger.get(page).status_code == 302
        assert reviewer.get(page).status_code == 403
    for page in (f"{path}/check", f"{path}/issue", f"{path}/cancel", f"{path}/recall", f"{path}/forget", "/desk/imports/"):
        assert clerk.http.post(page, data={}).status_code == 400  # without the token of a form
    big = {"list": (io.BytesIO(bytes(1 << 20)), "x.csv")}
    assert stranger.http.post("/desk/imports/", data=big).status_code == 413  # not even read
    assert clerk.get("/desk/imports/nothing").status_code == 404


def test_a_file_that_is_no_list_is_answered_in_words(house: House) -> None:
    app = ready(house)
    for language in LANGUAGES:
        clerk = Person(app, "chen", language)
        for data in (b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF-1.7", b"a,a\n1,2\n"):
            answer = sent(clerk, house, data)
            assert answer.status_code in (400, 422) and 'role="alert"' in answer.text and "sheet-" not in answer.text


def test_a_program_imports_with_a_key_and_the_same_key_is_one_import(house: House) -> None:
    app = ready(house)
    users = Users(house.folder / "app")
    key = users.add_key("school", frozenset({"clerk"}), house.now)
    http, head = app.test_client(), {"Authorization": f"Bearer {key}", "Idempotency-Key": "monday"}
    where = f"/api/v1/imports?schema={house.skill.hex()}&issue=yes&name=list.csv"
    assert http.post(where, data=csv_of(ROWS)).status_code == 401
    first = http.post(where, data=csv_of(ROWS), headers=head)
    assert first.status_code == 202, first.text
    again = http.post(where, data=csv_of(ROWS), headers=head)
    assert again.json["id"] == first.json["id"]
    assert http.post(where, data=csv_of(ROWS[:1]), headers=head).json["code"] == "key-reused"
    one = first.headers["Location"]
    for _ in range(200):
        told = http.get(one, headers=head).json
        if told["state"] == "done":
            break
        time.sleep(0.05)
    assert told["counts"] == {"rows": 4, "good": 3, "wrong": 1, "before": 0, "issued": 3}
    assert told["wrong"][0]["row"] == 4 and told["wrong"][0]["reasons"][0].startswith("D4")
    assert len(http.get(f"{one}/certificates", headers=head).json["items"]) == 3
    assert http.get(f"{one}/report", headers=head).json["counts"]["wrong"] == 1
    assert http.post(f"{one}/cancel", headers=head).json["code"] == "import-too-late"
    assert http.post(f"{one}/recall", headers=head, json={"reason": "fraud"}).json == {"revoked": 3}
    wrong = http.post(f"{where}&map=nothing%3Dskill", data=csv_of([person(9)]), headers={"Authorization": head["Authorization"]})
    assert (wrong.status_code, wrong.json["code"]) == (400, "import-mapping")
    users.close()


def test_a_list_by_command(house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dry run, then the real one, the wrong rows and the report as files; again it issues nothing."""
    monkeypatch.setattr("issuer_app.cli._now", lambda: house.now)
    folder, secret, lists = tmp_path / "own", tmp_path / "passphrase", tmp_path / "list.csv"
    secret.write_text("for tests only\n")
    (tmp_path / "genesis.json").write_bytes(print_genesis(house.world.genesis))
    lists.write_bytes(csv_of(ROWS))
    run = CliRunner(env={"WEID_PASSPHRASE_FILE": str(secret)})

    def say(*words: str) -> Any:
        return run.invoke(issuer, [str(word) for word in words], catch_exceptions=True)

    with serving(create_node(house.world.registry)) as address:
        did = say("init", str(folder), "--genesis", str(tmp_path / "genesis.json"), "--node", address, "--name", "en=A",
                  "--name", "pt=B", "--name", "zh-Hans=丙", "--name", "zh-Hant=丁", "--wants", "skill-certificate").stdout.strip()  # fmt: skip
        house.office.approve(did, house.skill, until=house.now + YEAR)
        ask = ("import", str(folder), str(lists), "--schema", "skill-certificate")
        dry = say(*ask, "--dry-run")
        assert dry.exit_code == 0 and ": 0 issued, 3 good, 1 wrong" in dry.stdout and "row 4: D4" in dry.stderr
        done = say(*ask, "--wrong", str(tmp_path / "wrong.csv"), "--report", str(tmp_path / "report.json"))
        assert done.exit_code == 0 and ": 3 issued, 3 good, 1 wrong" in done.stdout, done.stdout + done.stderr
        assert "王小明3" in (tmp_path / "wrong.csv").read_text("utf-8-sig")
        assert json.loads((tmp_path / "report.json").read_bytes())["counts"]["issued"] == 3
        assert ": 0 issued, 0 good, 1 wrong, 3 issued before" in say(*ask).stdout
        assert say("import", str(folder), str(lists)).exit_code == 2
        assert say(*ask, "--map", "x=y").exit_code == 2
        missing = say("import", str(folder), "--resume", "0000")
        assert isinstance(missing.exception, WeidError) and missing.exception.code == "not-found"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("size", "language"),
    [(browser.PHONE, "zh-CN"), (browser.DESK, "pt-PT"), pytest.param(browser.PHONE, "en", marks=pytest.mark.long),
     pytest.param(browser.DESK, "zh-HK", marks=pytest.mark.long)], ids=["390-zh", "1280-pt", "390-en", "1280-hk"],
)  # fmt: skip
def test_the_pages_of_an_import_in_a_browser(house: House, tmp_path: Path, size: dict[str, int], language: str) -> None:
    app = ready(house)
    lists = tmp_path / "2026 年结业名单（区块链应用操作员）.xlsx"
    lists.write_bytes(xlsx_of([*ROWS, *(person(number, 技能等级="9") for number in range(5, 9))]))
    with serving(app) as address, browser.chromium() as chrome:
        page = chrome.new_page(viewport=size, locale=language)
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        with browser.only(page, address):
            page.goto(f"{address}/sign-in?next=/desk/imports/")
            page.fill("#name", "chen")
            page.fill("#password", PASSWORD)
            page.click("main button")
            sound(page, f"{language}-import")
            page.set_input_files("#list", str(lists))
            page.click("form.card button.main")
            page.wait_for_selector(".columns")
            sound(page, f"{language}-import-columns")
            page.click("form.card button.main")
            page.wait_for_selector(".tallies", timeout=20_000)
            sound(page, f"{language}-import-checked")
            page.click(".buttons button.main")
            page.wait_for_selector(".links", timeout=20_000)
            sound(page, f"{language}-import-done")
            page.click("a.button.danger")
            sound(page, f"{language}-import-recall")
        assert told == []


def sound(page: Any, name: str) -> None:
    """A picture for the eye; no accessibility fault."""
    page.wait_for_load_state("load")
    browser.shot(page, f"{name}-{page.viewport_size['width']}")
    assert browser.flaws(page) == []


def test_the_words_of_reports_are_no_claims(house: House) -> None:
    """The two columns our own reports add are left out when the file comes back."""
    app = ready(house)
    clerk = Person(app, "chen")
    path = sent(clerk, house, csv_of([person(1, 技能等级="9")])).headers["Location"]
    clerk.post(f"{path}/check", mapped(clerk, path), page=path)
    waited(clerk, path)
    data = clerk.get(f"{path}/rows.xlsx").data
    back = sent(clerk, house, data, parent=path.rpartition("/")[2]).headers["Location"]
    assert [mapped(clerk, back)[f"column-{place}"] for place in (6, 7)] == ["", ""]
    assert len(report.report_columns()) == 8
    made = create_app(replace(house.config(), desk=None))
    assert Person(made, "chen").get("/desk/imports/").status_code == 403
