"""Every directory beside this file is one case: inputs and the expected outcome of each check."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credentials import carrier, wording
from credentials.binding import NO_BINDING, Binding
from credentials.compact import disclose
from credentials.cpt import Legacy, read_cpt
from credentials.data_integrity import sign
from credentials.issue import Issued
from credentials.policy import Policy
from credentials.presentation import Challenge, answer, chain_tip, gate_code, slot_code
from credentials.report import Outcome, Report
from credentials.rules import rules_from_json
from credentials.vcdm import file_bytes
from credentials.verify import verify
from tests.credentials import old
from tests.credentials.world import (
    ALL_COMPLETE,
    CLAIMS,
    DAY,
    NOW,
    SeenSet,
    World,
    at,
    holder,
    make_signer,
    pass_schema,
)  # fmt: skip
from weid import records
from weid.did import key_id
from weid.facts import Federated
from weid.issuance import Issuance, WithIssuances
from weid.records import (
    AccreditationRecord,
    OverrideRecord,
    Period,
    RecognitionRecord,
    RegisterLeaf,
    RegisterMark,
    RegisterRecord,
    StatusEntry,
)  # fmt: skip
from weid.suites import suite

HERE = Path(__file__).parent
CASES = sorted(path.parent.name for path in HERE.glob("*/case.json"))
SUITES = ("ed25519", "sm2")
SEED, SALT = b"seed-of-a-chain!", b"tip-salt"


def world_of(case: dict[str, Any], suite_name: str) -> World:
    value = case.get("world", {})
    schema = pass_schema(**value.get("schema", {}))
    world = World(suite=suite_name, schema_bytes=schema)
    if "recognition" in case:
        chain = value.get("chain", 853)
        world = World(suite=suite_name, schema_bytes=schema, origin="registry.mo.example", chain=chain, label="Macau registry")
    world.complete = {**ALL_COMPLETE, **value.get("complete", {})}
    world.pinned = value.get("pinned", True)
    world.conflict = value.get("conflict", False)
    world.log_time = NOW - value.get("age", 60)
    world.status_age = value.get("status_age", 60)
    for kind in value.get("drop", []):
        world.dropped.add(records.KINDS[kind])
    for index, state in value.get("entries", {}).items():
        world.entries[int(index)] = StatusEntry(int(index), state, "holder-request", NOW - DAY)
    if "periods" in value:
        world.periods = [
            Period(NOW + since, NOW + until, None if ended is None else NOW + ended, None if ended is None else end)
            for since, until, ended, end in value["periods"]
        ]
    if "key" in value:
        world.issuer.end_key(2, value["key"]["end"], NOW + value["key"]["ended"])
    if "key_number" in value:
        number = value["key_number"]
        world.issuer.signer = make_signer(suite_name, "assert", "another", key_id(world.issuer.did, number))
    if "deactivated" in value:
        world.issuer.deactivated = NOW + value["deactivated"]
    if "override" in value:
        auditor = "did:weid:100:0x" + "1" * 40
        world.extra.append(OverrideRecord(world.list_id, 7, value["override"], "fraud", auditor, NOW - 5, NOW - 5))
    return world


def credential_of(case: dict[str, Any], world: World) -> Issued:
    value = dict(case.get("credential", {}))
    bind = {"none": NO_BINDING, "key": Binding.to_key(holder().public_key)}
    kind = value.pop("bind", "none")
    if kind == "chain":
        bind["chain"] = Binding.to_chain(chain_tip(SEED, SALT, 720, suite(world.suite).hash), 720, suite(world.suite).hash)
    claims = {**CLAIMS, **value.pop("claims", {})}
    for name in ("issued", "until", "valid_from"):
        if name in value:
            value[name] += NOW
    return world.issue(claims, bind=bind[kind], **value)


def register_of(case: dict[str, Any], world: World, issued: Issued) -> None:
    """What the bundle carries of the issuance register (R8)."""
    value = case["world"].get("register")
    if value is None:
        return
    leaf = issued.leaf if value["holds"] else RegisterLeaf(9, b"\5" * 16)
    assert leaf is not None
    published = NOW + value["published"]
    size = 1 if value["complete"] else 2
    world.extra.append(RegisterRecord(world.list_id, (RegisterMark(published, b"\1" * 32, size),), (leaf,)))


def challenge_of(world: World, value: dict[str, Any]) -> Challenge:
    return Challenge(
        "did:web:checker.example", "Border desk 4", value.get("purpose", "entry"), world.schema.digest,
        value.get("mask", 3), value.get("nonce", "n").encode() * 16, NOW + value.get("expires", 5),
    )  # fmt: skip


def shown_of(case: dict[str, Any], world: World, issued: Issued) -> bytes:
    value = case.get("present", {})
    if value.get("form") == "file":
        return _edited(issued.file, value, world)
    data = issued.compact
    if "mask" in value:
        data = disclose(data, value["mask"], mandatory=0)
    mode = value.get("mode")
    if mode == "challenge":
        asked = challenge_of(world, value.get("challenge", {}))
        who = holder(seed=value.get("holder", "holder"))
        data = answer(data, asked.to_bytes(), who, time=NOW + value.get("time", 0))
    elif mode == "gate":
        data = gate_code(data, value.get("gate", "gate-1"), holder(), time=NOW + value.get("time", 0))
    elif mode == "chain":
        data = slot_code(data, SEED, at=NOW + value.get("time", 0))
    if "flip" in value:
        data = data[: value["flip"]] + bytes([data[value["flip"]] ^ 1]) + data[value["flip"] + 1 :]
    return carrier.to_text(data, "v.example").encode()


def _edited(data: bytes, value: dict[str, Any], world: World) -> bytes:
    document = json.loads(data)
    for name, item in value.get("edit", {}).items():
        document["credentialSubject"][name] = item
    if value.get("resign"):
        created = document.pop("proof")["created"]
        document = sign(document, world.issuer.signer, created=created)
    return file_bytes(document)


def facts_of(case: dict[str, Any], world: World, issued: Issued) -> Any:
    facts, value = _registries(case, world), case.get("issuance")
    if value is None:
        return facts
    leaf = issued.leaf
    assert leaf is not None
    proven = Issuance(world.list_id, leaf.index, leaf.cid, NOW + value["published"])
    return WithIssuances(facts, [(proven, World().source if value.get("foreign") else world.source)])


def _registries(case: dict[str, Any], world: World) -> Any:
    value = case.get("recognition")
    if value is None:
        return world.facts()
    home = World()
    home.complete = {**ALL_COMPLETE, **value.get("complete", {})}
    if value.get("lends"):
        home.extra.append(
            AccreditationRecord(
                world.issuer.did, world.schema.digest, 1, home.issuer.did, None,
                (Period(NOW - 300 * DAY, NOW + 300 * DAY, None, None),),
            )
        )  # fmt: skip
    if not value.get("missing"):
        home.extra.append(
            RecognitionRecord(
                world.origin, world.genesis, (("en", "Macau"),), tuple(value.get("purposes", ())),
                (world.schema.digest,), NOW + value.get("since", -DAY), NOW + value.get("until", DAY), 1, b"\3" * 32, 1,
                None, None if "mode" not in value else NOW + value["withdrawn"], value.get("mode"),
            )
        )  # fmt: skip
    return Federated(home.facts(), world.facts())


def policy_of(case: dict[str, Any], world: World) -> Policy:
    value = dict(case.get("policy", {}))
    challenge, rules = value.pop("challenge", None), value.pop("rules", [])
    schemas = value.pop("schemas", None)
    words = dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "A rule.")
    policy = Policy(
        challenge=None if challenge is None else challenge_of(world, challenge),
        rules=rules_from_json([{"description": words, **rule} for rule in rules]),
        schemas=None if schemas is None else frozenset(bytes.fromhex(item) for item in schemas),
        **{name: frozenset(item) if isinstance(item, list) else item for name, item in value.items()},
    )
    if case.get("again") is not None:
        policy = replace(policy, seen=SeenSet())
    if case.get("seen_revoked"):
        policy = replace(policy, seen_revocations=frozenset({f"{world.list_id}|7"}))
    return policy


def legacy_of(case: dict[str, Any], world: World) -> tuple[bytes, Legacy]:
    """A credential of an older system, and what the checker holds about it (R30)."""
    value = case["legacy"]
    issuer = old.OldIssuer("old", value.get("method", "weid:101"), value.get("suite", "secp256k1"))
    signer = old.OldIssuer(value["signer"]) if "signer" in value else issuer
    signer.did = issuer.did
    made = _legacy(value, signer)
    if "known" in value:
        ended = NOW - DAY if "end" in value else None
        recorded = old.OldIssuer("another") if value.get("other_key") else issuer
        recorded.did = issuer.did
        old.known(world, recorded, value["known"], value.get("role", "assert"), end=value.get("end"), ended=ended)
    if "worded" in value:
        made = old.worded(made, value["worded"])
    held = Legacy(
        keys={issuer.did: (issuer.key,)} if value.get("key") else {},
        cpts={2000006: read_cpt(old.CPT)} if value.get("cpt") else {},
        salt_length=value.get("salt_length"),
    )
    return json.dumps(made).encode(), held


def _legacy(value: dict[str, Any], issuer: old.OldIssuer) -> dict[str, Any]:
    form, profile = value.get("form", "original"), value.get("profile", "P3")
    if form == "lite":
        return old.lite(issuer)
    terms: dict[str, Any] = {}
    if "only" in value:
        terms = {"claim": {value["only"]: old.CLAIM[value["only"]]}, "salt": {value["only"]: old.SALT[value["only"]]}}
    if "days" in value:
        terms["expirationDate"] = NOW * 60 + value["days"] * old.DAY
    made = old.original(issuer, profile, **terms)
    if form == "multi":
        second = old.OldIssuer("second")
        made = old.multi(second, [made, old.original(second, profile, id="0aaaaaaa-88c3-4122-afb6-87e21d2ae656")], profile)
        made["claim"]["credentialList"][0]["claim"].update(value.get("inner", {}))
    made = old.hide(made, *value.get("hide", []))
    for name, item in value.get("edit", {}).items():
        if name == "creator":
            made["proof"]["creator"] = issuer.did + item
        else:
            (made if name in made else made["claim"])[name] = item
    if "shift" in value:
        name, by = value["shift"]
        whole, cut = made["claim"][name] + made["proof"]["salt"][name], len(made["claim"][name]) + by
        made["claim"][name], made["proof"]["salt"][name] = whole[:cut], whole[cut:]
    return made


def run(name: str, suite_name: str) -> tuple[dict[str, Any], Report]:
    case = json.loads((HERE / name / "case.json").read_text("utf-8"))
    world = world_of(case, suite_name)
    if "legacy" in case:
        data, held = legacy_of(case, world)
        policy = replace(policy_of(case, world), legacy=held)
        return case, verify(data, facts=world.facts(), policy=policy, at=at(NOW + case.get("at", 0)))
    issued = credential_of(case, world)
    if "world" in case:
        register_of(case, world, issued)
    data, facts, policy = shown_of(case, world, issued), facts_of(case, world, issued), policy_of(case, world)
    moment = at(NOW + case.get("at", 0))
    report = verify(data, facts=facts, policy=policy, at=moment)
    if case.get("again"):
        report = verify(data, facts=facts, policy=policy, at=moment)
    return case, report


@pytest.mark.parametrize("suite_name", SUITES)
@pytest.mark.parametrize("name", CASES)
def test_case(name: str, suite_name: str) -> None:
    """Verdict, exit code and every check that did not pass are exactly as the case says."""
    case, report = run(name, suite_name)
    expect = case["expect"]
    bad = (Outcome.FAILED, Outcome.UNKNOWN)
    got = {check.id: [check.outcome.value, check.code] for check in report if check.outcome in bad}
    assert (expect["verdict"], expect["exit"], expect.get("checks", {})) == (report.verdict, report.exit_code, got)
    for check_id, code in expect.get("codes", {}).items():
        assert code == report.check(check_id).code
    assert expect.get("authentic", report.authentic is not None) == (report.authentic is not None)


@pytest.mark.parametrize("name", CASES)
def test_case_has_a_reason(name: str) -> None:
    """Each case says in one line why it is there."""
    text = (HERE / name / "README.md").read_text("utf-8").strip()
    assert 0 < len(text.splitlines()) <= 1


@pytest.mark.parametrize("name", CASES)
def test_every_code_has_words(name: str) -> None:
    """Every code a case produces has its own sentence, and every verdict its words, in four languages."""
    _, report = run(name, "ed25519")
    for language in ("en", "pt", "zh-Hans", "zh-Hant"):
        assert wording.verdict(report.verdict, language).word
        for check in report:
            assert check.code.startswith("needs-") or check.code in wording.check_codes(language)
