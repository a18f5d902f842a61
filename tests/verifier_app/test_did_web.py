"""The page, its API and its resolver with a did:web issuer whose document was handed in."""

from __future__ import annotations

import json

from credentials.data_integrity import sign
from tests.credentials import test_did_web as made
from tests.verifier_app.places import Place, judge, verdict
from weid.canon import jcs
from weid.codec import rfc3339
from weid.handed_in import hand_in


def credential(place: Place) -> str:
    """A credential of the did:web that has begun on the place's clock."""
    unsigned = {name: item for name, item in made.credential(validFrom=rfc3339(place.now - 5)).items() if name != "proof"}
    return json.dumps(sign(unsigned, made.signer(), created=rfc3339(place.now - 5)))


def hand(place: Place) -> None:
    from registry.node.folder import TrustFolder

    item = hand_in(made.DID, jcs(made.did_document()), fetched=place.now - 60)
    TrustFolder(place.trust).documents.keep(item)


def test_the_page(place: Place) -> None:
    """Unknown without the document, valid with it where the operator trusts the issuer, and its age is on the page."""
    text = credential(place)
    client = place.client(TRUSTED_ISSUERS=[made.DID], PACKS=[])
    assert "issuer-unknown" in verdict(judge(client, text))
    hand(place)
    page = judge(client, text)
    assert "valid-bearer" in verdict(page)
    assert "DID document" in page and "school.example" in page
    assert "valid-bearer" not in verdict(judge(place.client(PACKS=[]), text))


def test_the_api(place: Place) -> None:
    """The VC-API stands on the same trust."""
    client, body = (
        place.client(VC_API=True, PACKS=[], TRUSTED_ISSUERS=[made.DID]),
        {"verifiableCredential": json.loads(credential(place))},
    )
    asked = {**body, "options": {"checks": ["proof", "accreditation"]}}
    assert client.post("/vc-api/credentials/verify", json=asked).status_code == 400
    hand(place)
    assert client.post("/vc-api/credentials/verify", json=asked).status_code == 200


def test_the_resolver(place: Place) -> None:
    """Where it is configured: registered DIDs and documents that are here; nothing is fetched."""
    assert place.client().get(f"/1.0/identifiers/{made.DID}").status_code == 404
    client = place.client(RESOLVER=True)
    assert client.get(f"/1.0/identifiers/{made.DID}").status_code == 404
    hand(place)
    found = client.get(f"/1.0/identifiers/{made.DID}").get_json(force=True)
    assert found["didDocument"]["id"] == made.DID
    assert client.get(f"/1.0/identifiers/{place.issuer.did}").status_code == 200
    assert client.post(f"/1.0/identifiers/{place.issuer.did}", json={"versionId": "1"}).status_code == 200
    assert client.post(f"/1.0/identifiers/{place.issuer.did}", json={"versionId": "9"}).status_code == 404
