"""SD-JWT: the RFC's examples, every refusal by its code, and no change that still verifies (RFC 9901)."""

from __future__ import annotations

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import jws, sd_jwt
from credentials.jws import time_code
from credentials.sd_claims import HASHES, Disclosure, conceal, digests_of, hash_of, open_claims, read_disclosure
from credentials.sd_jwt import answer, bind, confirmed_key, issue, present, read_sd_jwt, verify, verify_binding
from tests.credentials.world import Seeded, make_signer
from weid.canon import jcs
from weid.codec import b64u, unb64u
from weid.errors import (
    DisclosureError,
    IssueError,
    KeyMaterialError,
    MalformedError,
    SignatureError,
    UnknownSuiteError,
    WeidError,
)
from weid.hashes import SHA256, Hash
from weid.keys import PublicKey
from weid.suites import SUITES

RFC = json.loads((Path(__file__).parent / "data" / "rfc9901.json").read_text("utf-8"))
EXAMPLES = {item["section"]: item for item in RFC["examples"]}
TYPE = ("example+sd-jwt",)
AT = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
ISSUER, HOLDER = make_signer("p256", "assert", "issuer"), make_signer("p256", "present", "holder")
CLAIMS: dict[str, Any] = {
    "iss": "https://issuer.example", "vct": "urn:example:card", "name": "李雷", "degree": {"title": "Bachelor", "year": 2021},
    "nationalities": ["CN", "PT", "BR"], "notes": [{"text": "a", "by": "x"}, ["deep", ["deeper"]]],
}  # fmt: skip
HIDE = [
    ("name",), ("degree",), ("degree", "year"), ("nationalities", 0), ("nationalities", 1), ("notes", 0),
    ("notes", 0, "by"), ("notes", 1, 1, 0),
]  # fmt: skip


def made(**change: Any) -> str:
    return issue(CLAIMS, HIDE, **{"signer": ISSUER, "random": Seeded("sd"), "holder": HOLDER.public_key, **change})


def signed(payload: dict[str, Any], *disclosures: str, typ: str = "dc+sd-jwt", tail: str = "") -> str:
    """An SD-JWT whose issuer signed whatever payload the test thinks of."""
    return "~".join((jws.sign({"typ": typ}, jcs(payload), ISSUER), *disclosures, tail))


def disclosure(*parts: Any) -> tuple[str, str]:
    """(text, digest) of a disclosure of any content."""
    text = b64u(json.dumps(list(parts)).encode())
    return text, Disclosure(text, None, None).digest(SHA256)


# --- the RFC's own examples ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("section", EXAMPLES)
def test_examples_of_the_rfc(section: str) -> None:
    """The RFC's tokens verify under its issuer's key and give the payload it prints."""
    token = read_sd_jwt(EXAMPLES[section]["text"])
    assert verify(token, PublicKey.from_jwk(RFC["issuer"]), types=TYPE).claims == EXAMPLES[section]["claims"]


def test_key_binding_of_the_rfc() -> None:
    """Section 5.2: the key-binding JWT is the holder's, for this verifier, over this presentation."""
    token = read_sd_jwt(EXAMPLES["5.2"]["text"])
    key = confirmed_key(verify(token, PublicKey.from_jwk(RFC["issuer"]), types=TYPE).claims)
    said = verify_binding(token, key, audience=RFC["audience"], nonce=RFC["nonce"])
    assert (said.audience, said.nonce, said.issued) == (RFC["audience"], RFC["nonce"], 1748537244)


def test_presentation_of_the_rfc() -> None:
    """Section 5.2's choice cut out of section 5.1: the same claims, and no disclosure more."""
    cut = present(EXAMPLES["5.1"]["text"], [("given_name",), ("family_name",), ("address",), ("nationalities", 0)])
    token = read_sd_jwt(cut)
    assert verify(token, PublicKey.from_jwk(RFC["issuer"]), types=TYPE).claims == EXAMPLES["5.2"]["claims"]
    assert sorted(token.disclosures, key=str) == sorted(read_sd_jwt(EXAMPLES["5.2"]["text"]).disclosures, key=str)


