"""Asking for a fresh answer: once, in time, and for this question only (R14)."""

from __future__ import annotations

import base64
import re

import pytest
from flask.testing import FlaskClient

from credentials import carrier, picture
from credentials.binding import Binding
from credentials.presentation import answer
from tests.verifier_app.places import HOST, PACKS, Place, holder, judge, said, token, verdict
from verifier_app.languages import LANGUAGES
from weid.codec import rfc3339
from weid.keys import LocalSigner

REQUEST = "health-code/local"


def claims(place: Place, status: str = "GREEN") -> dict[str, str]:
    return {"status": status, "tested": rfc3339(place.now - 60), "nameMasked": "张*", "source": "MO"}


def ask(client: FlaskClient, request: str = REQUEST) -> tuple[str, bytes]:
    """(handle, challenge object) read from the picture on the page, as a wallet does."""
    sent = client.post("/challenge", data={"request": request, "csrf_token": token(client)})
    assert sent.status_code == 303
    page = client.get(sent.location).get_data(as_text=True)
    found = re.search(r'src="data:image/png;base64,([^"]+)"', page)
    assert found is not None
    (read,) = picture.read(base64.b64decode(found.group(1)))
    return sent.location.rsplit("/", 1)[1], carrier.from_text(read).data


def shown(place: Place, key: LocalSigner, challenge: bytes, status: str = "GREEN") -> str:
    made = place.issue(claims(place, status), bind=Binding.to_key(key.public_key))
    return carrier.to_text(answer(made.compact, challenge, key, time=place.clock), HOST)


def test_an_answer_is_valid_once(live: Place) -> None:
    """VALID for the first answer; the question is used up for every later one, and for a screenshot of the first."""
    client, key = live.client(), holder(live)
    handle, challenge = ask(client)
    code = shown(live, key, challenge)
    page = judge(client, code, request=REQUEST, question=handle)
    assert verdict(page) == ["valid"]
    assert said("en", "mode.challenge") in page
    again = judge(client, code, request=REQUEST, question=handle)
    assert verdict(again) == []
    assert said("en", "challenge.state.used") in again
    other, _ = ask(client)
    page = judge(client, code, request=REQUEST, question=other)
    assert verdict(page) == ["not-bound"]
    assert live.app().test_client().get(f"/challenge/{handle}").status_code == 404
    assert client.get(f"/challenge/{handle}").status_code == 410


def test_a_wrong_answer_does_not_use_the_question_up(live: Place) -> None:
    """Somebody else's code, or a static one, leaves the question open for its holder."""
    client, key = live.client(), holder(live)
    _, stale = ask(client)
    handle, challenge = ask(client)
    static = live.issue(claims(live), bind=Binding.to_key(key.public_key))
    assert verdict(judge(client, live.text(static), request=REQUEST, question=handle)) == ["not-bound"]
    assert verdict(judge(client, shown(live, key, stale), request=REQUEST, question=handle)) == ["not-bound"]
    assert verdict(judge(client, shown(live, key, challenge), request=REQUEST, question=handle)) == ["valid"]


def test_a_live_request_without_a_question_is_never_green(live: Place) -> None:
    """A challenge request accepts nothing but an answer to its own question."""
    client, key = live.client(), holder(live)
    _, challenge = ask(client)
    for code in (shown(live, key, challenge), live.text(live.issue(claims(live), bind=Binding.to_key(key.public_key)))):
        page = judge(client, code, request=REQUEST)
        assert verdict(page)[0] not in ("valid", "valid-bearer")


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_expired_question_is_said_to_be_expired(live: Place, language: str) -> None:
    """Not "invalid": the officer is told to ask again."""
    client, key = live.client(), holder(live)
    handle, challenge = ask(client)
    code = shown(live, key, challenge)
    live.clock += 10
    page = judge(client, code, request=REQUEST, question=handle, language=language)
    assert verdict(page) == []
    assert said(language, "challenge.state.expired") in page
    closed = client.get(f"/challenge/{handle}?lang={language}")
    assert closed.status_code == 410
    assert said(language, "challenge.state.expired") in closed.get_data(as_text=True)


def test_a_rule_of_the_request_decides(live: Place) -> None:
    """Genuine and answered, but RED: the rule is named in the viewer's language."""
    client, key = live.client(), holder(live)
    handle, challenge = ask(client)
    page = judge(client, shown(live, key, challenge, "RED"), request=REQUEST, question=handle, language="pt")
    assert verdict(page) == ["rule-failed"]
    assert "O estado de saúde tem de ser verde" in page


def test_questions_survive_a_restart_and_so_do_used_ones(live: Place) -> None:
    """The memory is a file: a restarted verifier does not accept an answer twice."""
    memory = live.folder / "memory.db"
    client, key = live.client(MEMORY=memory), holder(live)
    handle, challenge = ask(client)
    code = shown(live, key, challenge)
    assert verdict(judge(client, code, request=REQUEST, question=handle)) == ["valid"]
    later = live.client(MEMORY=memory)
    assert said("en", "challenge.state.used") in judge(later, code, request=REQUEST, question=handle)
    assert b"\xe5\xbc\xa0" not in memory.read_bytes()


def test_without_the_kind_in_the_trust_data_nothing_is_asked(place: Place) -> None:
    """A question about a kind we cannot check would waste the holder's time."""
    client = place.client(PACKS=[PACKS / "health-code"])
    sent = client.post("/challenge", data={"request": REQUEST, "csrf_token": token(client)})
    assert sent.status_code == 409
    assert said("en", "challenge.no-schema") in sent.get_data(as_text=True)
