"""From a hand-in to the verdict page, over a real registry."""

from __future__ import annotations

import html
import json
import re
from io import BytesIO
from pathlib import Path

import pytest
from flask import render_template
from PIL import Image, ImageFilter

from credentials import compact, wording
from credentials.report import Check, Outcome, Report
from credentials.verdicts import VERDICTS
from tests.credentials import old
from tests.verifier_app.places import CERTIFICATE, Place, judge, said, token, verdict
from verifier_app.languages import LANGUAGES
from verifier_app.view import Shown, view_of
from weid.records import StatusEntry


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_verdict_has_its_word_sentence_and_advice_in_each_language(place: Place, language: str) -> None:
    """Word, sentence, what to do, shape and colour: all five, on every page."""
    app = place.app()
    zone = app.extensions["checker"].settings.zone
    for name in VERDICTS:
        report = Report((Check("format", Outcome.PASSED, "ok"),), name, None, (), place.now)
        with app.test_request_context(f"/?lang={language}"):
            app.preprocess_request()
            shown = Shown((view_of(report, language, zone),))
            page = html.unescape(render_template("fragment.html", shown=shown, next="/"))
        words = wording.verdict(name, language)
        for part in (words.word, words.sentence, words.do):
            assert part in page
        assert f'data-shape="{words.shape}"' in page
        assert f'data-colour="{words.colour}"' in page
        drawing = re.search(r"<svg[^>]*data-shape[^>]*>(.*?)</svg>", page, re.S)
        assert drawing is not None
        assert drawing.group(1).strip()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_valid_certificate_shows_signed_values_and_who_says_so(place: Place, language: str) -> None:
    """Values isolated, labels in the viewer's language, the issuer's name only with its registry's (R23, R28)."""
    page = judge(place.client(), place.text(place.issue(CERTIFICATE)), language=language)
    names = {
        "en": "FinTech Association",
        "pt": "Associação de FinTech",
        "zh-Hans": "金融科技协会",
        "zh-Hant": "金融科技協會",
    }
    assert verdict(page) == ["valid-bearer"]
    assert f'lang="{language}"' in page
    assert "<bdi>张伟</bdi>" in page
    assert names[language] in page
    assert page.index(names[language]) < page.index(said(language, "values.named-by", registry=place.world.origin))
    assert said(language, "ages.title") in page
    assert said(language, "mode.none") in page


def test_a_hidden_entry_is_named_but_never_guessed(place: Place) -> None:
    """A hidden name reads "not shown in this code"; a hidden mandatory one is no certificate at all (R12, R28)."""
    made = place.issue(CERTIFICATE)
    names = place.schema.names
    keep = sum(1 << names.index(name) for name in names if name not in ("grade", "level"))
    page = judge(place.client(), place.text(compact.disclose(made.compact, keep, mandatory=place.schema.mandatory)))
    assert verdict(page) == ["valid-bearer"]
    assert re.search(r"<dt>Grade</dt><dd class=\"hidden\">not shown in this code</dd>", page)
    short = compact.disclose(made.compact, 1, mandatory=0)
    page = judge(place.client(), place.text(short))
    assert verdict(page) == ["incomplete"]


def test_revoked_suspended_expired_early_specimen(place: Place) -> None:
    """Genuine but not good: each its own verdict, and the signed values still shown."""
    good, paused = place.issue(CERTIFICATE), place.issue(CERTIFICATE)
    late, early = place.issue(CERTIFICATE, minutes=5), place.issue(CERTIFICATE, start=place.now + 90)
    sample = place.issue(CERTIFICATE, specimen=True)
    place.world.tick(6)
    place.publish((StatusEntry(paused.leaf.index, "suspended", "unspecified", place.now),))
    bundle = place.revoke(good.leaf.index)
    client = place.client()
    place.clock = place.now
    client.application.extensions["checker"].import_bundle(bundle)
    for made, name in (
        (good, "revoked"),
        (paused, "suspended"),
        (late, "expired"),
        (early, "not-yet-valid"),
        (sample, "specimen"),
    ):
        page = judge(client, place.text(made))
        assert verdict(page) == [name]
        assert "<bdi>张伟</bdi>" in page
        if name == "revoked":
            assert f"{said('en', 'reason.error-in-data')} · {said('en', 'standing.issuer')}" in page
    assert said("en", "verdict.specimen") in page