def test_disclosures_of_the_rfc() -> None:
    """Section 4.2: three spellings of one disclosure are three disclosures; the digests are those printed."""
    printed = read_disclosure("WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0")
    assert (printed.name, printed.value) == ("family_name", "Möbius")
    assert printed.digest(SHA256) == "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"
    element = read_disclosure("WyJsa2x4RjVqTVlsR1RQVW92TU5JdkNBIiwgIkZSIl0")
    assert (element.name, element.value) == (None, "FR")
    assert element.digest(SHA256) == "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"


# --- issuing and showing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SUITES)
@pytest.mark.parametrize("hash_name", [None, *HASHES])
def test_round_trip(name: str, hash_name: str | None) -> None:
    """Everything hidden comes back, for every suite and hash; an SM2 issuer uses SM3 unless told otherwise."""
    signer = make_signer(name, "assert", "issuer")
    token = read_sd_jwt(made(signer=signer, hash_name=hash_name, decoys=2, kid="key-1"))
    assert token.payload["_sd_alg"] == (hash_name or ("sm3" if name == "sm2" else "sha-256"))
    verified = verify(token, signer.public_key)
    assert verified.claims == {**CLAIMS, "cnf": {"jwk": HOLDER.public_key.jwk()}}
    assert set(verified.disclosed) == set(HIDE)
    assert (token.jws.kid, token.jws.type, len(token.disclosures)) == ("key-1", "dc+sd-jwt", len(HIDE))


def test_nothing_hidden_shows() -> None:
    """Names, values and order of what is hidden stand nowhere in the signed payload; decoys join every such place."""
    token = read_sd_jwt(made(decoys=3))
    text = json.dumps(dict(token.payload), ensure_ascii=False)
    assert not any(word in text for word in ("name", "李雷", "degree", "Bachelor", "2021", "CN", "PT", "deeper"))
    assert token.payload["_sd"] == sorted(token.payload["_sd"])  # type: ignore[arg-type, type-var]
    assert len(token.payload["_sd"]) == 2 + 3  # type: ignore[arg-type]
    assert len(token.payload["nationalities"]) == 3 + 3  # type: ignore[arg-type]
    assert "BR" in token.payload["nationalities"]  # type: ignore[operator]


def test_equal_values_have_different_digests() -> None:
    """Each disclosure has a salt of its own, 128 bits from the source that was given."""
    drawn: list[int] = []

    def random(size: int) -> bytes:
        drawn.append(size)
        return Seeded(str(len(drawn)))(size)

    payload, texts = conceal({"a": 1, "b": 1, "c": [1, 1]}, [("a",), ("b",), ("c", 0), ("c", 1)], random=random)
    assert drawn == [16 * 4]
    assert len({json.loads(unb64u(text))[0] for text in texts}) == 4
    assert len({read_disclosure(text).digest(SHA256) for text in texts}) == 4
    assert set(payload) == {"_sd", "c"}


def test_a_source_that_gives_less_than_was_asked_is_not_trusted() -> None:
    """No salt is short or missing because the source was."""
    with pytest.raises(KeyMaterialError):
        conceal({"a": 1, "b": 2}, [("a",), ("b",)], random=lambda size: bytes(size - 1))


