"""The VC-API from outside: issue, derive, verify, present; bad input is 4xx with problem details, never 5xx."""

from __future__ import annotations

import json
import ssl
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from credentials.bitstring import read_list, value_at
from credentials.data_integrity import sign
from credentials.envelope import enclose
from credentials.jose import sign_jwt
from issuer_app.vc_api import Instance
from tests.credentials.test_verify_presentation import holder
from wallet_cli.vc_api import INSTANCES, bench_app, throw_away
from weid.errors import TrustError
from weid.facts import Facts

MADE = throw_away()
CONTEXTS = ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"]
DISCLOSING = ["ecdsa-sd-2023", "bbs-2023"]
ENVELOPED = ["vc-jwt", "vc-jwt-ed25519", "vc-sd-jwt", "vc-cose"]


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    return bench_app(MADE).test_client()


def credential(**change: Any) -> dict[str, Any]:
    value = {
        "@context": CONTEXTS, "type": ["VerifiableCredential"], "validFrom": "2026-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:x", "name": "Ana", "alumniOf": "A School"}, **change,
    }  # fmt: skip
    return {name: item for name, item in value.items() if item is not ...}


def issued(client: FlaskClient, name: str, value: Any = None, **options: Any) -> Any:
    return client.post(f"/vc-api/{name}/credentials/issue", json={"credential": value or credential(), "options": options})


def verified(client: FlaskClient, value: Any, **options: Any) -> Any:
    return client.post("/vc-api/credentials/verify", json={"verifiableCredential": value, "options": options})


@pytest.mark.parametrize("name", [name for name in INSTANCES if name not in (*DISCLOSING, *ENVELOPED)])
def test_issue_and_verify(client: FlaskClient, name: str) -> None:
    """What an instance issues verifies, and no longer once a word of it is changed."""
    answer = issued(client, name)
    assert answer.status_code == 201
    made = answer.json["verifiableCredential"]
    assert made["issuer"] == MADE[name].issuer
    assert verified(client, made, checks=["proof"]).status_code == 200
    changed = verified(client, {**made, "name": "Another"})
    assert changed.status_code == 400
    assert changed.json["problemDetails"][0]["type"].endswith("CRYPTOGRAPHIC_SECURITY_ERROR")


@pytest.mark.parametrize("name", DISCLOSING)
def test_issue_derive_and_verify(client: FlaskClient, name: str) -> None:
    """The holder shows the mandatory part and what it chose; the base credential itself is not for verifiers."""
    base = issued(client, name, mandatoryPointers=["/issuer", "/validFrom"]).json["verifiableCredential"]
    chosen = {"selectivePointers": ["/credentialSubject/alumniOf"]}
    answer = client.post(f"/vc-api/{name}/credentials/derive", json={"verifiableCredential": base, "options": chosen})
    assert answer.status_code == 201
    shown = answer.json["verifiableCredential"]
    assert "name" not in shown["credentialSubject"]
    assert shown["credentialSubject"]["alumniOf"] == "A School"
    assert verified(client, shown).status_code == 200
    assert verified(client, {**shown, "validFrom": "2026-01-02T00:00:00Z"}).status_code == 400
    assert verified(client, base).status_code == 400


