"""The index: found by what was given, by nothing else; blind at rest; written and erased with the certificate."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from issuer_app.ledger import Issued
from issuer_app.lookups import InputFault, index_faults, index_rows, lookup_of, read_lookup
from issuer_app.lookups.blind import Blind
from issuer_app.lookups.inputs import read_forms
from issuer_app.lookups.printed import printed
from issuer_app.terms import Terms
from tests.issuer_app.house import House, pack
from tests.issuer_app.lookup_house import (
    CLAIMS,
    CN,
    CN2,
    EXISTS,
    HK,
    OPEN,
    PASSPORT,
    PRIVATE,
    SECOND,
    asking_house,
    award,
    lookups,
)
from weid.canon import jcs
from weid.errors import IssueError, MalformedError
from weid.hashes import SHA256, SM3, Hash


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[House]:
    made = asking_house(tmp_path, {"document": OPEN})
    yield made
    made.close()


def found(
    house: House, kind: str = "cn-id", number: str = CN, name: str = "陈大文", rule: str = "document", **more: str
) -> list[str]:
    chosen = house.desk.lookups.lookup.rules[rule]
    by = ("documentNumber", "name", *more)
    forms = {key: read_forms(key, text) for key, text in more.items()}
    forms |= {"documentNumber": read_forms("documentNumber", number, kind=kind), "name": read_forms("name", name)}
    return list(house.desk.lookups.find(chosen, by, forms))


def test_found_by_number_and_name_in_any_spelling_and_by_nothing_else(open_house: House) -> None:
    row = award(open_house, documentKind="cn-id", documentNumber=CN)
    assert found(open_house) == found(open_house, number="１１０１０１ 19900307 803x", name="陳 大文") == [row.id]
    assert found(open_house, name="陈太文") == found(open_house, number=CN2) == []
    assert found(open_house, kind="passport", number="110101199") == []


def test_a_wrong_check_digit_is_refused_before_anything_is_issued(open_house: House) -> None:
    with pytest.raises(InputFault) as caught:
        award(open_house, documentKind="cn-id", documentNumber=CN[:-1] + "1")
    assert (caught.value.field, caught.value.code) == ("documentNumber", "document-check")
    assert open_house.desk.find("") == ()


@pytest.mark.parametrize(
    ("extra", "faults"),
    [
        ({"documentKind": "cn-tw-permit", "documentNumber": "12345678"}, {("documentKind", "document-kind")}),
        ({"documentNumber": CN}, {("documentKind", "document-kind")}), ({"birthDate": "1990-03-07"}, {("birthDate", "lookup-not-asked")}),
        ({"shoe": "43"}, {("shoe", "lookup-not-asked")}), ({"cn-id": CN, "hk-id": HK, "mo-id": "1"}, {("mo-id", "document-length")}),
        ({"documentKind": "cn-id", "documentNumber": ""}, set()), ({"contact": "x" * 201}, {("contact", "lookup-long")}),
        ({"cn-id": "11010120990307803X"}, {("cn-id", "document-date")}),
    ],
)  # fmt: skip
def test_every_input_that_is_wrong_is_named(open_house: House, extra: dict[str, str], faults: set[Any]) -> None:
    schema = open_house.desk.schema(open_house.skill, open_house.now)
    told = index_faults(open_house.desk, schema, CLAIMS, extra, at=open_house.now)
    assert {(fault.field, fault.code) for fault in told} == faults
    assert not any(text and text in str(fault) for fault in told for name, text in extra.items() if name != "shoe")


def test_second_factors_are_needed_and_one_of_two_is_enough(tmp_path: Path) -> None:
    house = asking_house(tmp_path, {"document": SECOND})
    with pytest.raises(InputFault, match="missing"):
        award(house, cn_id=CN)
    row = award(house, cn_id=CN, phoneTail="0123")
    assert found(house, phoneTail="0123") == [row.id]
    assert found(house, phoneTail="0124") == found(house, birthDate="1990-03-07") == found(house) == []
    house.close()


def test_a_rule_may_demand_its_inputs(tmp_path: Path) -> None:
    house = asking_house(tmp_path, {"document": {**OPEN, "required": True}})
    with pytest.raises(InputFault) as caught:
        award(house)
    assert (caught.value.field, caught.value.code) == ("documentNumber", "lookup-missing")
    house.close()


def test_two_documents_are_one_person_without_anything_twice(open_house: House) -> None:
    """S03: two kinds of document at once, and a second one later, lead to the same certificates, each once."""
    first = award(open_house, cn_id=CN, hk_id=HK)
    second = award(open_house, {"certificateNumber": "202611230002"}, passport=PASSPORT)
    assert found(open_house) == found(open_house, "hk-id", HK) == [first.id]
    assert found(open_house, "passport", PASSPORT) == [second.id]
    third = award(open_house, {"certificateNumber": "202611230003"}, hk_id=HK, passport=PASSPORT)
    for kind, number in (("cn-id", CN), ("hk-id", HK), ("passport", PASSPORT)):
        assert found(open_house, kind, number) == [third.id, second.id, first.id]
    assert len(open_house.desk.find("")) == 3


def test_the_same_number_under_another_name_is_another_person(open_house: House) -> None:
    """A mistyped number must not show one person's certificates to another."""
    first = award(open_house, cn_id=CN)
    second = award(open_house, {"holderName": "李四"}, cn_id=CN)
    assert (found(open_house), found(open_house, name="李四")) == ([first.id], [second.id])


