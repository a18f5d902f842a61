"""Imports over a real registry: all or nothing, never twice, one publication, one anchored tree, and killed processes."""

from __future__ import annotations

import io
import json
import secrets
import subprocess
import sys
import zipfile
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from issuer_app.importing import archive, drafts, report
from issuer_app.importing.job import Importer
from issuer_app.importing.records import Import
from issuer_app.importing.tables import read_table
from issuer_app.ledger import Issued
from issuer_app.lookups.inputs import is_contact, read_forms
from issuer_app.problems import NotFoundError
from issuer_app.terms import Terms
from issuer_app.texts import Speaker
from registry.bundle import open_bundle
from registry.evidence_batch import find_evidence, parse_proof
from registry.genesis import print_genesis
from registry.node.service import create_node
from tests.browser import serving
from tests.issuer_app.house import House
from tests.issuer_app.lookup_house import CN, OPEN, PRIVATE, lookups
from tests.issuer_app.sheets import HEADER, csv_of, person, xlsx_of
from weid.errors import IssueError, KeyMaterialError, MalformedError, RejectedError, SignatureError, WeidError
from weid.facts import Facts

EN = Speaker("en", UTC)


def manner(house: House) -> archive.Manner:
    """How the house's certificates are drawn."""
    return archive.Manner("v.example", ("zh-Hans", "en"), UTC, house.now)


def importer(house: House) -> Importer:
    """The importer of the house's desk; without typed checks, whose fingerprints each need an operation of their own."""
    house.accredit()
    house.desk.terms = Terms()
    return Importer(house.desk, clock=lambda: house.now, random=secrets.token_bytes, zone=UTC)


def checked(work: Importer, house: House, data: bytes, **more: str) -> Import:
    """A file uploaded and checked under the mapping its labels suggest."""
    job = work.upload(data, "list.csv", house.skill, by="chen", **more)
    work.check(job.id, job.mapped.columns, job.mapped.key, job.mapped.kind, wait=True)
    return work.records.get(job.id)


def issued(work: Importer, house: House, data: bytes, **more: str) -> Import:
    """The same, and issued."""
    job = checked(work, house, data, **more)
    work.start(job.id, wait=True)
    return work.records.get(job.id)


def facts(house: House) -> Facts:
    """What a stranger's machine knows."""
    return open_bundle(house.world.commit(), pin=house.world.pin, at=house.now, label="home")


def test_the_good_rows_are_issued_with_one_publication_and_one_anchor_and_the_bad_ones_named(house: House) -> None:
    work = importer(house)
    rows = [person(number) if number % 10 else person(number, 证书编号="12") for number in range(1, 61)]
    before = house.world.registry.size
    job = issued(work, house, xlsx_of(rows))
    kinds = [house.world.registry.view(at)["operation"]["type"] for at in range(before, house.world.registry.size)]
    assert sorted(kind for kind in kinds if kind not in ("state.commit", "time.tick")) == ["evidence.anchor", "status.publish"]
    assert (job.state, job.good, job.bad, work.records.counts(job.id)) == ("done", 54, 6, {"issued": 54, "bad": 6})
    lines = list(work.records.all_lines(job.id, "bad"))
    assert [line.number for line in lines] == [11, 21, 31, 41, 51, 61]
    assert report.reasons(lines[0], EN) == ["B11: " + EN("fault.digits", count=12)]
    row = house.desk.find("王小明59")[0]
    assert row.published and house.verify(row.file).verdict == "valid-bearer"
    proof = work.records.proof(row.id)
    assert proof is not None
    known, genesis = facts(house), house.client.genesis
    assert find_evidence(known, genesis.hash(row.file), parse_proof(proof), hash=genesis.hash) is not None
    assert find_evidence(known, genesis.hash(b"other"), parse_proof(proof), hash=genesis.hash) is None
    with pytest.raises(NotFoundError):
        work.records.source(job.id)
    places = [row.index or 0 for row in house.desk.find("", 100)]
    assert places != sorted(places) and len(set(places)) == 54  # a place says nothing about order


