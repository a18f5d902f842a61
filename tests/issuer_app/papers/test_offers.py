"""A wallet takes a certificate over by OpenID4VCI 1.0, the pre-authorised flow: step by step as a wallet does it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient

from issuer_app.app import create_app
from issuer_app.ledger import Issued
from issuer_app.papers.links import Links
from issuer_app.papers.offers import GRANT, issuer_of
from tests.issuer_app.papers.conftest import Workshop
from weid.canon import jcs

HOME = "https://desk.example"


class Wallet:
    """A stranger's wallet with the link of one certificate."""

    def __init__(self, workshop: Workshop, row: Issued, public: str | None = HOME) -> None:
        house = workshop.house
        self.app = create_app(replace(house.config(sign_in="1000 per minute"), public=public))
        self.http: FlaskClient = self.app.test_client()
        self.links = Links(house.desk.party.folder)
        self.token = self.links.make(row.id, days=1, by="chen", at=house.now, random=house.world.random)

    def offer(self) -> Any:
        """The offer, found as a wallet finds it: by the address in the page's link."""
        page = self.http.get(f"/c/{self.token}").text
        link = page.split('href="openid-credential-offer')[1].split('"')[0].replace("&amp;", "&")
        (address,) = parse_qs(urlsplit(f"openid-credential-offer{link}").query)["credential_offer_uri"]
        assert address.startswith(f"{HOME}/c/")
        return self.http.get(address.removeprefix(HOME)).json

    def code(self) -> str:
        return str(self.offer()["grants"][GRANT]["pre-authorized_code"])

    def redeem(self, code: str, **more: str) -> Any:
        return self.http.post("/openid4vci/token", data={"grant_type": GRANT, "pre-authorized_code": code, **more})

    def take(self, access: str, asked: Any) -> Any:
        return self.http.post("/openid4vci/credential", json=asked, headers={"Authorization": f"Bearer {access}"})


def test_a_wallet_takes_the_file_over(workshop: Workshop, row: Issued) -> None:
    """Offer, metadata of issuer and server, token, credential: and it is the file, value for value."""
    wallet = Wallet(workshop, row)
    offer = wallet.offer()
    (kind,) = offer["credential_configuration_ids"]
    about = wallet.http.get("/.well-known/openid-credential-issuer").json
    server = wallet.http.get("/.well-known/oauth-authorization-server").json
    assert offer["credential_issuer"] == about["credential_issuer"] == server["issuer"] == HOME
    configured = about["credential_configurations_supported"][kind]
    assert configured["format"] == "ldp_vc" and "cryptographic_binding_methods_supported" not in configured
    assert {shown["locale"] for shown in about["display"]} == {"en", "pt", "zh-Hans", "zh-Hant"}
    answer = wallet.redeem(offer["grants"][GRANT]["pre-authorized_code"])
    assert server["token_endpoint"] == f"{HOME}/openid4vci/token" and answer.json["token_type"] == "Bearer"
    assert answer.headers["Cache-Control"] == "no-store"
    taken = wallet.take(answer.json["access_token"], {"credential_configuration_id": kind})
    ((held,),) = (taken.json["credentials"],)
    assert jcs(held["credential"]) == row.file
    assert configured["credential_definition"]["type"] == held["credential"]["type"]
    assert configured["credential_definition"]["@context"] == held["credential"]["@context"]
    assert workshop.house.verify(jcs(held["credential"])).verdict == "valid-bearer"


def test_a_code_works_once_and_not_for_long(workshop: Workshop, row: Issued, monkeypatch: pytest.MonkeyPatch) -> None:
    """Used twice, changed, too late, or in place of a token: no. Two offers are two codes."""
    wallet = Wallet(workshop, row)
    first, second = wallet.code(), wallet.code()
    assert first != second
    access = wallet.redeem(first).json["access_token"]
    for wrong in (first, first[:-1], access, "", "x" * 5_000, "é"):
        answer = wallet.redeem(wrong)
        assert (answer.status_code, answer.json) == (400, {"error": "invalid_grant"})
    assert wallet.redeem(second, grant_type="password").json == {"error": "unsupported_grant_type"}
    kind = {"credential_configuration_id": row.schema.hex()}
    for text in (second, access[:-1], ""):
        answer = wallet.take(text, kind)
        assert answer.status_code == 401 and "invalid_token" in answer.headers["WWW-Authenticate"]
    assert wallet.take(access, {}).json == {"error": "invalid_credential_request"}
    assert wallet.take(access, [1]).json == {"error": "invalid_credential_request"}
    assert wallet.take(access, {"credential_configuration_id": "x"}).json == {"error": "unknown_credential_configuration"}
    later = workshop.house.now + 10
    monkeypatch.setattr("issuer_app.config.Config.now", lambda self: later)
    assert wallet.redeem(second).status_code == 400 and wallet.take(access, kind).status_code == 401


def test_a_withdrawn_link_or_a_revoked_certificate_ends_all_of_it(workshop: Workshop) -> None:
    """At once, codes and tokens that are out included."""
    for end in ("withdraw", "suspend"):
        row = workshop.issue()
        wallet = Wallet(workshop, row)
        code, access = wallet.code(), wallet.redeem(wallet.code()).json["access_token"]
        if end == "withdraw":
            wallet.links.withdraw(row.id)
        else:
            workshop.desk.suspend(row.id, "fraud", workshop.house.now)
            assert "openid-credential-offer" not in wallet.http.get(f"/c/{wallet.token}").text
        assert wallet.redeem(code).status_code == 400
        assert wallet.take(access, {"credential_configuration_id": row.schema.hex()}).status_code == 401
        assert wallet.http.get(f"/c/{wallet.token}/offer.json").status_code == 404


def test_without_a_public_https_address_nothing_is_offered(workshop: Workshop, row: Issued) -> None:
    """A wallet must find us by the name that the offer says; the download is there all the same."""
    wallet = Wallet(workshop, row, None)
    page = wallet.http.get(f"/c/{wallet.token}").text
    assert "openid-credential-offer" not in page and f"/c/{wallet.token}/certificate.json" in page
    for path in (
        "/.well-known/openid-credential-issuer",
        "/.well-known/oauth-authorization-server",
        f"/c/{wallet.token}/offer.json",
    ):
        assert wallet.http.get(path).status_code == 404
    assert wallet.redeem("x").status_code == 404
    assert issuer_of("http://desk.example") is None and issuer_of("https://desk.example/below") is None


def test_the_file_is_named_what_it_is(workshop: Workshop, row: Issued) -> None:
    """The media type of a credential with its proof inside, and a name that phones keep."""
    wallet = Wallet(workshop, row)
    answer = wallet.http.get(f"/c/{wallet.token}/certificate.json")
    assert answer.mimetype == "application/vc" and answer.data == row.file
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{row.id[:8]}.json"'


def test_guessing_codes_is_slowed_down(workshop: Workshop, row: Issued) -> None:
    wallet = Wallet(workshop, row)
    slow = create_app(replace(workshop.house.config(sign_in="3 per minute"), public=HOME)).test_client()
    form = {"grant_type": GRANT, "pre-authorized_code": "x"}
    answers = [slow.post("/openid4vci/token", data=form).status_code for _ in range(5)]
    assert answers == [400, 400, 400, 429, 429]
    assert wallet.token