def test_forged_unknown_and_foreign_texts(place: Place, tmp_path: Path) -> None:
    """Nothing of an unproven certificate is shown; a text that is no certificate is said to be none."""
    made = place.issue(CERTIFICATE)
    client = place.client()
    forged = judge(client, place.text(made.compact[:-1] + bytes([made.compact[-1] ^ 1])))
    stranger = place.issue(CERTIFICATE, issuer=place.world.register(place.world.actor()).issuing)
    unknown = judge(client, place.text(stranger))
    assert verdict(forged) == ["tampered"]
    assert verdict(unknown)[0] in ("issuer-unknown", "tampered")
    for page in (forged, unknown):
        assert "张伟" not in page
        assert said("en", "values.none") in page
    for other in ("hello", "https://weid.app/#0", "1" * 5000, '{"a": 1}', "<script>alert(1)</script>"):
        page = judge(client, other)
        assert verdict(page)[0] in ("not-a-credential", "unsupported"), other
        assert "<script>alert" not in page


def test_old_trust_data_are_never_green(place: Place) -> None:
    """Amber, with the age on the page and in the strip."""
    made = place.issue(CERTIFICATE, minutes=100_000)
    place.clock += 60 * 24 * 60
    page = judge(place.client(), place.text(made))
    assert verdict(page) == ["stale"]
    assert 'class="strip stale"' in page
    assert "60 d old" in page


def test_without_a_pin_the_page_says_what_to_do(tmp_path: Path) -> None:
    """First run: no verdict about anything, and the three steps (R21)."""
    place = Place(tmp_path, "certificate-authority", "skill-certificate", pinned=False)
    client = place.client()
    assert "weid trust add" in client.get("/").get_data(as_text=True)
    assert "weid trust add" in client.get("/trust").get_data(as_text=True)
    page = judge(client, place.text(place.issue(CERTIFICATE)))
    place.close()
    assert verdict(page)[0] in ("undecided", "issuer-unknown")
    assert 'data-colour="green' not in page


def test_a_clock_behind_the_trust_data_judges_nothing(place: Place) -> None:
    """Setting the clock back must not bring an expired certificate to life."""
    made = place.issue(CERTIFICATE)
    place.clock -= 100
    client = place.client()
    page = judge(client, place.text(made))
    assert verdict(page) == []
    assert said("en", "problem.clock") in page
    assert 'class="strip stale"' in page
    assert client.post("/api/v1/verify", json={"data": place.text(made)}).status_code == 503


def test_a_page_opened_by_the_code_itself_shows_no_green(place: Place) -> None:
    """R16: the digits are posted to our own origin; the answer says that it is no independent check."""
    client = place.client()
    digits = place.text(place.issue(CERTIFICATE)).split("#")[1]
    answer = client.post("/opened", json={"digits": digits}, headers={"X-CSRFToken": token(client)})
    page = answer.get_json()["html"]
    assert verdict(page) == ["opened"]
    assert "Opened from the code itself: not an independent check." in page
    assert "green" not in page
    assert "✓" not in page
    assert 'class="PASSED"' not in page
    forged = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    page = client.post("/opened", json={"digits": forged}, headers={"X-CSRFToken": token(client)}).get_json()["html"]
    assert verdict(page)[0] not in ("valid", "valid-bearer", "opened")
    assert "Opened from the code itself: not an independent check." in page


def test_a_file_and_a_picture_of_several_codes(place: Place) -> None:
    """A JSON file; a picture with three codes where each is judged for itself."""
    one, two = place.issue(CERTIFICATE), place.issue({**CERTIFICATE, "holderName": "李雷"})
    client = place.client()
    page = _upload(client, one.file)
    assert verdict(page) == ["valid-bearer"]
    forged = two.compact[:-1] + bytes([two.compact[-1] ^ 1])
    sheet = _sheet([place.png(one, 4), place.png(two, 4), place.png(forged, 4)])
    page = _upload(client, sheet)
    assert sorted(verdict(page)) == ["tampered", "valid-bearer", "valid-bearer"]
    assert "张伟" in page
    assert "李雷" in page
    assert said("en", "answer.several", count=3) in page