def test_importing_again_issues_nothing_and_corrected_rows_only_what_was_wrong(house: House) -> None:
    work = importer(house)
    rows = [person(number) for number in range(1, 21)] + [person(21, 颁发日期="05/03/2026"), person(22, 技能等级="9")]
    first = issued(work, house, csv_of(rows))
    again = checked(work, house, csv_of(rows))
    assert (again.good, again.same, again.bad) == (0, 20, 2)
    with pytest.raises(IssueError):
        work.start(again.id)
    wrong = report.wrong_xlsx(first, work.records.all_lines(first.id, "bad"), EN)
    table = read_table(wrong)
    assert table.header[-2:] == (EN("import.report-row"), EN("import.report-reason"))
    assert [row.cells[6].text for row in table.rows()] == ["22", "23"]
    fixed = csv_of([person(21, 颁发日期="2026-03-05"), person(22)])
    second = issued(work, house, fixed, parent=first.id)
    assert (second.parent, second.good, len(house.desk.find("", 100))) == (first.id, 2, 22)
    assert [each.id for each in work.records.family(first.id)] == [second.id]


def test_the_same_number_with_other_content_is_told_against_what_was_issued(house: House) -> None:
    work = importer(house)
    issued(work, house, csv_of([person(1), person(2)]))
    other = checked(work, house, csv_of([person(1, 成绩="合格"), person(3)]))
    line = next(work.records.all_lines(other.id, "bad"))
    assert (line.number, line.wrong[0][1], other.good) == (2, "fault.row-number-taken", 1)
    row = house.desk.find("王小明2")[0]
    house.desk.revoke(row.id, "fraud", house.now)
    revoked = checked(work, house, csv_of([person(2)]))
    assert next(work.records.all_lines(revoked.id, "bad")).wrong[0][1] == "fault.row-revoked"


def test_a_report_of_wrong_rows_cannot_run_and_reads_back(house: House) -> None:
    work = importer(house)
    job = checked(work, house, csv_of([person(1, 职业技能='=HYPERLINK("http://x")'), person(2, 职业技能="@cmd", 证书编号="-1")]))
    for data in (report.wrong_csv(job, work.records.all_lines(job.id, "bad"), EN),
                 report.wrong_xlsx(job, work.records.all_lines(job.id, "bad"), EN)):  # fmt: skip
        back = checked(work, house, data, parent=job.id)
        assert (back.good, back.bad) == (0, 2)
    text = report.wrong_csv(job, work.records.all_lines(job.id, "bad"), EN).decode("utf-8-sig")
    assert "'=HYPERLINK" in text and ",=" not in text and ",@" not in text and ",-" not in text


def test_cancelling_leaves_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of signing: no certificate, no kept line, no file, no reserved list, no operation."""
    work = importer(house)
    job = checked(work, house, csv_of([person(number) for number in range(1, 41)]))
    monkeypatch.setattr("issuer_app.importing.job._CHUNK", 10)
    keep, before = drafts.keep, house.world.registry.size

    def stop(*given: object) -> None:
        keep(*given)  # type: ignore[arg-type]
        work.records.set(job.id, cancel=1)

    monkeypatch.setattr(drafts, "keep", stop)
    work.start(job.id, wait=True)
    assert work.records.get(job.id).state == "cancelled"
    rows = work.records.store.rows("SELECT count(*) AS n FROM issued")
    assert (rows, work.records.counts(job.id), house.world.registry.size) == ([{"n": 0}], {}, before)
    assert work.records.store.rows("SELECT * FROM reserved") == [] == work.records.store.rows("SELECT * FROM import_sources")
    with pytest.raises(IssueError):
        work.cancel(job.id)


def test_a_form_and_an_import_at_once_share_no_place_and_keep_the_register(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an import signs, a clerk issues and revokes; drafts stay unseen, and every register stays a beginning of the next."""
    work = importer(house)
    issued(work, house, csv_of([person(number) for number in range(1, 6)]))
    job = checked(work, house, csv_of([person(number) for number in range(6, 26)]))
    monkeypatch.setattr("issuer_app.importing.job._CHUNK", 5)
    keep, singles = drafts.keep, list[Issued]()

    def meanwhile(*given: object) -> None:
        keep(*given)  # type: ignore[arg-type]
        claims = {"holderName": "Ana", "certificateNumber": f"9{len(singles):011}", "skill": "x", "awardDate": "2026-11-20"}
        singles.append(house.desk.issue(house.skill, claims, at=house.now, random=secrets.token_bytes))
        assert len(house.desk.find("", 100)) == 5 + len(singles)
        house.desk.revoke(singles[-1].id, "fraud", house.now)

    monkeypatch.setattr(drafts, "keep", meanwhile)
    work.start(job.id, wait=True)
    assert work.records.get(job.id).state == "done" and len(singles) == 4
    rows = house.desk.find("", 100)
    assert len(rows) == 29 and len({(row.list_number, row.index) for row in rows}) == 29
    assert {house.verify(row.file).verdict for row in rows} == {"valid-bearer", "revoked"}
    assert house.desk.waiting() == 0


