"""The trust page: what is held, how old, and import by file with refusals by name."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from registry.genesis import fingerprint
from tests.registry.world import World
from tests.verifier_app.places import CERTIFICATE, Place, judge, said, token, verdict
from verifier_app.languages import LANGUAGES


def hand_in(client: FlaskClient, data: bytes, language: str = "en") -> tuple[int, str]:
    form = {"file": (BytesIO(data), "bundle"), "csrf_token": token(client, "/trust")}
    answer = client.post(f"/trust/bundle?lang={language}", data=form)
    return answer.status_code, answer.get_data(as_text=True)


def test_the_page_shows_the_pin_and_the_age(place: Place) -> None:
    """Fingerprint, log size and time; fresh, then update soon, then too old."""
    client = place.client()
    page = client.get("/trust").get_data(as_text=True)
    assert fingerprint(place.world.pin) in page
    assert 'class="fresh"' in page
    for days, state in ((8, "warn"), (31, "stale")):
        place.clock = place.now + days * 1440
        page = client.get("/trust").get_data(as_text=True)
        assert f'class="{state}"' in page
        assert f"{days} d old" in page


def test_a_newer_bundle_is_taken_and_an_older_refused(place: Place) -> None:
    """By name, in each language; what is held stays byte for byte, and what was revoked stays revoked (R9)."""
    made = place.issue(CERTIFICATE)
    client = place.client()
    older = place.bundle()
    newer = place.revoke(made.leaf.index)
    place.clock = place.now
    status, page = hand_in(client, newer)
    assert status == 200
    assert "Imported" in page
    assert hand_in(client, newer)[1].count(said("en", "trust.imported.same")) == 1
    checker = client.application.extensions["checker"]
    before = checker.trust.path.read_bytes()
    for language in LANGUAGES:
        status, page = hand_in(client, older, language)
        assert status == 422
        assert said(language, "refused.older-bundle") in page
        assert "<code>older-bundle</code>" in page
    assert checker.trust.path.read_bytes() == before
    assert checker.memory.revoked() == {f"{made.list_id}|{made.leaf.index}"}
    assert verdict(judge(client, place.text(made))) == ["revoked"]


def test_foreign_broken_and_future_bundles_are_refused_by_name(place: Place, tmp_path: Path) -> None:
    """Not recognised; another genesis under our name; an altered byte; no bundle at all; ahead of the clock."""
    client = place.client()
    before = client.application.extensions["checker"].trust.path.read_bytes()
    foreign = World(tmp_path, name="foreign")
    (tmp_path / "other").mkdir()
    namesake = World(tmp_path / "other", name="home", start=place.now - 5)
    own = place.bundle()
    place.world.tick(60)
    cases = [
        (foreign.commit(), "not-recognised"),
        (namesake.commit(), "foreign-genesis"),
        (own[: len(own) // 2] + bytes([own[len(own) // 2] ^ 1]) + own[len(own) // 2 + 1 :], None),
        (b"not a bundle", "malformed"),
        (place.bundle(), "future-bundle"),
    ]
    for data, code in cases:
        status, page = hand_in(client, data)
        assert status == 422, code
        assert said("en", "refused.title") in page
        if code is not None:
            assert f"<code>{code}</code>" in page
            assert said("en", f"refused.{code}") in page
    assert client.application.extensions["checker"].trust.path.read_bytes() == before
    foreign.registry.close()
    namesake.registry.close()


def test_a_fork_is_refused_and_stops_every_verdict(place: Place, tmp_path: Path) -> None:
    """Two signed logs of one size: refused by name, remembered, and from then on nothing passes (R21)."""
    made = place.issue(CERTIFICATE)
    client = place.client()
    assert verdict(judge(client, place.text(made))) == ["valid-bearer"]
    (tmp_path / "twin").mkdir()
    twin = World(tmp_path / "twin", name="home")
    assert twin.pin == place.world.pin
    codes = []
    while not codes or codes[-1] == "older-bundle":
        twin.tick()
        place.clock = max(place.clock, twin.now)
        status, page = hand_in(client, twin.commit())
        assert status == 422
        found = re.search(r'class="problem".*?<code>([a-z-]+)</code>', page, re.S)
        codes.append(found.group(1) if found else "")
    twin.registry.close()
    assert codes[-1] == "forked"
    assert said("en", "refused.forked") in page
    page = judge(client, place.text(made))
    assert verdict(page) == ["trust-conflict"]
    assert "张伟" not in page
    assert said("en", "trust.conflict.sentence") in client.get("/trust").get_data(as_text=True)


def test_an_empty_upload_is_no_crash(place: Place) -> None:
    """No file chosen: a sentence, not an error page."""
    client = place.client()
    answer = client.post("/trust/bundle", data={"csrf_token": token(client, "/trust")})
    assert answer.status_code == 400
    assert said("en", "problem.empty") in answer.get_data(as_text=True)


@pytest.mark.parametrize("path", ["/", "/typed", "/trust"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_speaks_every_language(place: Place, path: str, language: str) -> None:
    """lang is set, the strip says how old the data are, links switch the language and keep the page."""
    answer = place.client().get(f"{path}?lang={language}")
    page = answer.get_data(as_text=True)
    assert f'<html lang="{language}">' in page
    assert answer.headers["Content-Language"] == language
    assert said(language, "trust.state.fresh") in page
    for other in LANGUAGES:
        assert f"lang={other}" in page