@pytest.mark.parametrize("quality", [70, 40])
def test_a_blurred_tilted_compressed_picture_is_read_and_verified(place: Place, quality: int) -> None:
    """What a phone makes of a printed code: perspective, blur, JPEG."""
    image = Image.open(BytesIO(place.png(place.issue(CERTIFICATE), 8))).convert("L")
    size = image.width
    page = Image.new("L", (size + 400, size + 400), 205)
    page.paste(image, (200, 200))
    tilted = page.rotate(11, Image.Resampling.BICUBIC, fillcolor=205)
    width, height = tilted.size
    bent = tilted.transform(
        (width, height), Image.Transform.QUAD,
        (20, 60, -30, height - 10, width + 40, height - 60, width - 50, 30), Image.Resampling.BICUBIC,
    )  # fmt: skip
    out = BytesIO()
    bent.filter(ImageFilter.GaussianBlur(1.6)).save(out, "JPEG", quality=quality)
    assert verdict(_upload(place.client(), out.getvalue())) == ["valid-bearer"]


def test_the_api_gives_the_report_of_the_library(place: Place) -> None:
    """The same JSON for a text, a W3C document and a picture."""
    made = place.issue(CERTIFICATE)
    client = place.client()
    report = client.post("/api/v1/verify", json={"data": place.text(made)}).get_json()
    assert report["verdict"] == "valid-bearer"
    assert report["exitCode"] == 0
    assert report["credential"]["claims"]["holderName"] == "张伟"
    document = client.post("/api/v1/verify", json={"verifiableCredential": json.loads(made.file)}).get_json()
    assert document["verdict"] == "valid-bearer"
    asked = {"data": place.text(made), "request": "certificate-authority/check"}
    assert client.post("/api/v1/verify", json=asked).get_json()["verdict"] == "valid-bearer"
    picture = client.post("/api/v1/verify", data=place.png(made), content_type="image/png").get_json()
    assert [item["verdict"] for item in picture["reports"]] == ["valid-bearer"]
    for body, status in (({}, 400), ({"data": 1}, 400), ({"data": "x", "request": "no/such"}, 400)):
        answer = client.post("/api/v1/verify", json=body)
        assert answer.status_code == status
        assert answer.mimetype == "application/problem+json"
    assert client.post("/api/v1/verify", data="data=1").status_code == 415


def _upload(client: object, data: bytes) -> str:
    form = {"file": (BytesIO(data), "given"), "csrf_token": token(client), "request": "none"}  # type: ignore[arg-type]
    return str(client.post("/verify", data=form).get_data(as_text=True))  # type: ignore[attr-defined]


def _sheet(pictures: list[bytes]) -> bytes:
    images = [Image.open(BytesIO(data)) for data in pictures]
    sheet = Image.new("L", (max(i.width for i in images) + 80, sum(i.height for i in images) + 60 * len(images)), 255)
    top = 30
    for image in images:
        sheet.paste(image, (40, top))
        top += image.height + 60
    out = BytesIO()
    sheet.save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_old_credential_shows_its_values_and_what_was_not_signed(place: Place, language: str) -> None:
    """Amber, with the values, the list of unsigned members and every open question in words (R30)."""
    issuer = old.OldIssuer()
    value = old.original(issuer, issuanceDate=(place.now - 1440) * 60, expirationDate=(place.now + 1440) * 60)
    page = judge(place.client(), json.dumps(value), language=language)
    assert verdict(page) == ["legacy-authentic"]
    for part in ("Sher", "张江", said(language, "values.unsigned"), "proof.creator"):
        assert part in page
    for code in ("legacy-status-unknown", "legacy-authority-unknown", "legacy-cpt-unknown"):
        assert wording.sentence(code, language) in page