@pytest.mark.parametrize("name", ENVELOPED)
def test_issue_and_verify_envelopes(client: FlaskClient, name: str) -> None:
    """VCDM 2.0, 4.13: the credential is in the data: URL, and an envelope that is not exactly one is refused."""
    answer = issued(client, name)
    assert answer.status_code == 201
    made = answer.json["verifiableCredential"]
    assert made["type"] == "EnvelopedVerifiableCredential"
    assert made["id"].startswith(f"data:application/{MADE[name].cryptosuite}{';base64' if name == 'vc-cose' else ''},")
    assert verified(client, made).status_code == 200
    url = made["id"]
    for change in (
        {"@context": []}, {"@context": CONTEXTS[1]}, {"type": "VerifiableCredential"}, {"id": url.split(",")[1]}, {"id": url[:-8]},
        {"id": url.replace("vc+", "vp+")}, {"id": None},
    ):  # fmt: skip
        assert verified(client, {**made, **change}).status_code == 400, change
    held = {"@context": CONTEXTS, "type": "VerifiablePresentation", "verifiableCredential": [made]}
    signer = holder()
    shown = sign(held, signer, created=None, purpose="authentication")
    body = {"verifiablePresentation": shown, "options": {}}
    assert client.post("/vc-api/presentations/verify", json=body).status_code == 200
    around = sign_jwt({**held, "holder": signer.kid.split("#")[0]}, signer, kind="vp").encode("ascii")
    body = {"verifiablePresentation": enclose("vp+jwt", around), "options": {}}
    assert client.post("/vc-api/presentations/verify", json=body).status_code == 200
    body = {"verifiablePresentation": enclose("vp+jwt", around[:-6] + b"AAAAAA"), "options": {}}
    assert client.post("/vc-api/presentations/verify", json=body).status_code == 400


def test_an_enveloped_sd_jwt_is_derived(client: FlaskClient) -> None:
    """The holder leaves out claims of the subject, but none that the issuer keeps in sight."""
    base = issued(client, "vc-sd-jwt", mandatoryPointers=["/credentialSubject/name"]).json["verifiableCredential"]
    assert base["id"].count("~") == 2
    for pointers, left in (([], 1), (["/credentialSubject/alumniOf"], 2), (["/credentialSubject"], 1)):
        body = {"verifiableCredential": base, "options": {"selectivePointers": pointers}}
        answer = client.post("/vc-api/vc-sd-jwt/credentials/derive", json=body)
        assert (answer.status_code, answer.json["verifiableCredential"]["id"].count("~")) == (201, left)
        assert verified(client, answer.json["verifiableCredential"]).status_code == 200
    body = {"verifiableCredential": base, "options": {"selectivePointers": ["/credentialSubject/nothing"]}}
    assert client.post("/vc-api/vc-sd-jwt/credentials/derive", json=body).status_code == 400
    whole = issued(client, "vc-jwt").json["verifiableCredential"]
    body = {"verifiableCredential": whole, "options": {"selectivePointers": []}}
    assert client.post("/vc-api/vc-jwt/credentials/derive", json=body).status_code == 400
    assert issued(client, "vc-jwt", mandatoryPointers=["/issuer"]).status_code == 400
    assert issued(client, "vc-jwt", credential(guarantee="what no context defines")).json["title"] == "unknown-member"


@pytest.mark.parametrize("name", ["eddsa-rdfc-2022", "eddsa-jcs-2022", *DISCLOSING])
def test_version_1_gets_the_context_of_its_proof(client: FlaskClient, name: str) -> None:
    """VC Data Integrity 2.4.1: version 1.1 does not define proofs, so the context that does is added, once."""
    first, proofs = "https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"
    old = {"issuanceDate": "2026-01-01T00:00:00Z", "credentialSubject": {"id": "did:example:x"}, "validFrom": ...}
    for given in ([first], [first, proofs]):
        shows = {"mandatoryPointers": ["/issuer", "/issuanceDate"]} if name in DISCLOSING else {}
        made = issued(client, name, credential(**old, **{"@context": given}), **shows).json["verifiableCredential"]
        assert made["@context"] == [first, proofs]
    derive = {"verifiableCredential": made, "options": {"selectivePointers": ["/credentialSubject"]}}
    if name in DISCLOSING:
        made = client.post(f"/vc-api/{name}/credentials/derive", json=derive).json["verifiableCredential"]
    assert verified(client, made).status_code == 200
    assert issued(client, name).json["verifiableCredential"]["@context"] == CONTEXTS


