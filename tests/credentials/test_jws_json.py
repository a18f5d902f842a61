"""JWS and SD-JWT in JSON: the RFC's example, both forms, and everything that would let an unsigned word decide."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials import jws
from credentials.jws_json import read_jws_json, read_sd_jwt_json
from credentials.sd_jwt import verify, verify_binding
from tests.credentials.test_sd_jwt import AT, CLAIMS, HOLDER, ISSUER, bind, made, present
from tests.credentials.world import make_signer
from weid.canon import jcs
from weid.errors import MalformedError, SignatureError, UnknownSuiteError, WeidError
from weid.keys import PublicKey

# RFC 7515 A.7, with the key of A.3
EXAMPLE = {
    "payload": "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ",
    "protected": "eyJhbGciOiJFUzI1NiJ9",
    "header": {"kid": "e9bc097a-ce51-4036-9562-d2ade882db0d"},
    "signature": "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
}
KEY = PublicKey.from_jwk({
    "kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
})  # fmt: skip
SECOND = make_signer("ed25519", "assert", "second")


def parts(text: str) -> dict[str, Any]:
    protected, payload, signature = text.split(".")
    return {"protected": protected, "payload": payload, "signature": signature}


def flattened(text: str) -> dict[str, Any]:
    """A compact SD-JWT in the flattened form."""
    first, *disclosures, binding = text.split("~")
    return {**parts(first), "header": {"disclosures": disclosures, **({"kb_jwt": binding} if binding else {})}}


def general(value: dict[str, Any], *more: dict[str, Any]) -> dict[str, Any]:
    one = {name: item for name, item in value.items() if name != "payload"}
    return {"payload": value["payload"], "signatures": [one, *more]}


def second(value: dict[str, Any], **header: Any) -> dict[str, Any]:
    """Another issuer's signature over the same payload."""
    import base64

    payload = base64.urlsafe_b64decode(value["payload"] + "==")
    made = parts(jws.sign({"typ": "dc+sd-jwt", **header}, payload, SECOND))
    return {"protected": made["protected"], "signature": made["signature"]}


def bound() -> str:
    return bind(present(made(), [("name",), ("nationalities", 1)]), HOLDER, audience="v", nonce="n", at=AT)


@pytest.mark.parametrize("value", [EXAMPLE, general(EXAMPLE)])
def test_the_example_of_the_rfc(value: dict[str, Any]) -> None:
    """RFC 7515 A.7, as it stands and as a general form with one signature."""
    (one,) = read_jws_json(json.dumps(value).encode())
    jws.verify(one.jws, KEY, "assert")
    assert one.jws.claims()["iss"] == "joe"
    assert dict(one.unprotected) == EXAMPLE["header"]


def test_an_sd_jwt_in_json_says_what_its_compact_form_says() -> None:
    """RFC 9901 8: flattened and general, with disclosures and key binding beside the signature."""
    for value in (flattened(bound()), general(flattened(bound()))):
        (token,) = read_sd_jwt_json(jcs(value))
        claims = verify(token, ISSUER.public_key).claims
        assert (claims["name"], claims["nationalities"]) == (CLAIMS["name"], ["PT", "BR"])
        verify_binding(token, HOLDER.public_key, audience="v", nonce="n")
    plain = {**parts(made().split("~")[0]), "header": {}}
    assert len(verify(read_sd_jwt_json(jcs(plain))[0], ISSUER.public_key).disclosed) == 0


def test_two_issuers_sign_one_sd_jwt() -> None:
    """Each signature is read with the same disclosures; each is right under its own key alone."""
    value = flattened(bound())
    first, other = read_sd_jwt_json(jcs(general(value, second(value))))
    assert verify(first, ISSUER.public_key).claims == verify(other, SECOND.public_key).claims
    verify_binding(other, HOLDER.public_key, audience="v", nonce="n")
    with pytest.raises(SignatureError):
        verify(other, ISSUER.public_key)


