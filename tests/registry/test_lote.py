"""The list of trusted entities: what the bundle says, in the shape that other software reads (ETSI TS 119 602)."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from registry import operations as ops
from registry.lote import GRANTED, SUSPENDED, WITHDRAWN, Scheme, list_of_trusted_entities, read_scheme
from tests.registry.test_rules import terms
from tests.registry.world import World
from weid.errors import MalformedError
from weid.keys import PublicKey

SCHEME = Scheme({"en": "Authority", "zh-Hant": "主管機關"}, {"en": "Issuers"}, "MO", "https://registry.example.org/")
PEERS = Path(__file__).resolve().parents[2] / "benchmarks" / "peers" / "node_modules" / "@owf" / "eudi-lote"


@pytest.fixture
def made(world: World) -> dict[str, Any]:
    """Three issuers, one suspended and one only asking, and a recognised registry that was withdrawn."""
    schema = world.schema()
    good, bad = world.issuer(schema), world.issuer(schema)
    asking = world.register(world.actor())
    world.submit(ops.issuer_apply(world.author(asking), (("en", "A"), ("pt", "A"), ("zh-Hans", "A"), ("zh-Hant", "A")), [schema]))
    world.submit(ops.trust_recognise(world.author(world.admin), b"\1" * 32, terms(world)))
    world.tick(10)
    world.submit(ops.issuer_suspend(world.author(world.admin), bad.did, "audit"))
    world.submit(ops.trust_withdraw(world.author(world.admin), b"\1" * 32, "cease"))
    facts = world.facts()
    return {"list": list_of_trusted_entities(facts, SCHEME), "good": good, "bad": bad, "asking": asking, "world": world}


def entities(made: dict[str, Any]) -> dict[str, Any]:
    found = made["list"]["LoTE"]["TrustedEntitiesList"]
    return {item["TrustedEntityInformation"]["TEInformationURI"][0]["uriValue"]: item for item in found}


def test_issuers_with_their_keys_states_and_history(made: dict[str, Any]) -> None:
    found = entities(made)
    assert made["asking"].did not in found and len(found) == 3
    (service,) = found[made["good"].did]["TrustedEntityServices"]
    information = service["ServiceInformation"]
    assert information["ServiceStatus"] == GRANTED and "ServiceHistory" not in service
    (jwk,) = information["ServiceDigitalIdentity"]["PublicKeyValues"]
    assert PublicKey.from_jwk(jwk) == made["good"].issuing.public_key
    (service,) = found[made["bad"].did]["TrustedEntityServices"]
    assert service["ServiceInformation"]["ServiceStatus"] == SUSPENDED
    assert [item["ServiceStatus"] for item in service["ServiceHistory"]] == [GRANTED]


def test_recognised_registries(made: dict[str, Any]) -> None:
    services = entities(made)["urn:weid:genesis:" + "01" * 32]["TrustedEntityServices"]
    assert services and all(item["ServiceInformation"]["ServiceStatus"] == WITHDRAWN for item in services)
    assert all(
        item["ServiceInformation"]["ServiceTypeIdentifier"].startswith("urn:weid:service:recognition:") for item in services
    )


def test_the_list_says_which_state_it_is_of(made: dict[str, Any]) -> None:
    about = made["list"]["LoTE"]["ListAndSchemeInformation"]
    world: World = made["world"]
    assert about["LoTESequenceNumber"] == world.registry.size - 1
    assert about["ListIssueDateTime"] < about["NextUpdate"]
    assert about["SchemeTypeCommunityRules"][0]["uriValue"].endswith(world.pin.hex())
    json.dumps(made["list"])


GOOD = {"operator": {"en": "A"}, "name": {"en": "B"}, "territory": "MO", "uri": "https://x.example/"}


@pytest.mark.parametrize(
    "change",
    [{"operator": {}}, {"name": "B"}, {"name": {"en": 5}}, {"territory": "mo"}, {"territory": "MAC"}, {"uri": "http://x"},
     {"days": 0}, {"days": 400}, {"days": "9"}, {"more": 1}],
)  # fmt: skip
def test_a_scheme_is_read_strictly(change: dict[str, Any]) -> None:
    assert read_scheme(GOOD) == replace(SCHEME, operator={"en": "A"}, name={"en": "B"}, uri="https://x.example/")
    with pytest.raises(MalformedError):
        read_scheme({**GOOD, **change})
    with pytest.raises(MalformedError):
        read_scheme([])


@pytest.mark.skipif(
    not PEERS.exists() or shutil.which("node") is None, reason="no @owf/eudi-lote: npm install in benchmarks/peers"
)
def test_another_implementation_reads_it(made: dict[str, Any], tmp_path: Path) -> None:
    """The schema of @owf/eudi-lote, an independent implementation of TS 119 602, takes our list."""
    (tmp_path / "list.json").write_text(json.dumps(made["list"]))
    code = (
        f"import {{validateLoTE}} from {json.dumps((PEERS / 'dist' / 'index.mjs').as_uri())};"
        "import {readFileSync} from 'node:fs';"
        f"console.log(JSON.stringify(validateLoTE(JSON.parse(readFileSync({json.dumps(str(tmp_path / 'list.json'))})))))"
    )
    ran = subprocess.run(["node", "--input-type=module", "-e", code], capture_output=True, text=True, timeout=60)
    answer = json.loads(ran.stdout)
    assert answer.get("valid") is True, (answer, ran.stderr)