@pytest.mark.parametrize(
    "show, expected",
    [
        ([], {"nationalities": ["BR"], "notes": [["deep", []]]}),
        ([("name",)], {"name": "李雷", "nationalities": ["BR"], "notes": [["deep", []]]}),
        ([("degree",)], {"degree": {"title": "Bachelor"}, "nationalities": ["BR"], "notes": [["deep", []]]}),
        ([("degree", "year")],
         {"degree": {"title": "Bachelor", "year": 2021}, "nationalities": ["BR"], "notes": [["deep", []]]}),
        ([("degree", "title")], {"degree": {"title": "Bachelor"}, "nationalities": ["BR"], "notes": [["deep", []]]}),
        ([("nationalities", 1)], {"nationalities": ["PT", "BR"], "notes": [["deep", []]]}),
        ([("nationalities", 2), ("iss",)], {"nationalities": ["BR"], "notes": [["deep", []]]}),
        ([("notes", 0, "by")], {"nationalities": ["BR"], "notes": [{"text": "a", "by": "x"}, ["deep", []]]}),
        ([("notes", 1, 1, 0)], {"nationalities": ["BR"], "notes": [["deep", ["deeper"]]]}),
    ],
)  # fmt: skip
def test_showing_some(show: list[tuple[str | int, ...]], expected: dict[str, Any]) -> None:
    """A path brings what it needs above it and nothing else; numbers count the elements as issued."""
    shown = verify(read_sd_jwt(present(made(decoys=2), show)), ISSUER.public_key).claims
    always = {"iss": CLAIMS["iss"], "vct": CLAIMS["vct"], "cnf": {"jwk": HOLDER.public_key.jwk()}}
    assert shown == {**always, **expected}


@pytest.mark.parametrize("path", [("nothing",), ("degree", "nothing"), ("nationalities", 3), ("nationalities", -1),
                                  ("nationalities", True), ("name", "x"), (0,), ()])  # fmt: skip
def test_paths_that_lead_nowhere(path: tuple[Any, ...]) -> None:
    """`no-such-claim`: neither issuer nor holder can name what is not there."""
    with pytest.raises(DisclosureError) as shown:
        present(made(), [path])
    assert shown.value.code == "no-such-claim"
    if path != ("nationalities", True):  # True is 1 as a place in a set, and 1 is an element
        with pytest.raises(IssueError) as hidden:
            issue(CLAIMS, [path], signer=ISSUER, random=Seeded("x"))
        assert hidden.value.code == "no-such-claim"


@pytest.mark.parametrize("name", ["iss", "nbf", "exp", "cnf", "vct", "status"])
def test_claims_that_are_always_shown(name: str) -> None:
    """`claim-always-shown`: a holder could hide that the credential expired (RFC 9901 9.7)."""
    with pytest.raises(IssueError) as caught:
        issue({**CLAIMS, name: "x"}, [(name,)], signer=ISSUER, random=Seeded("x"))
    assert caught.value.code == "claim-always-shown"


@pytest.mark.parametrize("claims", [{"_sd": []}, {"a": {"_sd": []}}, {"a": [{"...": "x"}]}, {"_sd_alg": "sha-256"}, {"...": 1}])
def test_reserved_names_are_not_issued(claims: dict[str, Any]) -> None:
    """`reserved-claim`: a claim cannot be mistaken for a digest."""
    with pytest.raises(IssueError) as caught:
        issue(claims, [], signer=ISSUER, random=Seeded("x"))
    assert caught.value.code == "reserved-claim"


def test_other_refusals_of_an_issuer() -> None:
    """A holder named twice, an unknown hash, too many disclosures, claims without end, a holder's key as issuer."""
    with pytest.raises(IssueError) as caught:
        issue({"cnf": {}}, [], signer=ISSUER, random=Seeded("x"), holder=HOLDER.public_key)
    assert caught.value.code == "cnf-twice"
    with pytest.raises(UnknownSuiteError):
        made(hash_name="md5")
    many = {"a": list(range(1001))}
    with pytest.raises(IssueError) as caught:
        issue(many, [("a", index) for index in range(1001)], signer=ISSUER, random=Seeded("x"))
    assert caught.value.code == "too-large"
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    with pytest.raises(IssueError) as caught:
        issue({"a": deep}, [], signer=ISSUER, random=Seeded("x"))
    assert caught.value.code == "too-deep"
    with pytest.raises(SignatureError):
        made(signer=make_signer("p256", "status", "issuer"))


# --- digests and disclosures that are refused ------------------------------------------------------------------------

NAME, NAME_DIGEST = disclosure("salt-1", "name", "A")
OTHER, OTHER_DIGEST = disclosure("salt-2", "name", "B")
ITEM, ITEM_DIGEST = disclosure("salt-3", "x")
INNER, INNER_DIGEST = disclosure("salt-4", "inner", {"_sd": [NAME_DIGEST]})