def test_a_text_direction_is_signed(client: FlaskClient) -> None:
    """VCDM 2.0, 11.1: a name with language and direction; turned round, it is another document."""
    said = {"@value": "شهادة", "@language": "ar", "@direction": "rtl"}
    made = issued(client, "eddsa-rdfc-2022", credential(name=said)).json["verifiableCredential"]
    assert verified(client, made).status_code == 200
    assert verified(client, {**made, "name": {**said, "@direction": "ltr"}}).status_code == 400


def test_json_inside_a_text_is_no_credential(client: FlaskClient) -> None:
    """VC Data Integrity 4.4: what is verified is a map. A text is a credential in a compact form, and nothing else."""
    made = issued(client, "eddsa-rdfc-2022").json["verifiableCredential"]
    for text in (json.dumps(made), " " + json.dumps(made), json.dumps([made]), json.dumps(json.dumps(made))):
        assert verified(client, text).status_code == 400
        body = {"verifiablePresentation": text, "options": {}}
        assert client.post("/vc-api/presentations/verify", json=body).status_code == 400


JUNK: list[Any] = [None, 7, "x", True, [], {}, [[]], {"type": "VerifiableCredential"}, {"@context": CONTEXTS}]


@pytest.mark.parametrize("junk", JUNK)
def test_junk_is_bad_input(client: FlaskClient, junk: Any) -> None:
    """Whatever stands where an object belongs."""
    for path, member in (
        ("credentials/verify", "verifiableCredential"), ("presentations/verify", "verifiablePresentation"),
        ("eddsa-rdfc-2022/credentials/issue", "credential"), ("ecdsa-sd-2023/credentials/derive", "verifiableCredential"),
    ):  # fmt: skip
        for body in ({member: junk}, {member: junk, "options": junk}, junk, {"options": {}}):
            answer = client.post(f"/vc-api/{path}", json=body)
            assert answer.status_code in (400, 401, 404, 422), (path, body)
            assert answer.json.get("problemDetails") or answer.json["title"]
        assert client.post(f"/vc-api/{path}", data=b"{", content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    "change",
    [
        {"@context": CONTEXTS[:1]}, {"type": ["VerifiableCredential", ""]}, {"issuer": "did:example:other"}, {"validFrom": "now"},
        {"credentialSubject": []}, {"id": "relative"}, {"evidence": "seen"}, {"relatedResource": {"id": "urn:x"}},
    ],
)  # fmt: skip
def test_what_the_data_model_forbids_is_not_issued(client: FlaskClient, change: dict[str, Any]) -> None:
    assert issued(client, "eddsa-rdfc-2022", credential(**change)).status_code == 400


@pytest.mark.parametrize("proof", [None, "x", [], {}, {"type": "DataIntegrityProof"}, 7])
def test_a_broken_proof_is_refused(client: FlaskClient, proof: Any) -> None:
    made = issued(client, "eddsa-rdfc-2022").json["verifiableCredential"]
    assert verified(client, {**made, "proof": proof}).status_code == 400
    for member in made["proof"]:
        less = {name: value for name, value in made["proof"].items() if name != member}
        assert verified(client, {**made, "proof": less}).status_code == 400, member


def test_presentations_and_challenges(client: FlaskClient) -> None:
    """A challenge made here is answered once; another's must be the one that was signed."""
    asked = client.post("/vc-api/challenges").json["challenge"]
    made = issued(client, "eddsa-rdfc-2022").json["verifiableCredential"]
    signer = holder()
    value = {
        "@context": CONTEXTS,
        "type": "VerifiablePresentation",
        "holder": signer.kid.split("#")[0],
        "verifiableCredential": made,
    }
    shown = sign(value, signer, created=None, purpose="authentication", more={"challenge": asked, "domain": "v.example"})

    def present(item: Any, **options: Any) -> int:
        return client.post("/vc-api/presentations/verify", json={"verifiablePresentation": item, "options": options}).status_code

    assert present(shown, challenge="another", domain="v.example") == 400
    assert present(shown, challenge=asked, domain="v.example") == 200
    assert present(shown, challenge=asked, domain="v.example") == 400
    assert present({**shown, "holder": "did:example:x"}) == 400