def test_a_changed_passport_is_corrected_for_all_certificates(open_house: House) -> None:
    desk, at, random = open_house.desk, open_house.now, open_house.world.random
    rows = [award(open_house, {"certificateNumber": f"20261123000{n}"}, passport=PASSPORT) for n in (1, 2)]
    (entry,) = desk.lookups.entries(rows[0].id)
    assert (entry.kind, entry.rules) == ("passport", ("document",))
    given, faults = desk.lookups.read("skill-certificate", CLAIMS, {"passport": "E7654321"}, day=at)
    assert faults == ()
    desk.lookups.replace(rows[0].id, "skill-certificate", entry.id, given, at=at, random=random)
    assert found(open_house, "passport", PASSPORT) == []
    assert found(open_house, "passport", "E7654321") == [rows[1].id, rows[0].id] == list(desk.lookups.together(rows[0].id))
    assert len(desk.lookups.entries(rows[1].id)) == 1


def test_a_rule_opens_only_its_own_kinds(tmp_path: Path) -> None:
    """A certificate under a stricter rule is not shown to whoever knows what an open rule asks of the same person."""
    house = asking_house(tmp_path, {"open": OPEN, "strict": {**SECOND, "schemas": ["training-certificate"]}})
    house.desk.apply([house.training], house.now)
    house.accredit(house.training)
    award(house, cn_id=CN)
    training = {"holderName": "陳大文", "course": "x", "awardDate": "2026-11-20", "hours": 8}
    schema = house.desk.schema(house.training, house.now)
    claims = {name: value for name, value in training.items() if name in {claim.name for claim in schema.claims}}
    row = house.desk.issue(
        house.training, claims, at=house.now, random=house.world.random, lookup={"cn-id": CN, "birthDate": "1990-03-07"}
    )
    assert row.id not in found(house, rule="open")
    assert found(house, rule="strict", birthDate="1990-03-07") == [row.id]
    house.close()


def test_a_certificate_is_found_by_its_printed_number(tmp_path: Path) -> None:
    house = asking_house(tmp_path, {"number": EXISTS})
    row, other = award(house), award(house, {"certificateNumber": "202611230002"})
    rule = house.desk.lookups.lookup.rules["number"]
    for text in (row.id, printed(row.id), printed(row.id).lower()):
        assert house.desk.lookups.find(rule, rule.by[0], {"certificateId": read_forms("certificateId", text)}) == (row.id,)
    assert other.id != row.id
    house.close()


