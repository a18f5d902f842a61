"""Two registries that never connect: one place's officer checks the other place's code, by file alone (R21, R23)."""

from __future__ import annotations

from pathlib import Path

from credentials import carrier
from credentials.binding import Binding
from credentials.presentation import answer
from registry import operations as ops
from registry.bodies import TrustRecognise
from tests.registry.world import YEAR, World
from tests.verifier_app.places import HOST, Place, holder, judge, said, verdict
from tests.verifier_app.test_challenge import ask
from tests.verifier_app.test_trust import hand_in
from verifier_app.languages import LANGUAGES
from weid.codec import rfc3339

REQUEST = "health-code/entry"
NAMES = (("en", "Other place"), ("pt", "Outro lugar"), ("zh-Hans", "那边"), ("zh-Hant", "那邊"))


def recognise(home: World, foreign: Place) -> None:
    """The home committee recognises the foreign registry for one purpose and one schema."""
    facts = foreign.world.facts()
    terms = TrustRecognise(
        foreign.world.origin, NAMES, ("entry",), (foreign.schema.digest,), None, home.now + YEAR,
        facts.checkpoint.size, facts.checkpoint.root, 2, None,
    )  # fmt: skip
    home.submit(ops.trust_recognise(home.author(home.admin), foreign.world.pin, terms))


def test_a_foreign_live_code_is_checked_without_any_connection(tmp_path: Path) -> None:
    """SM2 on one side, Ed25519 on the other; VALID names the issuer only together with its registry."""
    there = Place(tmp_path, "health-code", "mo-health-code", profile="gm", name="there", chain=4101)
    here = Place(tmp_path, "health-code", "gd-health-code", name="here", chain=4401)
    client, key = here.client(REQUEST=REQUEST), holder(there)
    made = there.issue(
        {"status": "GREEN", "tested": rfc3339(there.now - 60), "nameMasked": "张*"},
        bind=Binding.to_key(key.public_key),
    )
    assert hand_in(client, there.bundle())[1].count("<code>not-recognised</code>") == 1
    recognise(here.world, there)
    there.world.tick(1)
    here.world.tick(1)
    here.clock = here.now
    assert hand_in(client, here.bundle())[0] == 200
    status, page = hand_in(client, there.bundle())
    assert status == 200
    assert "Other place" in page
    assert said("en", "trust.bundle.foreign") in page
    for language in LANGUAGES:
        handle, challenge = ask(client, REQUEST)
        code = carrier.to_text(answer(made.compact, challenge, key, time=here.clock), HOST)
        page = judge(client, code, request=REQUEST, question=handle, language=language)
        assert verdict(page) == ["valid"]
        assert said(language, "values.recognised") in page
        theirs = f"{dict(NAMES)[language]} ({there.world.origin})"
        assert said(language, "values.named-by", registry=theirs) in page
    static = judge(client, there.text(made), request=REQUEST)
    assert verdict(static)[0] not in ("valid", "valid-bearer")
    for place in (here, there):
        place.close()
