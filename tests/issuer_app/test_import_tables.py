"""Spreadsheets as people and enemies make them: what each reader says, and that nothing but our errors leaves them."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.schema import Schema, read_schema
from issuer_app.importing import columns, xlsx_table
from issuer_app.importing.cells import MAX_BYTES, MAX_ROWS, Table, column_name
from issuer_app.importing.checking import Checked, Checker
from issuer_app.importing.tables import read_table
from issuer_app.texts import Speaker
from tests.issuer_app.house import pack
from tests.issuer_app.sheets import HEADER, csv_of, person, repacked, xlsx_of
from weid.canon import jcs, parse_json
from weid.errors import MalformedError
from weid.hashes import SHA256
from weid.pack import LANGUAGES

# openpyxl warns of what it leaves out of a workbook; what counts here is what is raised.
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:openpyxl.*")
_DOCUMENT = pack("certificate-authority").files["schemas/skill-certificate.json"]
SKILL: Schema = read_schema(_DOCUMENT, SHA256(jcs(parse_json(_DOCUMENT))))
_DAY = datetime(2026, 3, 5)  # noqa: DTZ001 (a spreadsheet's day has no zone)
GOOD = xlsx_of([person(1)])


def checked(data: bytes, *, schema: Schema = SKILL) -> list[Checked]:
    """Every row of a file under the mapping its labels suggest."""
    table = read_table(data)
    checker = Checker(schema, columns.guess(schema, table.header), UTC, date(2026, 11, 30), len(table.header))
    return [checker.check(row) for row in table.rows()]


def faults(data: bytes) -> list[tuple[str, str]]:
    """(cell, key of the text) of everything wrong."""
    return [
        (f"{column_name(one.column)}{row.number}" if one.column >= 0 else str(row.number), one.fault.key)
        for row in checked(data)
        for one in row.wrong
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_is_read_whatever_wrote_it(encoding: str, delimiter: str) -> None:
    rows = [person(number) for number in range(1, 4)]
    found = checked(csv_of(rows, encoding=encoding, delimiter=delimiter))
    assert [row.wrong for row in found] == [(), (), ()]
    assert found[0].claims["holderName"] == "王小明1" and found[2].number == 4
    assert read_table(csv_of(rows, encoding="gb18030")).notices == ("import.notice-gb18030",)


def test_both_kinds_of_file_give_the_same_certificates() -> None:
    rows = [person(number) for number in range(1, 30)]
    assert [row.mark for row in checked(csv_of(rows))] == [row.mark for row in checked(xlsx_of(rows))]


def test_a_title_above_the_header_is_no_header() -> None:
    def title(sheet: Any) -> None:
        sheet.insert_rows(1, 2)
        sheet["A1"] = "2026 年获奖名单"
        sheet.merge_cells("A1:F1")

    data = xlsx_of([person(1)], change=title)
    assert (read_table(data).header, faults(data)) == (HEADER, [])
    assert checked(data)[0].number == 4


@pytest.mark.parametrize(
    ("text", "day"),
    [("2026/3/5", "2026-03-05"), ("2026年3月5日", "2026-03-05"), ("2026.03.05", "2026-03-05"), ("20260305", "2026-03-05"),
     ("２０２６－０３－０５", "2026-03-05"), ("2026-3-5", "2026-03-05")],
)  # fmt: skip
def test_days_are_read_as_people_write_them(text: str, day: str) -> None:
    assert checked(csv_of([person(1, 颁发日期=text)]))[0].claims["awardDate"] == day


@pytest.mark.parametrize("text", ["3", "３", "三级", "三級", "Level 3", " LEVEL-3 ", "Nível 3"])
def test_a_choice_is_found_by_its_label_in_any_language(text: str) -> None:
    value: Any = parse_json(_DOCUMENT)
    value["properties"]["level"]["x-values"] = {"3": {"en": "Level 3", "pt": "Nível 3", "zh-Hans": "三级", "zh-Hant": "三級"}}
    labelled = read_schema(jcs(value), SHA256(jcs(value)))
    assert checked(csv_of([person(1, 技能等级=text)]), schema=labelled)[0].claims["level"] == "3"


def cell(place: str, value: object, format: str | None = None) -> Callable[[Any], None]:
    """A change of one cell."""

    def change(sheet: Any) -> None:
        sheet[place] = value
        if format is not None:
            sheet[place].number_format = format

    return change


@pytest.mark.parametrize(
    ("change", "where", "key"),
    [
        (cell("A2", '="王"&"小明"'), "A2", "fault.cell-formula"),
        (cell("A2", "#REF!"), "A2", "fault.cell-error"),
        (cell("B2", 110105194912310000), "B2", "fault.cell-digits-lost"),
        (cell("B2", 123, "000000000000"), "B2", "fault.cell-zeros"),
        (cell("B2", 123), "B2", "fault.cell-zeros"),
        (cell("C2", _DAY), "C2", "fault.cell-is-date"),
        (cell("C2", 1 / 3), "C2", "fault.cell-inexact"),
        (cell("C2", time(9, 30)), "C2", "fault.cell-time"),
        (cell("C2", "x" * 5_000), "C2", "fault.cell-long"),
        (cell("D2", 46086), "D2", "fault.cell-serial"),
        (cell("D2", _DAY.replace(hour=9)), "D2", "fault.cell-has-time"),
        (cell("D2", "05/03/2026"), "D2", "fault.cell-day-first"),
        (cell("D2", "2026-02-30"), "D2", "fault.date"),
        (cell("D2", "soon"), "D2", "fault.cell-day"),
        (cell("E2", "9"), "E2", "fault.cell-choice"),
        (cell("A2", None), "A2", "fault.missing"),
        (cell("A2", "王\u202e小"), "A2", "fault.invisible"),
        (cell("A2", "王" * 61), "A2", "fault.long"),
        (cell("B2", "12345678901"), "B2", "fault.digits"),
        (cell("H2", "slipped"), "2", "fault.row-wide"),
        (lambda sheet: sheet.merge_cells("A2:A3"), "A2", "fault.cell-merged"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_cell(change: Callable[[Any], None], where: str, key: str) -> None:
    """Each thing people and spreadsheet programs do to a list has its own sentence and the name of the cell."""
    found = faults(xlsx_of([person(1), person(2)], change=change))
    assert (where, key) in found
    assert all(place.endswith("2") or key == "fault.cell-merged" for place, _ in found)  # nobody else's row is touched


@pytest.mark.parametrize("text", ['=HYPERLINK("http://x")', "@SUM(1)", "+cmd|' /C calc'!A0", "-2+3+cmd|' /C calc'!A0", "'=1+1"])
def test_what_a_spreadsheet_program_could_run_is_refused(text: str) -> None:
    assert faults(csv_of([person(1, 职业技能=text)])) == [("C2", "fault.cell-runs")]
    assert checked(csv_of([person(1, 职业技能="+853 2833 0000")]))[0].wrong == ()  # a telephone number runs nowhere


def test_the_same_row_twice_and_the_same_number_twice_are_told_with_the_other_row() -> None:
    rows = [person(1), person(1), person(1, 成绩="合格"), person(2)]
    found = [(row.number, one.fault.key, dict(one.fault.values)) for row in checked(csv_of(rows)) for one in row.wrong]
    assert found == [(3, "fault.row-twice", {"row": 2}), (4, "fault.row-number-twice", {"row": 2})]


def test_full_width_letters_and_digits_become_ordinary_ones_and_it_is_told() -> None:
    row = checked(csv_of([person(1, 证书编号="２０２６１１２３０００１", 职业技能="ＡＩ　训练师（三级）")]))[0]
    assert row.claims["certificateNumber"] == "202611230001" and row.claims["skill"] == "AI 训练师（三级）"
    assert [one.fault.key for one in row.notices] == ["import.notice-wide"] * 2


@pytest.mark.parametrize(
    "name", ["Ana 👩‍🎓 Lau", "مريم", "阿依古丽·买买提", "José d'Ávila", "<script>alert(1)</script>", "../../etc/passwd"]
)
def test_names_of_everybody_are_only_text(name: str) -> None:
    """Emoji joined by an invisible character are refused as the form refuses them (R28); all else is a name."""
    found = checked(csv_of([person(1, 持有人姓名=name)]))[0]
    assert [one.fault.key for one in found.wrong] == (["fault.invisible"] if "\u200d" in name else [])
    assert found.claims.get("holderName") in (None, name)


def test_document_numbers_are_checked_and_stay_out_of_the_certificate() -> None:
    header = (*HEADER, "证件类型", "证件号码", "出生日期")
    rows = [
        [*person(1), "居民身份证", "11010519491231002x", "1949-12-31"], [*person(2), "居民身份证", "110105194912310021", ""],
        [*person(3), "图书证", "1", ""], [*person(4), "香港身份证", "A123456(3)", ""],
    ]  # fmt: skip
    found = checked(csv_of(rows, header=header))
    assert [[one.fault.key for one in row.wrong] for row in found] == [
        [], ["problem.document-check"], ["problem.document-kind"], []
    ]  # fmt: skip
    assert found[0].extra == {"documentKind": "cn-id", "documentNumber": "11010519491231002X", "birthDate": "1949-12-31"}
    assert found[3].extra == {"documentKind": "hk-id", "documentNumber": "A1234563"}
    assert "11010519491231002X" not in str(found[0].claims)


def test_labels_in_four_languages_find_their_claims() -> None:
    for language in LANGUAGES:
        header = [dict(claim.label)[language] for claim in SKILL.claims]
        assert columns.guess(SKILL, header).columns == SKILL.names
    assert columns.guess(SKILL, ["姓名", "备注", "姓名 "]).columns == ("holderName", "", "")


def same(_: str, body: bytes) -> bytes:
    """A part as it was."""
    return body


DTD = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><x>&b;</x>'
LYING = (b'<dimension ref="A1:F2"/>', b'<dimension ref="A1:XFD1048576"/>')


def zipped(name: str, data: bytes) -> bytes:
    """A ZIP of one file."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(name, data)
    return out.getvalue()


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "sheet-empty"),
    "blank": (lambda: b"\n\n \n", "sheet-empty"),
    "large": (lambda: b"a," * (MAX_BYTES // 2 + 1), "sheet-large"),
    "old-workbook": (lambda: b"\xd0\xcf\x11\xe0" + bytes(600), "sheet-old"),
    "gzip": (lambda: gzip.compress(bytes(1 << 16)), "sheet-packed"),
    "zip-of-a-list": (lambda: zipped("list.csv", csv_of([person(1)])), "sheet-zip"),
    "bomb": (lambda: repacked(GOOD, same, [("xl/media/big.bin", bytes(3 << 20))]), "sheet-bomb"),
    "many-parts": (lambda: repacked(GOOD, same, [(f"xl/{n}.bin", b"") for n in range(1_000)]), "sheet-bomb"),
    "entities": (lambda: repacked(GOOD, lambda name, body: DTD if "styles" in name else body), "sheet-entities"),
    "entities-in-strings": (lambda: repacked(GOOD, same, [("xl/sharedStrings.xml", DTD)]), "sheet-entities"),
    "half-a-workbook": (lambda: GOOD[: len(GOOD) // 2], "sheet-broken"),
    "zip-start-only": (lambda: b"PK\x03\x04" + bytes(30), "sheet-broken"),
    "macros": (lambda: repacked(GOOD, same, [("xl/vbaProject.bin", b"x")]), "sheet-macros"),
    "paths": (lambda: repacked(GOOD, same, [("../../evil.xml", b"<x/>")]), "sheet-broken"),
    "broken-xml": (lambda: repacked(GOOD, lambda name, body: body[:-40] if "sheet1" in name else body), "sheet-broken"),
    "no-sheet": (lambda: repacked(GOOD, lambda name, body: None if "sheet1" in name else body), "sheet-empty"),
    "far-column": (lambda: xlsx_of([person(1)], change=cell("XFD2", "far away")), "sheet-columns"),
    "merged-header": (lambda: xlsx_of([person(1)], change=lambda sheet: sheet.merge_cells("A1:B1")), "sheet-header-merged"),
    "twice-a-name": (lambda: csv_of([person(1)], header=(*HEADER[:-1], HEADER[0])), "sheet-header"),
    "open-quote": (lambda: b'a,b\n"1,2\n', "sheet-quotes"),
    "picture": (lambda: b"\x89PNG\r\n\x1a\n" + bytes(50), "sheet-binary"),
    "zeros": (lambda: bytes(100), "sheet-binary"),
    "latin": (lambda: b"name;n\xfa\xfa\xffmero\n\xff\xfe\n", "sheet-encoding"),
    "wide": (lambda: (",".join("a" * 101) + "\n").encode(), "sheet-columns"),
    "rows": (lambda: b"a,b\n" + b"1,2\n" * 60, "sheet-rows"),
    "rows-of-a-workbook": (lambda: xlsx_of([person(n) for n in range(60)]), "sheet-rows"),
    "lying-size": (lambda: repacked(GOOD, lambda name, body: body.replace(*LYING)), ""),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_every_hostile_file_has_one_clear_answer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sentence in four languages for each, and never a crash, a hang, or half a table. The caps are lowered to keep it short."""
    monkeypatch.setitem(MAX_ROWS, "csv", 50)
    monkeypatch.setitem(MAX_ROWS, "xlsx", 50)
    monkeypatch.setattr(xlsx_table, "MAX_UNPACKED", 2 << 20)
    make, code = HOSTILE[name]
    if not code:
        assert faults(make()) == []
        return
    with pytest.raises(MalformedError) as caught:
        list(read_table(make()).rows())
    assert caught.value.code == code
    assert all(Speaker(language, UTC).knows(code) for language in LANGUAGES)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_only_our_errors_leave_the_readers(data: bytes) -> None:
    for text in (data, b"PK\x03\x04" + data, b"a,b\n" + data):
        drain(text)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(min_size=1, max_size=8))
def test_only_our_errors_leave_a_workbook_that_was_changed_anywhere(place: int, change: bytes) -> None:
    drain(GOOD[:place] + change + GOOD[place + len(change) :])


@settings(max_examples=25, deadline=None)
@given(st.data())
def test_only_our_errors_leave_a_sheet_whose_xml_was_changed(data: st.DataObject) -> None:
    def change(name: str, body: bytes) -> bytes:
        if "sheet1" not in name and "workbook.xml" not in name and "sharedStrings" not in name:
            return body
        place = data.draw(st.integers(0, len(body) - 1))
        return body[:place] + data.draw(st.binary(max_size=4)) + body[place + 1 :]

    drain(repacked(GOOD, change))


def drain(data: bytes) -> None:
    try:
        table: Table = read_table(data)
        checker = Checker(SKILL, columns.guess(SKILL, table.header), UTC, date(2026, 11, 30), len(table.header))
        for row in table.rows():
            checker.check(row)
    except MalformedError:
        pass