@pytest.mark.parametrize(
    "payload, disclosures, code",
    [
        ({}, [NAME], "sd-unreferenced"),
        ({"_sd": [NAME_DIGEST]}, [NAME, OTHER], "sd-unreferenced"),
        ({"_sd": [OTHER_DIGEST]}, [INNER], "sd-unreferenced"),
        ({"_sd": [NAME_DIGEST]}, [NAME, NAME], "sd-repeated"),
        ({"_sd": [NAME_DIGEST, NAME_DIGEST]}, [NAME], "sd-repeated"),
        ({"_sd": [NAME_DIGEST, NAME_DIGEST]}, [], "sd-repeated"),
        ({"_sd": [NAME_DIGEST], "a": {"_sd": [NAME_DIGEST]}}, [], "sd-repeated"),
        ({"_sd": [NAME_DIGEST, INNER_DIGEST]}, [NAME, INNER], "sd-repeated"),
        ({"a": [{"...": ITEM_DIGEST}, {"...": ITEM_DIGEST}]}, [ITEM], "sd-repeated"),
        ({"_sd": [NAME_DIGEST, OTHER_DIGEST]}, [NAME, OTHER], "sd-claim-repeated"),
        ({"_sd": [NAME_DIGEST], "name": "C"}, [NAME], "sd-claim-repeated"),
        ({"_sd": [ITEM_DIGEST]}, [ITEM], "sd-disclosure"),
        ({"a": [{"...": NAME_DIGEST}]}, [NAME], "sd-disclosure"),
        ({"_sd": NAME_DIGEST}, [], "sd-reserved"),
        ({"_sd": {}}, [], "sd-reserved"),
        ({"_sd": None}, [], "sd-reserved"),
        ({"_sd": [1]}, [], "sd-reserved"),
        ({"_sd": [["x"]]}, [], "sd-reserved"),
        ({"...": NAME_DIGEST}, [NAME], "sd-reserved"),
        ({"a": [{"...": ITEM_DIGEST, "b": 1}]}, [ITEM], "sd-reserved"),
        ({"a": [{"...": 1}]}, [], "sd-reserved"),
        ({"a": {"_sd_alg": "sha-256"}}, [], "sd-reserved"),
        ({"_sd_alg": "md5"}, [], "sd-alg"),
        ({"_sd_alg": "SHA-256"}, [], "sd-alg"),
        ({"_sd_alg": None}, [], "sd-alg"),
        ({"_sd_alg": ["sha-256"]}, [], "sd-alg"),
    ],
)
def test_misused_digests(payload: dict[str, Any], disclosures: list[str], code: str) -> None:
    """An issuer's signature does not make them right: one issuance must never show two credentials (RFC 9901 7.1)."""
    with pytest.raises((MalformedError, UnknownSuiteError)) as caught:
        verify(read_sd_jwt(signed(payload, *disclosures)), ISSUER.public_key)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "content, code",
    [
        ([], "sd-disclosure"), (["s"], "sd-disclosure"), (["s", "n", "v", "more"], "sd-disclosure"), ({}, "sd-disclosure"),
        ([1, "n", "v"], "sd-disclosure"), (["s", 1, "v"], "sd-disclosure"), (["s", None, "v"], "sd-disclosure"),
        (["s", "_sd", []], "sd-reserved"), (["s", "...", "v"], "sd-reserved"), (["s", "_sd_alg", "sha-256"], "sd-reserved"),
    ],
)  # fmt: skip
def test_disclosures_that_are_refused(content: Any, code: str) -> None:
    """Salt, name and value, in types that fit; never a name that SD-JWT keeps for itself."""
    with pytest.raises(MalformedError) as caught:
        read_disclosure(b64u(json.dumps(content).encode()))
    assert caught.value.code == code