def test_a_batch_larger_than_half_a_list_spreads_over_lists(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    work = importer(house)
    job = checked(work, house, csv_of([person(number) for number in range(1, 31)]))
    make = house.desk.ledger.list_for

    def small(schema: bytes, size: int) -> object:
        found = make(schema, size)
        with work.records.store.change() as db:
            db.execute("UPDATE lists SET size = 24")
        return found

    monkeypatch.setattr(house.desk.ledger, "list_for", small)
    work.start(job.id, wait=True)
    rows = house.desk.find("", 100)
    counts = [sum(1 for row in rows if row.list_number == number) for number in (1, 2, 3)]
    assert (work.records.get(job.id).state, counts) == ("done", [12, 12, 6])


def test_what_the_registry_refuses_does_not_count_and_can_be_imported_later(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The right ends between the drafts and the publication: nothing of it is a certificate, and the rows are free again."""
    work = importer(house)
    job = checked(work, house, csv_of([person(1), person(2)]))
    accept = drafts.accept

    def late(*given: object) -> None:
        accept(*given)  # type: ignore[arg-type]
        house.office.suspend_issuer(house.desk.did, "other", schema=house.skill)

    monkeypatch.setattr(drafts, "accept", late)
    work.start(job.id, wait=True)
    job = work.records.get(job.id)
    assert (job.state, job.code, house.desk.find(""), house.desk.waiting()) == ("refused", "not-accredited", (), 0)
    monkeypatch.undo()
    house.office.reinstate(house.desk.did, schema=house.skill)
    assert issued(work, house, csv_of([person(1), person(2)])).good == 2


def test_a_recall_revokes_the_batch_with_one_publication(house: House) -> None:
    work = importer(house)
    job = issued(work, house, csv_of([person(number) for number in range(1, 31)]))
    other = issued(work, house, csv_of([person(99)]))
    before = house.world.registry.size
    assert work.recall(job.id, "error-in-data") == 30
    kinds = [house.world.registry.view(at)["operation"]["type"] for at in range(before, house.world.registry.size)]
    assert kinds.count("status.publish") == 1
    others = {line.id for line in work.records.all_lines(other.id, "issued")}
    states = {row.state for row in house.desk.find("", 100) if row.id not in others}
    assert states == {"revoked"} and house.desk.find("王小明99")[0].state == "valid"
    assert (house.verify(house.desk.find("王小明7")[0].file).verdict, work.recall(job.id, "fraud")) == ("revoked", 0)


def test_erasing_a_certificate_destroys_its_proof_and_no_other(house: House) -> None:
    work = importer(house)
    issued(work, house, csv_of([person(1), person(2)]))
    gone, kept = house.desk.find("王小明1")[0], house.desk.find("王小明2")[0]
    house.desk.erase(gone.id)
    assert work.records.proof(gone.id) is None
    proof, genesis = work.records.proof(kept.id), house.client.genesis
    assert proof is not None
    assert find_evidence(facts(house), genesis.hash(kept.file), parse_proof(proof), hash=genesis.hash) is not None
    stored = (house.desk.party.folder / "issued.db").read_bytes() + (house.desk.party.folder / "issued.db-wal").read_bytes()
    assert gone.file not in stored


def test_a_batch_report_is_signed_and_names_nobody(house: House) -> None:
    work = importer(house)
    job = issued(work, house, csv_of([person(number) for number in range(1, 4)]))
    data = report.batch_report(house.desk, work.records, job, house.now)
    value = report.check_report(data, facts(house))
    assert value["counts"] == {"issued": 3, "refused": 0, "wrong": 0, "before": 0}
    assert value["batch"]["size"] == 3 and len(value["status"]) == 1
    assert "王" not in data.decode() and "list.csv" not in data.decode()
    for change in (data.replace(b'"issued":3', b'"issued":4'), data.replace(job.id.encode(), job.id[::-1].encode())):
        with pytest.raises(SignatureError):
            report.check_report(change, facts(house))
    with pytest.raises(MalformedError):
        report.check_report(data + b" ", facts(house))


def test_any_change_of_a_batch_report_is_refused_by_our_errors_alone(house: House) -> None:
    """Every byte changed, dropped or doubled (R27)."""
    work = importer(house)
    job = issued(work, house, csv_of([person(1)]))
    data, known = report.batch_report(house.desk, work.records, job, house.now), facts(house)
    for place in range(0, len(data), 3):
        for changed in (data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :], data[:place] + data[place + 1 :],
                        data[:place] + data[place : place + 1] + data[place:]):  # fmt: skip
            if changed != data:
                with pytest.raises(WeidError):
                    report.check_report(changed, known)


def test_fingerprints_of_checks_by_typing_follow_one_by_one(house: House) -> None:
    """A pack that declares them has an operation a certificate beside the two of the batch; a cut goes on."""
    work = importer(house)
    house.desk.terms = Terms.of_pack(house.pack)
    job = issued(work, house, csv_of([person(1), person(2)]))
    assert work.records.get(job.id).state == "done" and all(row.anchored and row.code for row in house.desk.find(""))


def test_a_zip_holds_every_file_under_safe_names(house: House) -> None:
    work = importer(house)
    job = issued(work, house, csv_of([person(1, 持有人姓名="../../etc/passwd"), person(2)]))
    data = b"".join(archive.stream(house.desk, work.records, job, manner(house), part=0))
    with zipfile.ZipFile(io.BytesIO(data)) as opened:
        names = opened.namelist()
        assert opened.testzip() is None and len(names) == 8
        papers = [opened.read(name) for name in names if name.endswith("certificate.pdf")]
        assert len(papers) == 2 and all(data.startswith(b"%PDF") for data in papers)
        assert all(".." not in name and name.isascii() for name in names)
        first = json.loads(opened.read(next(name for name in names if name.endswith("certificate.json"))))
    assert first["credentialSubject"]["holderName"] == "../../etc/passwd"


def test_what_certificates_are_looked_up_by_is_indexed_and_not_kept(house: House) -> None:
    """The number in the list leads to the certificate, and stands nowhere; a wrong one is named; a dropped draft leaves no trace."""
    work = importer(house)
    lookups(house, {"open": OPEN})
    data = csv_of([[*person(1), CN], [*person(2), "110105194912310021"]], header=(*_header(), "身份证号码"))
    job = work.upload(data, "list.csv", house.skill, by="chen")
    work.check(job.id, job.mapped.columns, job.mapped.key, "cn-id", wait=True)
    assert [line.wrong[0][0] for line in work.records.all_lines(job.id, "bad")] == [6]
    work.start(job.id, wait=True)
    row, book, rule = house.desk.find("")[0], house.desk.lookups, house.desk.lookups.lookup.rules["open"]
    forms = {"documentNumber": read_forms("documentNumber", CN, kind="cn-id"), "name": read_forms("name", "王小明1")}
    assert book.find(rule, ("documentNumber", "name"), forms) == (row.id,)
    work.records.store.checkpoint()
    stored = b"".join(path.read_bytes() for path in house.desk.party.folder.glob("issued.db*"))
    assert CN.encode() not in stored
    house.desk.erase(row.id)
    assert book.find(rule, ("documentNumber", "name"), forms) == ()


def test_where_links_go_is_checked_and_kept_sealed(house: House) -> None:
    """An address is judged by its cell, stands in no file of the desk in the clear at any time, and in no certificate."""
    work = importer(house)
    lookups(house, {"private": PRIVATE})
    header = (*_header(), "身份证号码", "出生日期", "邮箱")
    good = [[*person(1), CN, "1990-03-07", "ana@example.org"], [*person(2), CN, "1990-03-07", "+853 2833 0000"],
            [*person(3), CN, "1990-03-07", ""]]  # fmt: skip
    wrong = [[*person(4 + at), CN, "1990-03-07", text] for at, text in enumerate(["ana@example", "see the file", "12"])]
    job = work.upload(csv_of([*good, *wrong], header=header), "list.csv", house.skill, by="chen")
    assert job.mapped.columns[-1] == "lookup.contact"  # no rule asks for an e-mail address, and one sends links
    work.check(job.id, job.mapped.columns, job.mapped.key, "cn-id", wait=True)
    bad = list(work.records.all_lines(job.id, "bad"))
    assert [line.wrong[0][0] for line in bad] == [8, 8, 8] and bad[1].cells[-1] == "see the file"
    assert "I6" in report.reasons(bad[1], EN)[0] and "telephone number" in report.reasons(bad[1], EN)[0]

    def stored() -> bytes:
        work.records.store.checkpoint()
        return b"".join(path.read_bytes() for path in house.desk.party.folder.glob("issued.db*"))

    for secret in (b"ana@example.org", b"2833 0000", b"see the file", CN.encode()):
        assert secret not in stored()
    work.start(job.id, wait=True)
    rows = sorted(house.desk.find(""), key=lambda row: row.seq)
    assert [house.desk.lookups.note(row.id)[0] for row in rows] == ["ana@example.org", "+853 2833 0000", ""]
    assert b"ana@example.org" not in stored() and all(b"example.org" not in row.file for row in rows)
    house.desk.erase(rows[0].id)
    assert house.desk.lookups.note(rows[0].id) == ("", "")


def test_a_box_opens_for_its_own_line_only(house: House) -> None:
    """Whoever can write the file does not send somebody's link to an address of another line."""
    work = importer(house)
    lookups(house, {"private": PRIVATE})
    rows = [[*person(at), CN, "1990-03-07", f"{at}@example.org"] for at in (1, 2)]
    data = csv_of(rows, header=(*_header(), "身份证号码", "出生日期", "联系方式"))
    job = work.upload(data, "list.csv", house.skill, by="chen")
    work.check(job.id, job.mapped.columns, job.mapped.key, "cn-id", wait=True)
    with work.records.store.change() as db:
        db.execute("UPDATE import_lines SET extra = (SELECT extra FROM import_lines WHERE number = 3) WHERE number = 2")
    with pytest.raises(KeyMaterialError) as caught:
        work.records.lines(job.id, "good")
    assert caught.value.code == "wrong-box"


def test_an_address_is_not_taken_where_nobody_gets_a_link(house: House) -> None:
    """The mapping is refused: an address would be kept for nothing."""
    work = importer(house)
    lookups(house, {"open": OPEN})
    data = csv_of([[*person(1), "ana@example.org"]], header=(*_header(), "联系方式"))
    job = work.upload(data, "list.csv", house.skill, by="chen")
    with pytest.raises(MalformedError) as caught:
        work.check(job.id, [*job.mapped.columns[:-1], "lookup.contact"], job.mapped.key, "", wait=True)
    assert caught.value.code == "import-contact"


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("ana@example.org", True), ("ＡＮＡ@example.org", True), ("+853 2833 0000", True), ("(0086) 138-0013-8000", True),
     ("13800138000", True), ("1234", False), ("1234567890123456", False), ("ana@", False), ("a b@example.org", False),
     ("call me", False), ("", False)],
)  # fmt: skip
def test_what_a_message_can_reach(text: str, is_one: bool) -> None:
    """An e-mail address or a telephone number."""
    assert is_contact(text) is is_one


