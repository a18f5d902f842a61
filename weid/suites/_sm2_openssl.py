"""SM2 by OpenSSL 3's libcrypto through ctypes: constant-time signing and about 4,000 checks a second.

Keys enter as DER and signatures as DER, both written here from checked numbers, so the library's
parsers never meet foreign bytes. A loaded key lives as long as some caller holds it.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from weid.errors import KeyMaterialError
from weid.suites import _sm2
from weid.suites._curve import SM2P256, raw

# SEQUENCE { OID id-ecPublicKey, OID 1.2.156.10197.1.301 (the SM2 curve) }
_ALGORITHM = bytes.fromhex("301306072a8648ce3d020106082a811ccf5501822d")
_SPKI = bytes.fromhex("3059") + _ALGORITHM + bytes.fromhex("03420004")
_PKCS8 = bytes.fromhex("308187020100") + _ALGORITHM + bytes.fromhex("046d306b0201010420")
_PKCS8_PUBLIC = bytes.fromhex("a14403420004")
_LONGEST_DER = 72
_UNCOMPRESSED = 4

# name -> (result, arguments); everything else in libcrypto stays untouched.
_PROTOTYPES: dict[str, tuple[Any, list[Any]]] = {
    "OpenSSL_version_num": (c_ulong, []),
    "ERR_clear_error": (None, []),
    "EVP_sm3": (c_void_p, []),
    "d2i_PUBKEY": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "d2i_AutoPrivateKey": (c_void_p, [c_void_p, POINTER(c_char_p), c_long]),
    "EVP_PKEY_free": (None, [c_void_p]),
    "EVP_MD_CTX_new": (c_void_p, []),
    "EVP_MD_CTX_free": (None, [c_void_p]),
    "EVP_PKEY_CTX_set1_id": (c_int, [c_void_p, c_char_p, c_int]),
    "EVP_DigestSignInit": (c_int, [c_void_p, POINTER(c_void_p), c_void_p, c_void_p, c_void_p]),
    "EVP_DigestSign": (c_int, [c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t]),
    "EVP_DigestVerifyInit": (c_int, [c_void_p, POINTER(c_void_p), c_void_p, c_void_p, c_void_p]),
    "EVP_DigestVerify": (c_int, [c_void_p, c_char_p, c_size_t, c_char_p, c_size_t]),
    "OBJ_sn2nid": (c_int, [c_char_p]),
    "BN_bin2bn": (c_void_p, [c_char_p, c_int, c_void_p]),
    "BN_clear_free": (None, [c_void_p]),
    "EC_GROUP_new_by_curve_name": (c_void_p, [c_int]),
    "EC_POINT_new": (c_void_p, [c_void_p]),
    "EC_POINT_free": (None, [c_void_p]),
    "EC_POINT_mul": (c_int, [c_void_p, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p]),
    "EC_POINT_point2oct": (c_size_t, [c_void_p, c_void_p, c_int, c_char_p, c_size_t, c_void_p]),
}


class _Key:
    """An EVP_PKEY that frees itself; shared by threads, which only read it."""

    __slots__ = ("_free", "pointer")

    def __init__(self, pointer: int, free: Any) -> None:
        self.pointer = pointer
        self._free = free

    def __del__(self) -> None:
        self._free(self.pointer)


class OpensslBackend:
    """EVP calls of one libcrypto. ctypes releases the interpreter lock during each of them."""

    name = "openssl"

    def __init__(self, library: ctypes.CDLL) -> None:
        self._crypto = library
        self._sm3 = library.EVP_sm3()
        self._group = library.EC_GROUP_new_by_curve_name(library.OBJ_sn2nid(b"SM2"))
        self._public_key = lru_cache(maxsize=4096)(self._load_public)
        self._private_key = lru_cache(maxsize=64)(self._load_private)

    def public(self, secret: bytes) -> bytes:
        """X ‖ Y of a secret, by OpenSSL's constant-time ladder."""
        crypto = self._crypto
        number, result = crypto.BN_bin2bn(secret, len(secret), None), crypto.EC_POINT_new(self._group)
        buffer = ctypes.create_string_buffer(65)
        try:
            done = crypto.EC_POINT_mul(self._group, result, number, None, None, None) == 1
            size = crypto.EC_POINT_point2oct(self._group, result, _UNCOMPRESSED, buffer, 65, None)
        finally:
            crypto.BN_clear_free(number)
            crypto.EC_POINT_free(result)
        if not done or size != 65:
            raise self._refused("multiply by an SM2 secret")
        return buffer.raw[1:]

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """r ‖ s with a nonce of OpenSSL's own (R4)."""
        crypto, key = self._crypto, self._private_key(secret)
        state = crypto.EVP_MD_CTX_new()
        buffer, size = ctypes.create_string_buffer(_LONGEST_DER), c_size_t(_LONGEST_DER)
        try:
            self._begin(crypto.EVP_DigestSignInit, state, key)
            if crypto.EVP_DigestSign(state, buffer, byref(size), message, len(message)) != 1:
                raise self._refused("sign")
        finally:
            crypto.EVP_MD_CTX_free(state)
        return raw(SM2P256, *decode_dss_signature(buffer.raw[: size.value]))

    def verify(self, xy: bytes, message: bytes, signature: bytes) -> bool:
        """Whether the signature is the key's."""
        crypto, key = self._crypto, self._public_key(xy)
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
        der = encode_dss_signature(r, s)
        state = crypto.EVP_MD_CTX_new()
        try:
            self._begin(crypto.EVP_DigestVerifyInit, state, key)
            verified: bool = crypto.EVP_DigestVerify(state, der, len(der), message, len(message)) == 1
        finally:
            crypto.EVP_MD_CTX_free(state)
        if not verified:
            crypto.ERR_clear_error()  # or the next TLS call of this thread would report our error
        return verified

    def _begin(self, initialise: Any, state: int | None, key: _Key) -> None:
        """Bind key, SM3 and the one id (R3): without the id OpenSSL 3.0 would take an empty one."""
        context = c_void_p()
        if not state or initialise(state, byref(context), self._sm3, None, key.pointer) != 1:
            raise self._refused("start an SM2 operation")
        if self._crypto.EVP_PKEY_CTX_set1_id(context, _sm2.SM2_ID, len(_sm2.SM2_ID)) != 1:
            raise self._refused("set the SM2 id")

    def _load_public(self, xy: bytes) -> _Key:
        return self._load(self._crypto.d2i_PUBKEY, _SPKI + xy)

    def _load_private(self, secret: bytes) -> _Key:
        # OpenSSL needs the public half for Z and would not work it out itself.
        der = _PKCS8 + secret + _PKCS8_PUBLIC + self.public(secret)
        return self._load(self._crypto.d2i_AutoPrivateKey, der)

    def _load(self, parse: Any, der: bytes) -> _Key:
        pointer = parse(None, byref(c_char_p(der)), len(der))
        if not pointer:
            raise self._refused("load an SM2 key")
        return _Key(pointer, self._crypto.EVP_PKEY_free)

    def _refused(self, what: str) -> KeyMaterialError:
        self._crypto.ERR_clear_error()
        return KeyMaterialError(f"OpenSSL refused to {what}", code="openssl")


