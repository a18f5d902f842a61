"""SD-JWT VC: what the format asks, what the metadata of a type ask, and token status lists; nothing is ever fetched."""

from __future__ import annotations

import base64
import hashlib
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest

from credentials import jws
from credentials.sd_claims import Path
from credentials.sd_jwt import issue, present, read_sd_jwt
from credentials.sd_jwt_vc import SdJwtVc, check_type, verify_sd_jwt_vc
from credentials.token_status import StatusReference, read_reference, value_in
from credentials.type_metadata import check_integrity, resolve_type
from tests.credentials.test_sd_jwt import disclosure, signed
from tests.credentials.world import Seeded, make_signer
from weid.canon import jcs
from weid.codec import b64u
from weid.errors import MalformedError, SignatureError

ISSUER, HOLDER = make_signer("p256", "assert", "issuer"), make_signer("p256", "present", "holder")
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
VCT, BASE = "https://a.example/degree", "https://a.example/award"
URI = "https://a.example/status/1"
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example", "vct": VCT, "iat": 1, "name": "李雷", "address": {"city": "珠海", "street": "x"},
    "degrees": [{"type": "BSc"}, {"type": "MSc"}], "status": {"status_list": {"idx": 5, "uri": URI}},
}  # fmt: skip
HIDE: list[Path] = [("name",), ("address", "city"), ("degrees", 1), ("degrees", 0, "type")]


def sri(data: bytes, name: str = "sha256") -> str:
    return f"{name}-{base64.b64encode(hashlib.new(name, data).digest()).decode()}"


def made(hide: list[Path] | None = None, **change: Any) -> str:
    claims = {name: item for name, item in {**CLAIMS, **change}.items() if item is not ...}
    hidden = HIDE if hide is None else hide
    return issue(claims, hidden, signer=ISSUER, random=Seeded("vc"), holder=HOLDER.public_key)


def read(text: str) -> SdJwtVc:
    return verify_sd_jwt_vc(read_sd_jwt(text), ISSUER.public_key)


