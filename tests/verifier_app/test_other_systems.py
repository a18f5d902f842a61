"""Codes of other systems on the verifier's page, its camera and its API: the same verdicts, without any switch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
import qrcode

from credentials.foreign.naming import limit
from tests.credentials.others.makers import ISSUER, NOW, CardIssuer, chunks, dcc, shc, signer
from tests.credentials.others.world import kept, signers
from tests.verifier_app.places import Place, judge, said, verdict
from verifier_app.languages import LANGUAGES
from weid.codec import minutes


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A verifier that has pinned no registry: these codes need none."""
    made = Place(tmp_path, "certificate-authority", "skill-certificate", pinned=False)
    made.clock = minutes(NOW)
    yield made
    made.close()


def drawn(*texts: str) -> bytes:
    """One picture with a code for each text, side by side."""
    from PIL import Image

    codes = [qrcode.make(text, border=4, box_size=4).get_image().convert("L") for text in texts]
    sheet = Image.new("L", (sum(code.width for code in codes), max(code.height for code in codes)), 255)
    left = 0
    for code in codes:
        sheet.paste(code, (left, 0))
        left += code.width
    out = BytesIO()
    sheet.save(out, format="PNG")
    return out.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_code_is_judged_with_its_labels_and_what_it_cannot_show(place: Place, language: str) -> None:
    made = signer()
    client = place.client()
    text = dcc(made)
    page = judge(client, text, language=language)
    assert verdict(page) == ["issuer-unknown"]
    from registry.node.folder import TrustFolder

    TrustFolder(place.trust).anchors.keep(signers(made))
    page = judge(client, text, language=language)
    assert verdict(page) == ["valid-bearer"]
    assert limit("eu-dcc", language) in page and "Silva" in page and "Comirnaty" in page
    trust = client.get(f"/trust?lang={language}").get_data(as_text=True)
    assert "a list" in trust and said(language, "trust.anchors") in trust


def test_the_api_and_the_camera_read_them_too(place: Place) -> None:
    from registry.node.folder import TrustFolder

    made, issuer = signer(), CardIssuer()
    folder = TrustFolder(place.trust)
    folder.anchors.keep(signers(made))
    folder.anchors.keep(kept("shc", {"keys": [issuer.jwk()]}, issuer=ISSUER))
    client = place.client()
    report = client.post("/api/v1/verify", json={"data": dcc(made)}).json
    assert report is not None and (report["verdict"], report["credential"]["form"]) == ("valid-bearer", "eu-dcc")
    picture = drawn(*chunks(issuer.card(), 2))
    answer = client.post("/api/v1/verify", data=picture, content_type="image/png").json
    assert answer is not None
    assert [item["verdict"] for item in answer["reports"]] == ["valid-bearer"]
    from verifier_app.inputs import from_bytes, from_frame

    handed, others = from_frame(drawn(shc(issuer.card()), "https://example.org"))
    assert (len(handed.items), others) == (1, True)
    assert len(from_bytes("\n".join([dcc(made), dcc(made)]).encode()).items) == 2
    assert len(from_bytes(json.dumps({"verifiableCredential": [issuer.card(), issuer.card()]}).encode()).items) == 2