def test_the_claims_of_an_empty_object_and_unknown_digests() -> None:
    """Decoys vanish, with the objects and elements that held nothing else (RFC 9901 7.1, 3.4 and 3.5)."""
    token = read_sd_jwt(
        signed({"_sd": [NAME_DIGEST], "a": {"_sd": [OTHER_DIGEST]}, "b": [{"...": ITEM_DIGEST}], "_sd_alg": "sha-256"})
    )
    assert verify(token, ISSUER.public_key).claims == {"a": {}, "b": []}


def test_nesting_is_capped() -> None:
    """Disclosures inside disclosures: each small, together too deep."""
    texts: list[str] = []
    digest = disclosure("s", "end", 1)[1]
    for level in range(40):
        text, digest = disclosure(f"salt-{level}", "a", {"_sd": [digest]})
        texts.append(text)
    with pytest.raises(MalformedError) as caught:
        verify(read_sd_jwt(signed({"_sd": [digest]}, *texts)), ISSUER.public_key)
    assert caught.value.code == "too-deep"


# --- the token ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "~", "~~", "a.b.c", made().split("~")[0], made().replace("~", "~~", 1), "~" + made(), None, b"",
                                  made().replace("~", "~=", 1), made() + " ", made() + "x~", "~" * 1003, "a" * (1 << 22)])  # fmt: skip
def test_texts_that_are_no_sd_jwt(text: Any) -> None:
    """A JWT, disclosures and tildes, under the caps; nothing between or after."""
    with pytest.raises(MalformedError):
        read_sd_jwt(text)


def test_type_and_key() -> None:
    """`wrong-typ` for a JWT of another kind, `wrong-suite` for another algorithm, and no key but the issuer's."""
    for typ in ("JWT", "vc+jwt", "kb+jwt", "example+sd-jwt"):
        with pytest.raises(MalformedError) as caught:
            verify(read_sd_jwt(made(typ=typ)), ISSUER.public_key)
        assert caught.value.code == "wrong-typ"
    verify(read_sd_jwt(made(typ="application/vc+sd-jwt")), ISSUER.public_key)
    for key in (HOLDER.public_key, make_signer("ed25519", "assert", "issuer").public_key):
        with pytest.raises(SignatureError):
            verify(read_sd_jwt(made()), key)


def test_no_changed_character_verifies() -> None:
    """Every third place of the token in three spellings: refused, or no longer the same claims from a right signature."""
    text = present(made(), [("name",), ("nationalities", 1)])
    for place in range(0, len(text), 3):
        for letter in "A_~":
            if letter == text[place]:
                continue
            try:
                verify(read_sd_jwt(text[:place] + letter + text[place + 1 :]), ISSUER.public_key)
            except WeidError:
                continue
            pytest.fail(f"changed at {place}: {text[place]} to {letter}")


def test_removed_and_foreign_disclosures() -> None:
    """Leaving one out hides its claim; one of another credential is refused."""
    text, foreign = made(), made(random=Seeded("other"))
    first, *disclosures, _ = text.split("~")
    fewer = verify(read_sd_jwt("~".join((first, *disclosures[1:], ""))), ISSUER.public_key).claims
    assert fewer != verify(read_sd_jwt(text), ISSUER.public_key).claims
    with pytest.raises(MalformedError) as caught:
        verify(read_sd_jwt("~".join((first, foreign.split("~")[1], ""))), ISSUER.public_key)
    assert caught.value.code == "sd-unreferenced"


# --- key binding -----------------------------------------------------------------------------------------------------


def shown() -> str:
    return present(made(), [("name",)])


def bound(**change: Any) -> str:
    return bind(shown(), HOLDER, **{"audience": "https://verifier.example", "nonce": "n-1", "at": AT, **change})


def believe(text: str, key: PublicKey = HOLDER.public_key) -> sd_jwt.KeyBinding:
    return verify_binding(read_sd_jwt(text), key, audience="https://verifier.example", nonce="n-1")


