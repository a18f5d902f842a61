"""The check by typing what is printed, with the printed code (R25)."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

from credentials.issue import Issued
from tests.verifier_app.places import CERTIFICATE, Place, said, token, verdict
from verifier_app.languages import LANGUAGES

KIND = "certificate-authority/skill-certificate"
NAMES = ("holderName", "certificateNumber", "skill", "awardDate")


def printed(place: Place) -> tuple[Issued, str]:
    """A certificate and the code printed on it, anchored."""
    made = place.issue(CERTIFICATE)
    code = place.anchor(made, CERTIFICATE, NAMES)
    place.publish()
    client_bundle(place, place.bundle())
    return made, code


def client_bundle(place: Place, bundle: bytes) -> None:
    place.app().extensions["checker"].trust.accept(bundle, at=place.now)
    place.clock = place.now


def type_in(client: FlaskClient, code: str, language: str = "en", **changed: str) -> str:
    values = {**{name: CERTIFICATE[name] for name in NAMES}, **changed}
    form = {f"f-{name}": value for name, value in values.items()} | {"code": code, "kind": KIND}
    answer = client.post(f"/typed?lang={language}", data={**form, "csrf_token": token(client, "/typed")})
    assert answer.status_code == 200
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_printed_matches(place: Place, language: str) -> None:
    """However the code is spaced and cased; the issuer is named with its registry."""
    _, code = printed(place)
    page = type_in(place.client(), f" {code.lower().replace('-', ' ')} ", language)
    assert verdict(page) == ["match"]
    assert said(language, "typed.match.word") in page
    assert said(language, "values.named-by", registry=place.world.origin) in page


@pytest.mark.parametrize("changed", [{"holderName": "张玮"}, {"certificateNumber": "202600000124"}, {"awardDate": "2026-02-27"}])
def test_one_character_off_is_no_match(place: Place, changed: dict[str, str]) -> None:
    """No hint which entry was wrong, and no green."""
    _, code = printed(place)
    page = type_in(place.client(), code, **changed)
    assert verdict(page) == ["no-match"]
    assert "FinTech" not in page


def test_the_code_is_needed(place: Place) -> None:
    """Another code: no match. A mistyped one: said so, and what was typed stays."""
    _, code = printed(place)
    other = ("0" if code[0] != "0" else "1") + code[1:]
    assert verdict(type_in(place.client(), other)) == ["no-match"]
    page = type_in(place.client(), "12345")
    assert verdict(page) == []
    assert said("en", "typed.bad-code") in page
    assert 'value="202600000123"' in page
    assert re.search(r'name="code"[^>]*aria-invalid="true"', page)


def test_a_revoked_certificate_is_found_as_revoked(place: Place) -> None:
    """The fingerprint leads to the status slot; a suspended one likewise."""
    made, code = printed(place)
    client_bundle(place, place.revoke(made.leaf.index, "suspended"))
    assert verdict(type_in(place.client(), code)) == ["suspended"]
    client_bundle(place, place.revoke(made.leaf.index))
    assert verdict(type_in(place.client(), code)) == ["revoked"]


def test_old_or_no_trust_data_give_no_green(place: Place) -> None:
    """Stale after the request's age; unknown where nothing is pinned."""
    _, code = printed(place)
    place.clock += 60 * 24 * 60
    assert verdict(type_in(place.client(), code)) == ["stale"]
    empty = place.folder / "empty"
    page = place.client(TRUST_FOLDER=empty).get("/typed").get_data(as_text=True)
    assert said("en", "typed.no-schema") in page


def test_the_form_comes_from_the_pack(place: Place) -> None:
    """Labels in four languages, each bound to its input; a date is a date."""
    for language in LANGUAGES:
        page = place.client().get(f"/typed?lang={language}").get_data(as_text=True)
        inputs = re.findall(r'<(?:input|select) id="(f-\w+)"', page)
        assert inputs == [f"f-{name}" for name in NAMES]
        for name in inputs:
            assert f'<label for="{name}">' in page
        assert 'id="f-awardDate" name="f-awardDate" type="date"' in page