def code(work: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(MalformedError) as caught:
        work(*given, **named)
    return caught.value.code


def metadata(claims: Any, *, base: Any = None, **more: Any) -> dict[str, bytes]:
    documents = {VCT: jcs({"vct": VCT, "claims": claims, **({"extends": BASE} if base is not None else {}), **more})}
    return documents if base is None else {**documents, BASE: jcs({"vct": BASE, "claims": base})}


# --- the format -------------------------------------------------------------------------------------------------------


def test_what_it_says() -> None:
    value = read(made(aka_vcts=[BASE], **{"vct#integrity": "sha256-x"}))
    assert value.types == (VCT, BASE)
    assert (value.issuer, value.integrity, value.status) == ("https://issuer.example", "sha256-x", StatusReference(URI, 5))
    assert value.holder == HOLDER.public_key
    assert value.claims["name"] == "李雷"
    bare = read(signed({"vct": VCT}))
    assert (bare.issuer, bare.holder, bare.status, bare.also, bare.integrity) == (None, None, None, (), None)


@pytest.mark.parametrize(
    "change, wanted",
    [
        ({"vct": ...}, "vct"), ({"vct": ""}, "vct"), ({"vct": 7}, "vct"), ({"vct#integrity": 7}, "vct-integrity"),
        ({"iss": 7}, "iss"), ({"iss": ""}, "iss"), ({"exp": "tomorrow"}, "bad-time"), ({"nbf": True}, "bad-time"),
        ({"cnf": {"kid": "x"}}, "cnf"), ({"cnf": 7}, "cnf"), ({"aka_vcts": []}, "aka-vcts"), ({"aka_vcts": [VCT]}, "aka-vcts"),
        ({"aka_vcts": "x"}, "aka-vcts"), ({"aka_vcts": [7]}, "aka-vcts"), ({"status": {}}, "status-claim"),
        ({"status": {"status_list": {"idx": -1, "uri": URI}}}, "status-claim"),
        ({"status": {"status_list": {"idx": True, "uri": URI}}}, "status-claim"),
        ({"status": {"status_list": {"idx": 1, "uri": ""}}}, "status-claim"), ({"status": {"other": {}}}, "status-claim"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule(change: dict[str, Any], wanted: str) -> None:
    """Signed by the issuer, and refused all the same, each rule by its own code."""
    payload = {name: item for name, item in {**CLAIMS, **change}.items() if item is not ...}
    assert code(read, signed(payload)) == wanted


@pytest.mark.parametrize("name", ["iss", "nbf", "exp", "cnf", "vct", "vct#integrity", "aka_vcts", "status"])
def test_what_may_never_be_hidden(name: str) -> None:
    """Disclosed or with a digest inside: a verifier who is not shown it would not know that it is there."""
    text, digest = disclosure("salt", name, CLAIMS.get(name, 1))
    payload: dict[str, Any] = {key: item for key, item in CLAIMS.items() if key != name}
    assert code(read, signed({**payload, "_sd": [digest]}, text)) == "claim-hidden"
    assert code(read, signed({**payload, name: {"_sd": ["A" * 43]}})) == "claim-hidden"
    assert code(read, signed({**payload, name: [{"a": [{"...": "A" * 43}]}]})) == "claim-hidden"


@pytest.mark.parametrize("typ", ["vc+sd-jwt", "jwt", "kb+jwt", "vc+jwt"])
def test_another_type_of_token(typ: str) -> None:
    assert code(read, signed(CLAIMS, typ=typ)) == "wrong-typ"


def test_another_key() -> None:
    with pytest.raises(SignatureError):
        verify_sd_jwt_vc(read_sd_jwt(made()), HOLDER.public_key)


# --- the metadata of a type -------------------------------------------------------------------------------------------


def test_a_chain_of_types() -> None:
    """Claims of all of them, the child's properties first; display of the nearest that has one; digests where signed."""
    label = [{"locale": "en", "label": "Name"}]
    base = jcs({
        "vct": BASE, "display": [{"locale": "zh-Hans", "name": "学位"}],
        "claims": [{"path": ["name"], "sd": "always", "display": label}, {"path": ["degrees", None, "type"]}],
    })  # fmt: skip
    child = jcs({
        "vct": VCT, "name": "degree", "extends": BASE, "extends#integrity": sri(base), "unknown": 1,
        "claims": [{"path": ["name"], "mandatory": True, "svg_id": "name_1"}],
    })  # fmt: skip
    found = resolve_type(VCT, {VCT: child, BASE: base}, integrity=sri(child))
    assert (found.chain, found.name, found.display[0]["name"]) == ((VCT, BASE), "degree", "学位")
    name = next(claim for claim in found.claims if claim.path == ("name",))
    assert (name.mandatory, name.sd, name.svg_id, list(name.display)) == (True, "always", "name_1", label)
    assert [claim.path for claim in found.claims] == [("name",), ("degrees", None, "type")]
    assert code(resolve_type, VCT, {VCT: child}) == "type-metadata-missing"
    assert code(resolve_type, VCT, {VCT: child, BASE: base + b" "}) == "type-metadata-integrity"
    assert code(resolve_type, VCT, {VCT: child, BASE: base}, integrity=sri(base)) == "type-metadata-integrity"
    assert code(resolve_type, BASE, {BASE: child}) == "type-metadata"


def test_types_in_a_circle() -> None:
    names = [f"urn:t:{number}" for number in range(9)]
    long = {name: jcs({"vct": name, "extends": after}) for name, after in zip(names, [*names[1:], "urn:t:9"], strict=True)}
    assert code(resolve_type, names[0], {**long, "urn:t:9": jcs({"vct": "urn:t:9"})}) == "type-metadata-circular"
    assert code(resolve_type, VCT, metadata([], extends=VCT)) == "type-metadata-circular"
    assert code(resolve_type, VCT, metadata([], extends=7)) == "type-metadata-circular"


def test_integrity_metadata() -> None:
    """The strongest hash that is known decides; one of its digests must be right, options are ignored."""
    data = b"{}"
    for good in (sri(data), sri(data, "sha512"), f"{sri(b'x', 'sha384')} {sri(data, 'sha384')}", f"{sri(data)}?a=b",
                 f"{sri(b'x')} {sri(data, 'sha512')}", f"md5-AA== {sri(data)}"):  # fmt: skip
        check_integrity(data, good)
    for bad in (sri(b"x"), f"{sri(data)} {sri(b'x', 'sha512')}", "", "md5-AA==", 7, None, sri(data).upper()):
        assert code(check_integrity, data, bad) == "type-metadata-integrity"
    with pytest.raises(MalformedError):
        check_integrity(data, "sha256-%%%")


@pytest.mark.parametrize(
    "claims",
    [
        7, [7], [{}], [{"path": []}], [{"path": [True]}], [{"path": [-1]}], [{"path": [1.5]}], [{"path": "x"}],
        [{"path": ["x"], "sd": "maybe"}], [{"path": ["x"], "mandatory": 1}], [{"path": ["x"], "svg_id": "1x"}],
        [{"path": ["x"]}, {"path": ["x"]}], [{"path": ["x"], "display": {}}], [{"path": ["x"], "display": [{}]}],
        [{"path": ["x"], "display": [{"locale": "en", "name": "x"}]}], [{"path": ["x"], "svg_id": None, "sd": None}],
        [{"path": ["x"], "svg_id": "a"}, {"path": ["y"], "svg_id": "a"}], [{"path": [str(n)]} for n in range(513)],
    ],
)  # fmt: skip
def test_metadata_that_are_none(claims: Any) -> None:
    assert code(resolve_type, VCT, metadata(claims)) == "type-metadata"


@pytest.mark.parametrize("base, child, wanted", [
    ({"sd": "always"}, {"sd": "never"}, True), ({"sd": "never"}, {"sd": "allowed"}, True), ({"sd": "never"}, {}, False),
    ({}, {"sd": "never"}, False), ({"sd": "allowed"}, {"sd": "always"}, False), ({"sd": "always"}, {"sd": "always"}, False),
    ({"mandatory": True}, {"mandatory": False}, True), ({"mandatory": True}, {}, False), ({}, {"mandatory": True}, False),
])  # fmt: skip
def test_a_child_asks_for_more_and_never_for_less(base: Any, child: Any, wanted: bool) -> None:
    documents = metadata([{"path": ["x"], **child}], base=[{"path": ["x"], **base}])
    if wanted:
        assert code(resolve_type, VCT, documents) == "type-metadata-extends"
    else:
        (claim,) = resolve_type(VCT, documents).claims
        assert claim.mandatory == (base | child).get("mandatory", False)
        assert claim.sd == (base | child).get("sd", "allowed")


def checked(text: str, *claims: Any) -> str:
    """The code of what the metadata refuse, or "" where they do not."""
    token = read_sd_jwt(text)
    try:
        check_type(verify_sd_jwt_vc(token, ISSUER.public_key), token, resolve_type(VCT, metadata(list(claims))))
    except MalformedError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    "path, more, wanted",
    [
        (["name"], {"sd": "always"}, ""), (["name"], {"sd": "never"}, "claim-hidden"), (["iss"], {"sd": "always"}, "claim-not-hidden"),
        (["iss"], {"sd": "never", "mandatory": True}, ""), (["address", "city"], {"sd": "always"}, ""),
        (["address"], {"sd": "always"}, "claim-not-hidden"), (["address", "street"], {"sd": "always"}, "claim-not-hidden"),
        (["degrees", None], {"sd": "always"}, "claim-not-hidden"), (["degrees", 1], {"sd": "always"}, ""),
        (["degrees", 1], {"sd": "never"}, "claim-hidden"), (["degrees", 0, "type"], {"sd": "always"}, ""),
        (["degrees", None, "type"], {"sd": "always"}, "claim-not-hidden"), (["degrees", 7], {"mandatory": True}, "claim-missing"),
        (["name", "x"], {}, "claim-path"), (["name", None], {}, "claim-path"), (["address", 0], {}, "claim-path"),
        (["degrees", "x"], {}, "claim-path"), (["nothing"], {"mandatory": True}, "claim-missing"), (["nothing"], {}, ""),
        (["nothing", "x"], {"mandatory": True}, "claim-missing"),
    ],
)  # fmt: skip
def test_what_a_type_asks_of_all_claims(path: Any, more: Any, wanted: str) -> None:
    """A holder who has every disclosure knows what was issued."""
    assert checked(made(), {"path": path, **more}) == wanted


@pytest.mark.parametrize(
    "path, more, wanted",
    [
        (["name"], {"mandatory": True}, ""), (["name"], {"mandatory": True, "sd": "always"}, ""),
        (["name"], {"mandatory": True, "sd": "never"}, "claim-missing"), (["address", "city"], {"mandatory": True}, ""),
        (["address", "nothing"], {"mandatory": True, "sd": "never"}, "claim-missing"), (["degrees", 1], {"mandatory": True}, ""),
        (["degrees", 1, "type"], {"mandatory": True, "sd": "never"}, ""), (["degrees", 1], {"sd": "never"}, "claim-hidden"),
        (["degrees", 2], {"mandatory": True}, "claim-missing"), (["nothing", "x"], {"mandatory": True}, ""),
    ],
)  # fmt: skip
def test_what_was_left_out_is_no_evidence(path: Any, more: Any, wanted: str) -> None:
    """A verifier sees digests: a claim may be behind one, unless the type says that it is never hidden."""
    assert checked(present(made(), []), {"path": path, **more}) == wanted


def test_the_metadata_of_another_type() -> None:
    token = read_sd_jwt(made(vct=BASE))
    found = resolve_type(VCT, metadata([]))
    assert code(check_type, verify_sd_jwt_vc(token, ISSUER.public_key), token, found) == "type-metadata"


# --- token status lists -----------------------------------------------------------------------------------------------

VALUES = {1: (0xB9, 0xA3), 2: (0xC9, 0x44, 0xF9)}


def listed(bits: int = 1, data: bytes | None = None, typ: str = "statuslist+jwt", **change: Any) -> str:
    packed = zlib.compress(bytes(VALUES[bits]) if data is None else data, 9)
    claims = {"sub": URI, "iat": 1, "status_list": {"bits": bits, "lst": b64u(packed)}, **change}
    return jws.sign({"typ": typ}, jws.compact_json({k: v for k, v in claims.items() if v is not ...}), ISSUER)


@pytest.mark.parametrize("bits, values", [
    (1, [1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1]), (2, [1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]),
])  # fmt: skip
def test_the_examples_of_the_draft(bits: int, values: list[int]) -> None:
    """Lists of one and of two bits, lowest bits first (draft-ietf-oauth-status-list, 4.1)."""
    found = [value_in(listed(bits), StatusReference(URI, place), ISSUER.public_key, at=AT) for place in range(len(values))]
    assert found == [(value, 1) for value in values]
    assert code(value_in, listed(bits), StatusReference(URI, len(values)), ISSUER.public_key, at=AT) == "status-index"


@pytest.mark.parametrize(
    "change, wanted",
    [
        ({"sub": "https://a.example/status/2"}, "status-list-uri"), ({"sub": ...}, "status-list-uri"),
        ({"status_list": {"bits": 3, "lst": ""}}, "status-list"), ({"status_list": {"bits": True, "lst": ""}}, "status-list"),
        ({"status_list": {"bits": 1}}, "status-list"), ({"status_list": ...}, "status-list"),
        ({"status_list": {"bits": 1, "lst": "AAAA"}}, "status-list"), ({"typ": "jwt"}, "wrong-typ"),
        ({"status_list": {"bits": 1, "lst": b64u(zlib.compress(b"x")[:-2])}}, "status-list"),
        ({"status_list": {"bits": 1, "lst": b64u(zlib.compress(b"x") + b"y")}}, "status-list"),
        ({"data": bytes((1 << 24) + 1)}, "status-list"), ({"exp": "x"}, "bad-time"),
    ],
)  # fmt: skip
def test_lists_that_are_none(change: dict[str, Any], wanted: str) -> None:
    assert code(value_in, listed(**change), StatusReference(URI, 0), ISSUER.public_key, at=AT) == wanted


@pytest.mark.parametrize("change", [{"exp": 1}, {"nbf": 1 << 37}, {"iat": ...}, {"iat": "x"}])
def test_lists_of_another_time(change: dict[str, Any]) -> None:
    with pytest.raises(SignatureError) as caught:
        value_in(listed(**change), StatusReference(URI, 0), ISSUER.public_key, at=AT)
    assert caught.value.code == "status-list-expired"


def test_a_list_that_somebody_else_signed() -> None:
    with pytest.raises(SignatureError):
        value_in(listed(), StatusReference(URI, 0), HOLDER.public_key, at=AT)


def test_no_status_is_no_reference() -> None:
    assert read_reference({}) is None
    assert read_reference(CLAIMS) == StatusReference(URI, 5)