def kb(typ: str = "kb+jwt", signer: Any = HOLDER, text: str | None = None, **change: Any) -> str:
    """The presentation with a key-binding JWT that says what a test wants."""
    cut = shown() if text is None else text
    claims = {"aud": "https://verifier.example", "nonce": "n-1", "iat": 1, "sd_hash": b64u(SHA256(cut.encode())), **change}
    claims = {name: value for name, value in claims.items() if value is not ...}
    return cut + jws.sign({"typ": typ}, jcs(claims), signer)


def test_key_binding() -> None:
    """The holder's signature over audience, nonce, time and exactly what is shown; the key is the one the issuer named."""
    token = read_sd_jwt(bound())
    assert confirmed_key(verify(token, ISSUER.public_key).claims) == HOLDER.public_key
    said = believe(bound())
    assert (said.audience, said.nonce, said.issued) == ("https://verifier.example", "n-1", int(AT.timestamp()))
    assert set(said.claims) == {"aud", "nonce", "iat", "sd_hash"}
    believe(kb())


@pytest.mark.parametrize(
    "text, code",
    [
        (shown(), "kb-missing"),
        (bound(audience="https://other.example"), "kb-audience"),
        (bound(nonce="n-2"), "kb-nonce"),
        (kb(typ="JWT"), "wrong-typ"),
        (kb(typ="dc+sd-jwt"), "wrong-typ"),
        (kb(sd_hash=b64u(bytes(32))), "kb-hash"),
        (kb(sd_hash=b64u(SHA256(made().encode()))), "kb-hash"),
        (kb(sd_hash=...), "kb-claims"),
        (kb(aud=...), "kb-claims"),
        (kb(aud=["https://verifier.example"]), "kb-claims"),
        (kb(nonce=...), "kb-claims"),
        (kb(nonce=1), "kb-claims"),
        (kb(iat=...), "kb-claims"),
        (kb(iat="1"), "kb-claims"),
        (kb(iat=True), "kb-claims"),
        (kb(signer=make_signer("p256", "present", "thief")), "bad-signature"),
        (kb(signer=make_signer("ed25519", "present", "holder")), "wrong-suite"),
    ],
)
def test_key_bindings_that_are_refused(text: str, code: str) -> None:
    """One reason each (RFC 9901 7.3)."""
    with pytest.raises(WeidError) as caught:
        believe(text)
    assert caught.value.code == code


def test_a_key_binding_is_of_one_presentation() -> None:
    """Adding, dropping or exchanging a disclosure after the holder signed is noticed (RFC 9901 4.3.1)."""
    first, name, tail = bound().split("~")
    for text in ("~".join((first, tail)), "~".join((first, name, made().split("~")[2], tail))):
        with pytest.raises(SignatureError) as caught:
            believe(text)
        assert caught.value.code == "kb-hash"


def test_who_binds() -> None:
    """Only the key in `cnf`, once; a credential without `cnf` names no holder."""
    with pytest.raises(IssueError) as caught:
        bind(shown(), make_signer("p256", "present", "thief"), audience="a", nonce="n", at=AT)
    assert caught.value.code == "holder-key-mismatch"
    with pytest.raises(IssueError) as caught:
        bind(bound(), HOLDER, audience="a", nonce="n", at=AT)
    assert caught.value.code == "already-bound"
    for claims in ({}, {"cnf": {}}, {"cnf": {"kid": "x"}}, {"cnf": {"jwk": "x"}}, {"cnf": []}):
        with pytest.raises(MalformedError) as missing:
            confirmed_key(claims)  # type: ignore[arg-type]
        assert missing.value.code == "cnf"
    with pytest.raises(MalformedError) as private:
        confirmed_key({"cnf": {"jwk": {**HOLDER.public_key.jwk(), "d": "AA"}}})
    assert private.value.code == "private-jwk"


def test_an_answer_is_what_is_cut_and_then_bound() -> None:
    """One reading gives the same text as two, and refuses what they refuse."""
    said: dict[str, Any] = {"audience": "https://verifier.example", "nonce": "n-1", "at": AT}
    show = [("name",), ("nationalities", 1)]
    assert answer(made(), show, HOLDER, **said) == bind(present(made(), show), HOLDER, **said)
    with pytest.raises(IssueError, match="not bound to this key"):
        answer(made(), show, make_signer("p256", "present", "thief"), **said)
    with pytest.raises(DisclosureError):
        answer(made(), [("nobody",)], HOLDER, **said)