def test_a_claim_code_opens_one_certificate_and_can_be_printed_again(tmp_path: Path) -> None:
    house = asking_house(tmp_path, {"code": {**EXISTS, "by": [["claimCode"]], "shows": "certificate"}, "document": PRIVATE})
    row = award(house, cn_id=CN, birthDate="1990-03-07", contact="ana@example.org")
    award(house, {"certificateNumber": "202611230002"}, cn_id=CN, birthDate="1990-03-07")
    contact, code = house.desk.lookups.note(row.id)
    rule = house.desk.lookups.lookup.rules["code"]
    assert house.desk.lookups.find(rule, rule.by[0], {"claimCode": read_forms("claimCode", code)}) == (row.id,)
    assert contact == "ana@example.org"
    held = (house.folder / "desk" / "issued.db").read_bytes() + (house.folder / "desk" / "issued.db-wal").read_bytes()
    assert code.encode() not in held and b"ana@example.org" not in held
    house.close()


@pytest.mark.parametrize("profile", ["intl", "gm"])
def test_r25_nothing_readable_stays_and_erasing_takes_everything(tmp_path: Path, profile: str) -> None:
    """No number and no keyless hash of one is in the folder; after erasure the index has no row, and no free page has one."""
    import hashlib

    house = asking_house(tmp_path, {"document": SECOND}, profile=profile)
    row = award(house, cn_id=CN, birthDate="1990-03-07")
    rule = house.desk.lookups.lookup.rules["document"]
    forms = {"documentNumber": (f"cn-id:{CN}",), "name": ("陈大文",), "birthDate": ("1990-03-07",)}
    (value,) = house.desk.lookups.values(rule, rule.by[0], forms)
    texts = [CN, CN.lower(), f"cn-id:{CN}", "1990-03-07"]
    hashes = [hashlib.new(name, text.encode()).digest() for name in ("sha256", "md5", "sha1") for text in texts]

    def held() -> bytes:
        return b"".join(path.read_bytes() for path in sorted((house.folder / "desk").rglob("*")) if path.is_file())

    log = b"".join(path.read_bytes() for path in (house.folder / "registry").rglob("*") if path.is_file())
    assert not any(secret in log for secret in (value, value.hex().encode(), CN.encode()))  # R25: it never leaves the desk
    assert value in held()
    assert not any(
        needle in held() for needle in [*(text.encode() for text in texts), *hashes, *(h.hex().encode() for h in hashes)]
    )
    house.desk.erase(row.id)
    assert found(house, birthDate="1990-03-07") == []
    assert value not in held()
    assert all(not house.desk.lookups.store.rows(f"SELECT * FROM lookup_{table}") for table in ("entries", "people", "notes"))
    house.close()


def test_erasing_one_of_two_keeps_the_person(open_house: House) -> None:
    first, second = award(open_house, cn_id=CN), award(open_house, {"certificateNumber": "202611230002"}, cn_id=CN)
    open_house.desk.erase(first.id)
    assert found(open_house) == [second.id]


@pytest.mark.parametrize("hash", [SHA256, SM3])
def test_another_desk_makes_other_values_from_the_same_number(hash: Hash) -> None:
    """The key is the desk's own: an index says nothing to another institution; rules and inputs are kept apart too."""
    fields = {"documentNumber": f"cn-id:{CN}", "name": "x"}
    made = {Blind(key * 32, hash).value(rule, fields) for key in (b"a", b"b") for rule in ("document", "other")}
    assert len(made) == 4 and {len(value) for value in made} == {32}
    assert Blind(b"a" * 32, hash).value("document", dict(reversed(fields.items()))) in made
    assert Blind(b"a" * 32, hash).value("document", {"documentNumber": "x", "name": f"cn-id:{CN}"}) not in made


def test_the_key_stays_in_the_folder_and_is_sealed(open_house: House) -> None:
    key = open_house.desk.party.secret("lookup")
    assert len(key) == 32 and key == open_house.desk.party.secret("lookup")
    sealed = (open_house.folder / "desk" / "lookup.secret").read_bytes()
    assert key not in sealed and key.hex().encode() not in sealed