def test_a_list_or_schema_that_is_not_here_matters_to_those_who_ask(client: FlaskClient) -> None:
    """Asked for the proof alone, a credential whose status list is not at hand verifies; asked for its status, it does not."""
    entry = {
        "type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "7",
        "statusListCredential": "https://a.example/status/1",
    }  # fmt: skip
    schema = {"id": "https://a.example/schema", "type": "JsonSchema"}
    made = issued(client, "eddsa-rdfc-2022", credential(credentialStatus=entry, credentialSchema=schema)).json[
        "verifiableCredential"
    ]
    assert verified(client, made).status_code == 200
    assert verified(client, made, checks=["proof", "status"]).status_code == 400
    assert verified(client, made, checks=["proof", "credentialSchema"]).status_code == 400


def test_a_context_that_is_not_here_is_never_passed_over(client: FlaskClient) -> None:
    """Over JSON the signature needs no context; what the words mean is not known all the same."""
    signer = MADE["eddsa-jcs-2022"].signer
    value = credential(**{"@context": [CONTEXTS[0], "https://a.example/unknown"], "issuer": MADE["eddsa-jcs-2022"].issuer})
    answer = verified(client, sign(value, signer, created=None))  # type: ignore[arg-type]
    assert (answer.status_code, answer.json["problemDetails"][0]["title"]) == (400, "unknown-context")


def test_trust_data_that_cannot_be_used_are_our_trouble(client: FlaskClient) -> None:
    """A clock behind the trust data: 503 with its code, no stack, and no word about the credential."""
    from flask import Flask

    from verifier_app.memory import Memory
    from verifier_app.vc_api import VerifierApi, blueprint

    def facts() -> Facts:
        raise TrustError("the trust data are from the future", code="future-bundle")

    app = Flask(__name__)
    app.register_blueprint(blueprint(VerifierApi(facts, lambda: datetime.now(UTC), Memory())))
    made = issued(client, "eddsa-rdfc-2022").json["verifiableCredential"]
    answer = verified(app.test_client(), made)
    assert (answer.status_code, answer.json["problemDetails"][0]["title"]) == (503, "future-bundle")


def test_options_nobody_understands(client: FlaskClient) -> None:
    """An option that is not understood might mean a demand that is not made: refused."""
    made = issued(client, "eddsa-rdfc-2022").json["verifiableCredential"]
    for options in ({"checks": ["everything"]}, {"checks": "proof"}, {"challenge": 7}, {"domain": []}):
        assert verified(client, made, **options).status_code == 400
    assert verified(client, made, checks=["proof", "accreditation"]).status_code == 400  # nobody accredited a did:key