def _candidates() -> Iterator[str]:
    """Where libcrypto may be: first the one Python itself already runs on."""
    try:
        import _hashlib

        yield _hashlib.__file__
    except (ImportError, AttributeError):  # AttributeError: linked into the interpreter
        pass
    found = ctypes.util.find_library("crypto")
    # macOS ends any process that loads its own unversioned libcrypto.
    if found and not (sys.platform == "darwin" and found.startswith("/usr/lib")):
        yield found


def _bound(path: str) -> ctypes.CDLL | None:
    """The library with typed functions, or None if it is not an OpenSSL 3 or later."""
    try:
        library = ctypes.CDLL(path)
        for name, (result, arguments) in _PROTOTYPES.items():
            function = getattr(library, name)
            function.restype, function.argtypes = result, arguments
    except (OSError, AttributeError):
        return None
    return library if library.OpenSSL_version_num() >= 0x30000000 else None


@lru_cache(maxsize=1)
def load() -> OpensslBackend | None:
    """The back-end, or None where no libcrypto does SM2 with our id."""
    for path in _candidates():
        library = _bound(path)
        if library is None or not library.OBJ_sn2nid(b"SM2"):
            continue
        backend = OpensslBackend(library)
        try:
            if _sm2.answers_correctly(backend):
                return backend
        except KeyMaterialError:
            continue
    return None
