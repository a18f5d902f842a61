"""Data at rest under a passphrase: a strict JSON envelope around an authenticated cipher.

Two profiles, nothing to negotiate inside them:
`intl` is scrypt (r = 8, p = 1) with AES-256-GCM, `gm` is PBKDF2-HMAC-SM3 with SM4-GCM.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, unb64u
from weid.errors import KeyMaterialError, MalformedError, UnknownSuiteError
from weid.signing import framed
from weid.suites import Random
from weid.suites._suite import drawn

FORM = "weid/sealed/v1"
MAX_BYTES = 1 << 24
_SALT, _NONCE, _TAG = 16, 12, 16
_MEMBERS = {"box", "cost", "form", "kind", "meta", "nonce", "profile", "salt"}


@dataclass(frozen=True, slots=True)
class _Profile:
    """How one profile stretches a passphrase. The cost of a file is capped: a hostile one must not burn memory."""

    cipher: Callable[[bytes], algorithms.AES | algorithms.SM4]
    stretch: Callable[[bytes, bytes, int], bytes]
    least: int
    usual: int
    most: int


def _scrypt(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << cost, r=8, p=1).derive(passphrase)


def _pbkdf2(passphrase: bytes, salt: bytes, cost: int) -> bytes:
    return PBKDF2HMAC(hashes.SM3(), length=16, salt=salt, iterations=cost).derive(passphrase)


PROFILES: Mapping[str, _Profile] = {
    # log2 of N: 128 MiB usual, 256 MiB at most
    "intl": _Profile(cipher=algorithms.AES, stretch=_scrypt, least=10, usual=17, most=18),
    # iterations
    "gm": _Profile(cipher=algorithms.SM4, stretch=_pbkdf2, least=1_000, usual=600_000, most=5_000_000),
}


class Passphrase:
    """A passphrase during one run, which stretches it once for all files that share a salt.

    What it seals takes a salt it has stretched for already, so the key files of one folder cost one derivation
    together. An attacker gains nothing by it: whoever tries a passphrase tries it on one file. Nonces stay fresh.
    """

    __slots__ = ("_keys", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._keys: dict[tuple[str, int, bytes], bytes] = {}

    def __bool__(self) -> bool:
        return bool(self._text)

    def salt(self, profile: str, cost: int, random: Random) -> bytes:
        """A salt to seal with: one that the key is known for, else a new one."""
        known = (salt for name, held, salt in self._keys if (name, held) == (profile, cost))
        return next(known, None) or drawn(random, _SALT)

    def key(self, header: Header) -> bytes:
        """The key of a sealed file."""
        place = header.profile, header.cost, header.salt
        if place not in self._keys:
            text = _passphrase_bytes(self._text)
            self._keys[place] = _profile(header.profile).stretch(text, header.salt, header.cost)
        return self._keys[place]


@dataclass(frozen=True, slots=True)
class Header:
    """What a sealed file says in the clear. Only `unseal` proves that none of it was changed."""

    kind: str
    profile: str
    cost: int
    salt: bytes
    nonce: bytes
    meta: Mapping[str, str]

    def members(self) -> dict[str, JSON]:
        """The JSON members, without the box."""
        return {
            "form": FORM,
            "kind": self.kind,
            "profile": self.profile,
            "cost": self.cost,
            "salt": b64u(self.salt),
            "nonce": b64u(self.nonce),
            "meta": dict(self.meta),
        }


def seal(
    data: bytes,
    passphrase: str | Passphrase,
    *,
    kind: str,
    random: Random,
    meta: Mapping[str, str] | None = None,
    profile: str = "intl",
    cost: int | None = None,
) -> bytes:
    """The sealed file. `kind` and `meta` stay readable and are authenticated.

    `cost` is for tests: log2 of scrypt's N (10 to 18, usually 17) or PBKDF2 iterations
    (1,000 to 5,000,000, usually 600,000).
    """
    spent = _profile(profile).usual if cost is None else cost
    held = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)
    if not held:
        raise KeyMaterialError("an empty passphrase protects nothing", code="passphrase")
    header = Header(
        kind=kind,
        profile=profile,
        cost=spent,
        salt=held.salt(profile, spent, random),
        nonce=drawn(random, _NONCE),
        meta=dict(meta or {}),
    )
    _check_cost(header)
    sealed = jcs({**header.members(), "box": b64u(_encrypt(header, held, data))})
    if len(sealed) > MAX_BYTES:
        raise MalformedError(f"a sealed file is at most {MAX_BYTES} bytes", code="too-large")
    return sealed


def unseal(sealed: bytes, passphrase: str | Passphrase, *, kind: str) -> bytes:
    """The data of a sealed file of that kind.

    KeyMaterialError `wrong-passphrase` also when the file was changed: nothing can tell the two
    apart. MalformedError for any bytes that `seal` would not have printed.
    """
    header, box = _parse(sealed)
    if header.kind != kind:
        raise MalformedError(f"this file holds {header.kind!r}, not {kind!r}", code="sealed-kind")
    held = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)
    state = _cipher(header, held, tag=box[-_TAG:]).decryptor()
    state.authenticate_additional_data(_associated(header))
    try:
        return state.update(box[:-_TAG]) + state.finalize()
    except InvalidTag:
        raise KeyMaterialError("wrong passphrase, or a changed file", code="wrong-passphrase") from None


def read_header(sealed: bytes) -> Header:
    """The readable part of a sealed file, unproven until the file is unsealed; MalformedError."""
    return _parse(sealed)[0]


def _encrypt(header: Header, passphrase: Passphrase, data: bytes) -> bytes:
    state = _cipher(header, passphrase, tag=None).encryptor()
    state.authenticate_additional_data(_associated(header))
    return state.update(data) + state.finalize() + state.tag


def _cipher(header: Header, passphrase: Passphrase, *, tag: bytes | None) -> Cipher[modes.GCM]:
    try:
        return Cipher(_profile(header.profile).cipher(passphrase.key(header)), modes.GCM(header.nonce, tag))
    except UnsupportedAlgorithm:
        raise UnknownSuiteError(f"this machine lacks the cipher of {header.profile}", code="no-cipher") from None


def _associated(header: Header) -> bytes:
    return framed(FORM, jcs(header.members()))


def _passphrase_bytes(passphrase: str) -> bytes:
    """UTF-8 of the NFC form, so that two keyboards give the same key (RFC 8265 4.2.2)."""
    try:
        return unicodedata.normalize("NFC", passphrase).encode("utf-8")
    except UnicodeEncodeError:
        raise KeyMaterialError("the passphrase is not valid text", code="passphrase") from None


def _parse(sealed: bytes) -> tuple[Header, bytes]:
    value = parse_json(sealed, max_bytes=MAX_BYTES, max_depth=2)
    if not isinstance(value, dict) or set(value) != _MEMBERS or value["form"] != FORM:
        raise MalformedError("not a sealed file", code="sealed-form")
    texts = {name: _text(value[name]) for name in ("kind", "profile", "salt", "nonce", "box")}
    header = Header(
        kind=texts["kind"],
        profile=texts["profile"],
        cost=_whole(value["cost"]),
        salt=_sized(texts["salt"], _SALT),
        nonce=_sized(texts["nonce"], _NONCE),
        meta=_meta(value["meta"]),
    )
    _check_cost(header)
    box = unb64u(texts["box"])
    if len(box) < _TAG or jcs({**header.members(), "box": texts["box"]}) != sealed:
        raise MalformedError("a sealed file has one spelling", code="sealed-form")
    return header, box


def _check_cost(header: Header) -> None:
    chosen = _profile(header.profile)
    if not chosen.least <= header.cost <= chosen.most:
        raise MalformedError(f"cost {header.cost} is outside {chosen.least} to {chosen.most}", code="sealed-cost")


def _profile(name: str) -> _Profile:
    if name not in PROFILES:
        raise UnknownSuiteError(f"unknown sealing profile {name!r}", code="unknown-profile")
    return PROFILES[name]


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("a member of a sealed file is not text", code="sealed-form")
    return value


def _whole(value: JSON) -> int:
    if type(value) is not int:
        raise MalformedError("the cost of a sealed file is not a whole number", code="sealed-form")
    return value


def _sized(text: str, count: int) -> bytes:
    data = unb64u(text)
    if len(data) != count:
        raise MalformedError(f"{count} bytes were expected in a sealed file", code="sealed-form")
    return data


def _meta(value: JSON) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise MalformedError("the notes of a sealed file are not texts", code="sealed-form")
    return cast(dict[str, str], value)


__all__ = ["FORM", "MAX_BYTES", "PROFILES", "Header", "Passphrase", "read_header", "seal", "unseal"]