def test_the_status_service_of_the_bench(client: FlaskClient) -> None:
    """A listed instance gives places, changes them by the credential's id, and refuses what it does not know (vcalm C.3)."""

    def change(name: str, **body: Any) -> Any:
        entry = {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"}
        return client.post(
            f"/vc-api/{name}/credentials/status",
            json={"credentialId": "urn:x:1", "credentialStatus": entry, "status": True, **body},
        )

    assert change("status-list").status_code == 404
    made = issued(client, "status-list", credential(id="urn:x:1")).json["verifiableCredential"]
    revocation, suspension = made["credentialStatus"]
    assert revocation["statusListIndex"] == suspension["statusListIndex"]
    assert [change("status-list").status_code, change("status-list").status_code] == [200, 200]
    wrong = [
        {"status": None}, {"status": 1}, {"credentialStatus": []}, {"credentialStatus": "revocation"}, {"credentialId": None},
        {"credentialStatus": {"type": "Other", "statusPurpose": "revocation"}}, {"unknown": 1}, {"status": False},
        {"credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "message"}},
        {"credentialStatus": {**revocation, "statusListIndex": "x"}}, {"credentialStatus": {**suspension, "statusListIndex": "-1"}},
    ]  # fmt: skip
    for body in wrong:
        answer = change("status-list", **body)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json"), body
    unknown = [change("status-list", credentialId="urn:x:2"), change("eddsa-jcs-2022"), change("nothing")]
    assert [answer.status_code for answer in unknown] == [404, 404, 404]
    assert client.get("/vc-api/status-list/status/2/revocation").status_code == 404
    assert client.get("/vc-api/status-list/status/1/message").status_code == 404
    assert client.get("/vc-api/eddsa-jcs-2022/status/1/revocation").status_code == 404


def test_an_entry_with_several_bits(client: FlaskClient) -> None:
    """A message list: size, a message for each of its values, a reference; what breaks a rule of entries is not signed."""
    made = issued(client, "status-message", credential(id="urn:x:1")).json["verifiableCredential"]
    (entry,) = made["credentialStatus"]
    assert (entry["statusSize"], len(entry["statusMessage"])) == (2, 4)
    assert entry["id"].startswith(entry["statusListCredential"] + "#")
    body = {"credentialId": "urn:x:1", "status": "0x2", "credentialStatus": {
        "type": "BitstringStatusListEntry", "statusPurpose": "message"}}  # fmt: skip
    assert client.post("/vc-api/status-message/credentials/status", json=body).status_code == 200
    served = client.get(entry["statusListCredential"].removeprefix("http://localhost")).json
    assert value_at(read_list(served).bits, int(entry["statusListIndex"]), 2) == 2
    for change in ({"statusListIndex": 7}, {"statusMessage": entry["statusMessage"][:2]}, {"statusSize": 0}):
        answer = issued(client, "eddsa-jcs-2022", credential(id="urn:x:1", credentialStatus={**entry, **change}))
        assert answer.status_code == 400, change
        assert answer.json["type"].endswith("MALFORMED_VALUE_ERROR")
    kept = issued(client, "status-list", credential(credentialStatus=entry)).json["verifiableCredential"]
    assert kept["credentialStatus"] == entry  # whoever brings a status keeps it
    assert issued(client, "status-list").json["verifiableCredential"]["id"].startswith("urn:uuid:")


def test_nobody_issues_without_leave() -> None:
    """Where an app serves it, a key is asked for; an unknown instance is not found."""
    from flask import Flask

    from issuer_app.vc_api import blueprint

    app = Flask(__name__)
    app.register_blueprint(
        blueprint(dict[str, Instance](MADE), clock=lambda: datetime.now(UTC), random=lambda n: bytes(n), allowed=lambda: False)
    )
    closed = app.test_client()
    assert issued(closed, "eddsa-rdfc-2022").status_code == 401
    for name in (*DISCLOSING, "vc-sd-jwt", "nothing"):
        assert closed.post(f"/vc-api/{name}/credentials/derive", json={}).status_code == 401
    assert issued(bench_app(MADE).test_client(), "nothing").status_code == 404


def test_the_command_serves_it_over_tls(tmp_path: Path) -> None:
    """`weid vc-api --tls` prints where everything is; a client that trusts its certificate issues and resolves there."""
    command = [sys.executable, "-m", "wallet_cli", "vc-api", "--tls", "--port", "0", "--folder", str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        lines = []
        while not lines or lines[-1] != "}\n":
            lines.append(process.stdout.readline())
        places = json.loads("".join(lines))
        trusted = ssl.create_default_context(cafile=str(tmp_path / "certificate.pem"))
        issuer = places["issuers"][0]
        body = json.dumps({"credential": credential()}).encode()
        wanted = urllib.request.Request(issuer["endpoint"], body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(wanted, context=trusted, timeout=20) as answer:
            assert json.load(answer)["verifiableCredential"]["issuer"] == issuer["id"]
        with urllib.request.urlopen(
            f"{places['didResolvers'][0]['endpoint']}/{issuer['id']}", context=trusted, timeout=20
        ) as found:
            assert json.load(found)["didDocument"]["id"] == issuer["id"]
    finally:
        process.terminate()
        process.wait(10)
