"""Plans and the packs they make: complete in four languages, the same both ways, and every made case passes and can fail."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile, ZipInfo

import pytest
from click.testing import CliRunner

from issuer_app.design.checking import faults
from issuer_app.design.examples import EXAMPLES, example
from issuer_app.design.making import pack_files
from issuer_app.design.parcel import unpacked
from issuer_app.design.plan import Plan, field_name, read_plan
from issuer_app.design.table import fields_of_csv
from issuer_app.design.unmaking import plan_of
from issuer_app.design.words import completed, suggestion
from wallet_cli.cases import read_cases, run_case, run_flipped
from wallet_cli.pack import load_pack
from wallet_cli.pack import pack as pack_command
from weid.canon import jcs, parse_json
from weid.errors import MalformedError
from weid.pack import LANGUAGES, read_pack

TABLE = (
    "en,pt,zh-Hans,zh-Hant,type,most,class,choices\nName,Nome,姓名,姓名,text,60,public,\nDate of test,Data,日期,日期,date,,public,\n"
    "Group,Grupo,组别,組別,choice,,disclosable,A|B\n"
)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("bind", ["none", "key"])
def test_examples_are_complete_and_come_back_from_their_packs(name: str, bind: str) -> None:
    plan = replace(example(name), bind=bind)
    files = pack_files(plan)
    assert faults(plan) == ()
    assert pack_files(plan_of(files)[0]) == files
    assert read_plan(plan.to_bytes()) == plan


@pytest.mark.parametrize("bind", ["none", "key"])
def test_the_cases_of_a_made_pack_pass(bind: str) -> None:
    pack = read_pack(pack_files(replace(example("licence"), bind=bind)))
    cases = read_cases(pack)
    assert set(cases) == {"golden", "altered", "revoked", "unreviewed"}
    for name in ("golden", "altered"):
        assert run_case(pack, cases[name]) == []


@pytest.mark.long
@pytest.mark.parametrize("name", EXAMPLES)
def test_the_cases_of_every_example_can_fail(name: str) -> None:
    pack = read_pack(pack_files(example(name)))
    for case in read_cases(pack).values():
        assert run_case(pack, case) == []
        assert run_flipped(pack, case) == []


def test_what_is_missing_is_said_at_its_field() -> None:
    """One fault a gap, none of them a crash: languages, suggestions, the two scripts, limits, look-up."""
    plan = example("award")
    assert {fault.place for fault in faults(Plan("empty"))} == {"title", "fields"}
    title = dict(plan.title)
    assert keys(replace(plan, title={"en": "A"})) == ["title language"] * 3
    assert keys(replace(plan, suggested=frozenset({"title:zh-Hant"}))) == ["title suggested"]
    assert keys(replace(plan, title={**title, "zh-Hant": title["zh-Hans"]})) == ["title same-script"]
    assert keys(replace(plan, title={**title, "en": "A\u200bB"})) == ["title unsafe"]
    field = plan.fields[1]
    assert keys(plan.with_field(replace(field, least=9, most=3))) == [f"field:{field.name} bounds"]
    assert keys(plan.with_field(replace(field, type="digits", most=19))) == [f"field:{field.name} digits"]
    assert keys(plan.with_field(replace(field, type="choice"))) == [f"field:{field.name} choices"]
    assert keys(plan.with_field(replace(field, most=5, sample="far too long"))) == [f"field:{field.name} sample"]
    assert keys(plan.without("personName")) == ["finding person"]
    hidden = replace(plan, fields=tuple(replace(item, privacy="disclosable") for item in plan.fields))
    assert keys(hidden) == ["fields no-public"]
    assert keys(replace(plan, page=replace(plan.page, accent="red"))) == ["page engine"]


def keys(plan: Plan) -> list[str]:
    return [f"{fault.place} {fault.key.removeprefix('design.fault-')}" for fault in faults(plan)]


def test_one_script_is_suggested_from_the_other_and_marked() -> None:
    words, marks = completed({"en": "Mileage", "zh-Hans": "里程证书"}, "title")
    assert words == {"en": "Mileage", "zh-Hans": "里程证书", "zh-Hant": "里程證書"}
    assert marks == {"title:zh-Hant"}
    assert suggestion({"zh-Hant": "證書"}, "zh-Hans") == "证书"
    assert completed(dict.fromkeys(LANGUAGES, "x"), "title")[1] == frozenset()


def test_what_the_pages_cannot_show_is_not_lost_silently() -> None:
    """A pattern, a second schema, another rule: refused by name."""
    files = pack_files(example("award"))
    schema = parse_json(files["schemas/contest-award.json"])
    schema["properties"]["contest"]["pattern"] = "^A"  # type: ignore[index, call-overload]
    with pytest.raises(MalformedError, match=r"schemas/contest-award\.json says more"):
        plan_of({**files, "schemas/contest-award.json": jcs(schema)})
    with pytest.raises(MalformedError, match="one kind"):
        plan_of({**files, "schemas/other.json": jcs(schema)})
    with pytest.raises(MalformedError, match=r"issue\.json says more"):
        plan_of({**files, "issue.json": b"{}"})
    for path, data in (
        ("render.json", b'{"kinds":{"contest-award":1}}'), ("lookup.json", b'{"rules":{"a":{"by":[]}}}'), ("lookup.json", b'{"rules":1}'),
    ):  # fmt: skip
        with pytest.raises(MalformedError):
            plan_of({**files, path: data})
    with pytest.raises(MalformedError):
        read_plan(b'{"name":"a","fields":[{}]}')


def test_a_table_gives_the_fields() -> None:
    fields = fields_of_csv(("\ufeff" + TABLE).encode())
    assert [(item.name, item.type, item.privacy) for item in fields] == [
        ("name", "text", "public"), ("dateOfTest", "date", "public"), ("group", "choice", "disclosable"),
    ]  # fmt: skip
    assert [value for value, _ in fields[2].choices] == ["A", "B"]
    assert field_name("证书", ["a"]) == "field2"
    for bad in (
        b"",
        b"\xff",
        b"en,bogus\n",
        b"en,type\nName,gold\n",
        b"en\n" + b"x\n" * 65,
        b"name\na\na\n",
        b"en,most\nA,1e9\n",
    ):
        with pytest.raises(MalformedError):
            fields_of_csv(bad)


def test_by_command(tmp_path: Path) -> None:
    """`weid pack init` writes what the pages would; a missing label is named with a suggestion, and nothing is written."""
    run, place = CliRunner(), tmp_path / "made"
    assert run.invoke(pack_command, ["init", "contest-award", "--like", "award", "--folder", str(place)]).exit_code == 0
    assert dict(load_pack(place).files) == pack_files(example("award"))
    assert run.invoke(pack_command, ["init", "contest-award", "--like", "award", "--folder", str(place)]).exit_code == 2
    assert run.invoke(pack_command, ["test", str(place), "--case", "unreviewed"]).exit_code == 0
    table, answers = tmp_path / "fields.csv", tmp_path / "answers.json"
    table.write_text(TABLE, "utf-8")
    words = ["init", "tested", "--like", "award", "--from", str(table), "--folder", str(tmp_path / "table")]
    assert run.invoke(pack_command, words).exit_code == 0
    assert load_pack(tmp_path / "table").section("schemas/tested")["required"] == ["name", "dateOfTest", "group"]
    answers.write_bytes(replace(example("award"), title={"en": "A", "pt": "B", "zh-Hans": "证"}).to_bytes())
    done = run.invoke(pack_command, ["init", "a", "--from", str(answers), "--folder", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "perhaps 證" in done.output
    assert not (tmp_path / "none").exists()


def test_a_zip_with_a_nameless_member_is_refused() -> None:
    """Python's own `ZipInfo.is_dir` breaks down over one (found by the fuzz test)."""
    file, nameless = BytesIO(), ZipInfo("x")
    nameless.filename = ""
    with ZipFile(file, "w") as archive:
        archive.writestr(nameless, b"x")
    with pytest.raises(MalformedError):
        unpacked(file.getvalue())