# --- time ------------------------------------------------------------------------------------------------------------

NOW = int(AT.timestamp())


@pytest.mark.parametrize(
    "claims, leeway, code",
    [
        ({}, 0, None), ({"exp": NOW + 1}, 0, None), ({"exp": NOW}, 0, "expired"), ({"exp": NOW - 5}, 6, None),
        ({"nbf": NOW}, 0, None), ({"nbf": NOW + 1}, 0, "not-yet-valid"), ({"nbf": NOW + 5}, 5, None),
        ({"nbf": NOW - 1, "exp": NOW + 1}, 0, None), ({"exp": NOW + 0.5}, 0, None), ({"nbf": 1, "exp": 0}, 0, "expired"),
    ],
)  # fmt: skip
def test_times(claims: dict[str, Any], leeway: int, code: str | None) -> None:
    """`nbf ≤ at < exp`, with a leeway for clocks that differ (RFC 7519 4.1.4, 4.1.5)."""
    assert time_code(claims, AT, leeway=leeway) == code


@pytest.mark.parametrize("value", ["1", None, True, [], {}])
@pytest.mark.parametrize("name", ["exp", "nbf"])
def test_times_that_are_no_numbers(name: str, value: Any) -> None:
    """`bad-time`: a date in words is not read as for ever."""
    with pytest.raises(MalformedError) as caught:
        time_code({name: value}, AT)
    assert caught.value.code == "bad-time"


# --- any claims ------------------------------------------------------------------------------------------------------

NAMES = st.text(max_size=6).filter(lambda name: name not in ("_sd", "_sd_alg", "..."))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=12,
)


def paths_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    steps = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    found = [path] if path else []
    for step, item in steps:
        found += paths_of(item, (*path, step))
    return found


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.data())
def test_any_claims_hidden_anyhow_come_back(claims: dict[str, Any], data: st.DataObject) -> None:
    """Whatever is hidden, with all disclosures it is the same value; with none, nothing hidden is left."""
    hide = data.draw(st.lists(st.sampled_from(paths_of(claims)), unique=True) if paths_of(claims) else st.just([]))
    payload, texts = conceal(claims, hide, random=Seeded("any"), decoys=data.draw(st.integers(0, 2)))
    opened = open_claims(payload, [read_disclosure(text) for text in texts])
    assert opened.claims == claims
    assert set(opened.places) == set(hide)
    bare = open_claims(payload, [])
    assert bare.places == {}
    assert hash_of(payload) is SHA256


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda data: f"{GOOD_JWT}~{b64u(data)}~"))
def test_only_our_errors_escape(text: str) -> None:
    """Any text is a token that can be asked, or a WeidError."""
    try:
        verify(read_sd_jwt(text), ISSUER.public_key)
    except WeidError:
        return


GOOD_JWT = made().split("~")[0]


@pytest.mark.parametrize("hash", HASHES.values(), ids=lambda hash: hash.name)
def test_digests_of_several_are_those_of_each(hash: Hash) -> None:
    """Made by one call, spelled as one by one: nothing of the filling is left."""
    texts = [f"text{number}" for number in range(70)]
    for count in (0, 1, 2, 3, 70):
        assert digests_of(texts[:count], hash) == [b64u(hash(text.encode())) for text in texts[:count]]


@pytest.mark.parametrize("value", ["\ud800", {"x": "\udfff"}, ["\ud800"]])
def test_what_has_no_json_is_not_hidden(value: Any) -> None:
    """A lone surrogate has no UTF-8, in a hidden claim or in its name."""
    for claims in ({"a": value}, {"\ud800": "a"}):
        with pytest.raises(MalformedError):
            conceal(claims, [(next(iter(claims)),)], random=secrets.token_bytes)
