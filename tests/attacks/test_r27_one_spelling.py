"""R27: any change fails, also one that another reader would call the same; nothing signed can break a report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials.compact import read_compact
from credentials.data_integrity import sign
from credentials.policy import Policy
from credentials.verify import verify
from tests.attacks.forge import forged
from tests.credentials.world import NOW, World, at, holder, pass_schema
from weid.errors import MalformedError

WORLD = World()
MADE = WORLD.issue()


def changed(**change: Any) -> bytes:
    return json.dumps({**json.loads(MADE.file), **change}).encode()


def test_r27_a_proof_wrapped_in_a_list_is_another_file() -> None:
    """W3C allows `"proof": [proof]`; our own files have one spelling, and nothing signed covers the brackets."""
    report = verify(changed(proof=[json.loads(MADE.file)["proof"]]), facts=WORLD.facts(), at=at())
    assert (report.exit_code, report.verdict) == (1, "not-a-credential")


@pytest.mark.parametrize("name", ["id", "challenge", "domain", "nonce", "expires"])
def test_r27_a_proof_says_nothing_that_we_never_say(name: str) -> None:
    """An issuer that adds members to the proof of one of our files makes a file we do not read."""
    document = {key: value for key, value in json.loads(MADE.file).items() if key != "proof"}
    proof = sign(document, WORLD.issuer.signer, created="2026-11-13T08:00:00Z")["proof"]
    assert isinstance(proof, dict)
    report = verify(changed(proof={**proof, name: "2027-01-01T00:00:00Z"}), facts=WORLD.facts(), at=at())
    assert report.exit_code == 1


def test_r27_numbers_and_nesting_spelled_otherwise() -> None:
    """1.0 for 1, an issuer object for its id, a status entry alone for the pair, a list for a text: all refused."""
    own = json.loads(MADE.file)
    others: list[dict[str, Any]] = [
        {"weid": {**own["weid"], "key": 2.0}},
        {"weid": {**own["weid"], "specimen": 0}},
        {"issuer": {"id": own["issuer"], "name": "Ministry of Everything"}},
        {"credentialStatus": own["credentialStatus"][0]},
        {"type": own["type"][::-1]},
        {"credentialSubject": [own["credentialSubject"]]},
        {"credentialSubject": {**own["credentialSubject"], "born": None}},
    ]
    for change in others:
        assert verify(changed(**change), facts=WORLD.facts(), at=at()).exit_code == 1, change


def test_r27_a_time_outside_the_calendar_cannot_break_the_report() -> None:
    """An issuer signs an end after the year 9999; writing the report raised, so pages and commands broke down."""
    world = World(schema_bytes=pass_schema(lifetime=2**32 - 1))
    good = world.issue(issued=NOW - 10, until=NOW + 10).compact
    for end in (4_223_371_680, NOW - 10 + 2**32 - 1):
        report = verify(forged(world, good, valid_until=end), facts=world.facts(), at=at())
        assert report.check("format").code == "malformed"
        assert json.dumps(report.to_json())
        with pytest.raises(MalformedError):
            read_compact(forged(world, good, valid_until=end))


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("validFrom", "9999-12-31T23:59:30Z"),
        ("validFrom", "0001-01-01T00:00:00+14:00"),
        ("validUntil", "9999-12-31T23:59:59-12:00"),
        ("validUntil", "0001-01-01T00:00:00Z"),
    ],
)
def test_r27_the_edges_of_the_calendar_in_a_foreign_file(member: str, value: str) -> None:
    """Whatever a stranger writes, there is a report and it can be written down."""
    report = verify(foreign({member: value}), facts=WORLD.facts(), policy=Policy(require_accreditation=False), at=at())
    assert json.dumps(report.to_json())


def test_r27_an_expired_proof_is_not_valid() -> None:
    """`proof.expires` (Data Integrity 2.1) was read and never judged: a proof good until June passed in November."""
    policy = Policy(require_accreditation=False)
    for expires, verdict in (("2026-06-01T00:00:00Z", "expired"), ("2027-06-01T00:00:00Z", "valid-bearer")):
        report = verify(foreign({}, expires=expires), facts=WORLD.facts(), policy=policy, at=at())
        assert report.verdict == verdict


def foreign(change: dict[str, Any], **options: str) -> bytes:
    """A W3C credential of a did:key, with more members of the proof signed if wanted."""
    from credentials.data_integrity import Proof, hash_data
    from weid.codec import multibase
    from weid.keys import LocalSigner

    person = holder()
    signer = LocalSigner(person._secret, "ed25519", person.kid, "assert")
    document: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "Pass"],
        "issuer": signer.kid.partition("#")[0], "credentialSubject": {"level": "3"}, **change,
    }  # fmt: skip
    proof: dict[str, Any] = {
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "verificationMethod": signer.kid,
        "proofPurpose": "assertionMethod", **options,
    }  # fmt: skip
    draft = Proof("eddsa-jcs-2022", signer.kid, "assertionMethod", None, None, proof, b"")
    value = multibase(signer.sign("data-integrity", hash_data(document, draft)))
    return json.dumps({**document, "proof": {**proof, "proofValue": value}}).encode()