@pytest.mark.parametrize(
    "change, code",
    [
        ({"payload": None}, "jws-json"), ({"payload": 7}, "jws-json"), ({"protected": None}, "jws-json"),
        ({"signature": ""}, "jws-json"), ({"signature": ["x"]}, "jws-json"), ({"header": []}, "jws-json"),
        ({"signatures": []}, "jws-json"), ({"header": {"alg": "ES256"}}, "unprotected-header"),
        ({"header": {"typ": "x"}}, "unprotected-header"), ({"header": {"crit": []}}, "unprotected-header"),
        ({"header": {"b64": False}}, "unprotected-header"), ({"protected": "e30"}, "jws"), ({"payload": "x=="}, "malformed"),
        ({"protected": "A" * 20000}, "too-large"),
    ],
)  # fmt: skip
def test_what_is_no_jws_in_json(change: dict[str, Any], code: str) -> None:
    value = {name: item for name, item in {**EXAMPLE, **change}.items() if item is not None}
    with pytest.raises(MalformedError) as caught:
        read_jws_json(json.dumps(value).encode())
    assert caught.value.code == code


def test_both_forms_at_once_and_headers_twice() -> None:
    """RFC 7515 7.2.1: header parameters are disjoint, and the two forms do not mix."""
    for value, code in (
        ({**general(EXAMPLE), "signature": EXAMPLE["signature"]}, "jws-json"),
        ({"payload": EXAMPLE["payload"], "signatures": []}, "jws-json"),
        ({"payload": EXAMPLE["payload"], "signatures": [{}] * 17}, "jws-json"),
        ({"payload": EXAMPLE["payload"], "signatures": [7]}, "jws-json"),
        ({**parts(jws.sign({"kid": "a"}, b"{}", SECOND)), "header": {"kid": "a"}}, "header-repeated"),
    ):
        with pytest.raises(MalformedError) as caught:
            read_jws_json(jcs(value))
        assert caught.value.code == code
    with pytest.raises(UnknownSuiteError):  # one signature that nobody here could check: {"alg":"RS256"}
        read_jws_json(jcs(general(EXAMPLE, {"protected": "eyJhbGciOiJSUzI1NiJ9", "signature": "AAAA"})))
    ignored = {**EXAMPLE, "unknown": 1}
    jws.verify(read_jws_json(jcs(ignored))[0].jws, KEY, "assert")


def test_what_is_no_sd_jwt_in_json() -> None:
    """Disclosures and key binding are texts of their own, in the first header and nowhere else."""
    good = flattened(bound())
    header = good["header"]
    first = header["disclosures"][0]
    for change in (
        {"disclosures": "x"}, {"disclosures": [7]}, {"disclosures": None}, {"kb_jwt": 7}, {"kb_jwt": ""},
        {"disclosures": [f"{first}~{header['disclosures'][1]}"]}, {"kb_jwt": f"~{header['kb_jwt']}"},
    ):  # fmt: skip
        with pytest.raises(MalformedError) as caught:
            read_sd_jwt_json(jcs({**good, "header": {**header, **change}}))
        assert caught.value.code == "sd-jwt-json", change
    for name in ("disclosures", "kb_jwt"):
        other = {**second(good), "header": {name: header[name]}}
        with pytest.raises(MalformedError) as caught:
            read_sd_jwt_json(jcs(general(good, other)))
        assert caught.value.code == "sd-jwt-json"
    for change in ({"disclosures": header["disclosures"][:1]}, {"disclosures": header["disclosures"][::-1]}):
        (token,) = read_sd_jwt_json(jcs({**good, "header": {**header, **change}}))
        with pytest.raises(SignatureError, match="another presentation"):
            verify_binding(token, HOLDER.public_key, audience="v", nonce="n")


def test_no_changed_character_verifies() -> None:
    """Every character of every signed text changed: refused, by an error of ours."""
    good = flattened(bound())
    for name in ("protected", "payload", "signature"):
        for place in range(0, len(good[name]), 3):
            letter = "A" if good[name][place] != "A" else "B"
            changed = {**good, name: good[name][:place] + letter + good[name][place + 1 :]}
            with pytest.raises(WeidError):
                verify(read_sd_jwt_json(jcs(changed))[0], ISSUER.public_key)