def test_the_same_request_with_other_inputs_is_refused(open_house: House) -> None:
    """Asking again under a key gives the same certificate; other look-up inputs are other content."""
    desk, at, random = open_house.desk, open_house.now, open_house.world.random

    def ask(number: str) -> Issued:
        return desk.issue(open_house.skill, CLAIMS, at=at, random=random, request="r", lookup={"cn-id": number})

    assert ask(CN).id == ask(CN.lower()).id
    with pytest.raises(IssueError) as caught:
        ask(CN2)
    assert caught.value.code == "key-reused"


def test_many_rows_are_written_in_the_transaction_of_their_caller(open_house: House) -> None:
    """What undoes the rows undoes their index."""
    row, schema = award(open_house), open_house.desk.schema(open_house.skill, open_house.now)

    def write(extra: dict[str, str]) -> None:
        index_rows(open_house.desk, row.id, schema, extra, claims=CLAIMS, at=open_house.now, random=open_house.world.random)

    def fail() -> None:
        with open_house.desk.lookups.store.change():
            write({"cn-id": CN})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert found(open_house) == []
    with open_house.desk.lookups.store.change():
        write({"cn-id": CN})
    assert found(open_house) == [row.id]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"by": [["name"]]}, "guessed"), ({"by": [["documentNumber"]]}, "guessed"), ({"by": [["name", "birthDate"]]}, "guessed"),
    ({"by": []}, "by"), ({"by": [["documentNumber", "height"]]}, "height"), ({"documents": []}, "documents"),
    ({"documents": ["library-card"]}, "documents"), ({"shows": "all"}, "shows"), ({"schemas": []}, "schemas"),
    ({"from": {"name": 1}}, "from"), ({"title": {"en": "x"}}, "pt"), ({"secret": True}, "object of"), ({"required": "yes"}, "required"),
    ({"by": [["name", "name"]]}, "once"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "word"), BAD)
def test_a_rule_that_is_wrong_is_refused_by_name(change: dict[str, Any], word: str) -> None:
    with pytest.raises(MalformedError, match=word):
        read_lookup({"rules": {"document": {**OPEN, **change}}})  # type: ignore[dict-item]


@pytest.mark.parametrize("pace", [{"floor": 5}, {"address": "many"}, {"all": "0 per day"}, {"speed": 1}, {"linkDays": 0}])
def test_a_pace_that_is_wrong_is_refused(pace: dict[str, Any]) -> None:
    with pytest.raises(MalformedError, match="pace"):
        read_lookup({"pace": pace})


def test_rules_are_kept_with_the_terms_and_old_terms_have_none() -> None:
    known = read_lookup({"rules": {"document": OPEN, "private": PRIVATE}, "pace": {"floor": 200}})  # type: ignore[dict-item]
    terms = Terms(lookup=known)
    assert Terms.from_bytes(terms.to_bytes()) == terms
    old = b'{"listSize":131072,"nextUpdate":10080,"typed":{},"valid":{}}'
    assert Terms.from_bytes(old).lookup.rules == {}
    assert Terms.of_pack(pack("health-code")).lookup.rules == {}


@pytest.mark.parametrize(("change", "word"), [({"schemas": ["other"]}, "other"), ({"from": {"name": "nickname"}}, "nickname")])
def test_a_pack_whose_rules_name_what_it_has_not_is_refused(change: dict[str, Any], word: str) -> None:
    good = pack("certificate-authority")
    files = {**good.files, "lookup.json": jcs({"rules": {"document": {**OPEN, **change}}})}
    with pytest.raises(MalformedError, match=word):
        lookup_of(replace(good, files=files))


def test_a_key_that_is_lost_opens_nothing(open_house: House) -> None:
    """Other key, other values: the index alone answers nobody."""
    award(open_house, cn_id=CN)
    (open_house.folder / "desk" / "lookup.secret").unlink()
    lookups(open_house, {"document": OPEN})
    assert found(open_house) == []