def test_a_draft_that_is_dropped_can_be_found_by_nobody(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before all of an import counts nothing of it is found, and what is dropped leaves no entry."""
    work = importer(house)
    lookups(house, {"open": OPEN})
    seen: list[int] = []
    accept = drafts.accept

    def stop(ledger: Any, own: str) -> None:
        book, rule = house.desk.lookups, house.desk.lookups.lookup.rules["open"]
        forms = {"documentNumber": read_forms("documentNumber", CN, kind="cn-id"), "name": read_forms("name", "王小明1")}
        seen.append(len(book.find(rule, ("documentNumber", "name"), forms)))
        raise IssueError("stop here", code="not-accredited")

    monkeypatch.setattr(drafts, "accept", stop)
    data = csv_of([[*person(1), CN]], header=(*_header(), "身份证号码"))
    job = work.upload(data, "list.csv", house.skill, by="chen")
    work.check(job.id, job.mapped.columns, job.mapped.key, "cn-id", wait=True)
    work.start(job.id, wait=True)
    entries = "SELECT count(*) AS n FROM lookup_entries"
    assert seen == [0] and house.desk.books.row(entries) != {"n": 0}
    monkeypatch.setattr(drafts, "accept", accept)
    work.cancel(job.id)
    assert house.desk.books.row(entries) == {"n": 0}


def _header() -> tuple[str, ...]:
    return HEADER


_KILLED = """
import os, secrets, signal, sys
from datetime import UTC
from pathlib import Path
from issuer_app.desk import Desk
from issuer_app.importing import drafts, job, proving
from issuer_app.ledger import Issued
from issuer_app.problems import NotFoundError
from issuer_app.terms import Terms
from registry.genesis import parse_genesis
from registry.node.client import RegistryClient

folder, genesis, node, now, id_, point = sys.argv[1:]
client = RegistryClient.http(parse_genesis(Path(genesis).read_bytes()), node)
desk = Desk.open(Path(folder), client=client, passphrase="for tests only")
desk.terms, job._CHUNK = Terms(), 10
work = job.Importer(desk, clock=lambda: int(now), random=secrets.token_bytes, zone=UTC)

def die_after(module, name, count):
    inner, calls = getattr(module, name), []
    def dying(*given, **named):
        made = inner(*given, **named)
        calls.append(1)
        if len(calls) == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return made
    setattr(module, name, dying)

{"signing": lambda: die_after(drafts, "keep", 2), "accepted": lambda: die_after(drafts, "accept", 1),
 "sent": lambda: die_after(type(client), "submit", 1), "published": lambda: die_after(job, "publish_list", 1),
 "planted": lambda: die_after(proving, "_plant", 1), "anchored": lambda: die_after(type(client), "submit", 2)}[point]()
work.start(id_, wait=True)
"""


@pytest.mark.parametrize(
    "point", ["signing", *(pytest.param(name, marks=pytest.mark.long) for name in ("accepted", "sent", "published", "planted", "anchored"))]
)  # fmt: skip
def test_a_killed_process_loses_nothing_and_issues_nothing_twice(house: House, tmp_path: Path, point: str) -> None:
    """SIGKILL at every step; another process goes on: each row once, one publication, one anchor, every file verifies."""
    work = importer(house)
    job = checked(work, house, csv_of([person(number) for number in range(1, 41)]))
    genesis, before = tmp_path / "genesis.json", house.world.registry.size
    genesis.write_bytes(print_genesis(house.world.genesis))
    with serving(create_node(house.world.registry)) as node:
        words = [str(house.desk.party.folder), str(genesis), node, str(house.now), job.id, point]
        killed = subprocess.run([sys.executable, "-c", _KILLED, *words], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -9, killed.stderr.decode()
    left = work.records.get(job.id)
    assert left.state != "done" and not work.running(left)
    if point == "signing":
        assert house.desk.find("") == ()  # twenty drafts, and not one certificate
    work.work(job.id, wait=True)
    done = work.records.get(job.id)
    rows = house.desk.find("", 100)
    assert (done.state, len(rows), len({row.claims["certificateNumber"] for row in rows})) == ("done", 40, 40)
    kinds = [house.world.registry.view(at)["operation"]["type"] for at in range(before, house.world.registry.size)]
    assert (kinds.count("status.publish"), kinds.count("evidence.anchor")) == (1, 1)
    assert house.verify(rows[0].file).verdict == "valid-bearer" == house.verify(rows[-1].file).verdict
    assert checked(work, house, csv_of([person(number) for number in range(1, 41)])).same == 40


def test_what_was_issued_between_check_and_confirmation_is_not_issued_twice(house: House) -> None:
    """Two clerks check the same list and both say "issue"; a third has used one of its numbers from the form."""
    work = importer(house)
    data = csv_of([person(number) for number in range(1, 6)])
    first, second, third = (checked(work, house, data) for _ in range(3))
    claims = {"holderName": "Ana", "certificateNumber": f"{5:012}", "skill": "x", "awardDate": "2026-11-20"}
    house.desk.issue(house.skill, claims, at=house.now, random=secrets.token_bytes)
    work.start(first.id, wait=True)
    work.start(second.id, wait=True)
    work.cancel(third.id)
    states = [work.records.get(job.id) for job in (first, second, third)]
    assert [(job.state, job.good, job.same, job.bad) for job in states[:2]] == [("done", 4, 0, 1), ("done", 0, 4, 1)]
    assert states[2].state == "cancelled" and len(house.desk.find("", 100)) == 5
    with pytest.raises(IssueError):
        work.start(third.id)


def test_a_key_that_ends_while_an_import_is_signed_signs_none_of_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    work = importer(house)
    job = checked(work, house, csv_of([person(number) for number in range(1, 21)]))
    monkeypatch.setattr("issuer_app.importing.job._CHUNK", 10)
    keep, calls = drafts.keep, list[int]()

    def stolen(*given: object) -> None:
        keep(*given)  # type: ignore[arg-type]
        calls.append(1)
        if len(calls) == 1:
            house.desk.rotate("assert", house.now)
            house.desk.compromise(2, house.now, house.now)

    monkeypatch.setattr(drafts, "keep", stolen)
    work.start(job.id, wait=True)
    rows = house.desk.find("", 100)
    assert (work.records.get(job.id).state, len(rows), len(calls)) == ("done", 20, 4)
    assert {house.verify(row.file).verdict for row in rows} == {"valid-bearer"}


def test_who_may_not_issue_may_not_import(house: House) -> None:
    work = Importer(house.desk, clock=lambda: house.now, random=secrets.token_bytes, zone=UTC)
    with pytest.raises(IssueError) as caught:
        work.upload(csv_of([person(1)]), "list.csv", house.skill, by="chen")
    assert caught.value.code == "not-accredited"
    house.desk.apply([house.bound], house.now)
    house.accredit(house.bound)
    with pytest.raises(IssueError) as caught:
        work.upload(csv_of([person(1)]), "list.csv", house.bound, by="chen")
    assert caught.value.code == "import-bound"


def test_a_mapping_that_cannot_be_is_refused(house: House) -> None:
    work = importer(house)
    job = work.upload(csv_of([person(1)]), "list.csv", house.skill, by="chen")
    names = list(job.mapped.columns)
    for changed, key, code in (
        (["", *names[1:]], "", "import-missing"), ([*names[:-1], "nothing"], "", "import-mapping"),
        ([names[1], *names[1:]], "", "import-mapping"), (names[:-1], "", "import-mapping"),
        ([*names[:-1], "lookup.documentNumber"], "", "import-kind"), (names, "holder", "import-mapping"),
    ):  # fmt: skip
        with pytest.raises(MalformedError) as caught:
            work.check(job.id, changed, key, "", wait=True)
        assert caught.value.code == code
    assert work.records.get(job.id).state == "mapping"


def test_files_nobody_came_back_for_are_destroyed(house: House) -> None:
    work = importer(house)
    job = checked(work, house, csv_of([person(1), person(2, 技能等级="9")]))
    work.records.tidy(house.now + 31 * 1_440)
    with pytest.raises(NotFoundError):
        work.records.source(job.id)
    assert work.records.counts(job.id) == {}
    with pytest.raises((IssueError, RejectedError)):
        work.recall(job.id, "fraud")
