"""Signature suites behind one small protocol, in one closed table.

A suite is chosen by the name or number in a resolved key, never by the length of anything (R2).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from weid.errors import SignatureError, UnknownSuiteError
from weid.suites import _curve
from weid.suites._suite import OWN_SIGNATURE_BYTES, Random, Suite, fits_own_formats
from weid.suites.ecdsa import P256, P384, P521, SECP256K1, Ecdsa
from weid.suites.ed25519 import Ed25519
from weid.suites.mldsa import MlDsa44
from weid.suites.sm2 import Sm2

_ALL: tuple[Suite, ...] = (Ed25519(), P256, Sm2(), SECP256K1, P384, MlDsa44(), P521)
_BY_CODE = {known.code: known for known in _ALL}
_OWN_BY_CODE = {known.code: known for known in _ALL if fits_own_formats(known)}

SUITES: Mapping[str, Suite] = MappingProxyType({known.name: known for known in _ALL})
"""Every suite by name; read-only."""


def suite(name: str) -> Suite:
    """The suite of that name; UnknownSuiteError if there is none."""
    known = SUITES.get(name) if isinstance(name, str) else None
    if known is None:
        raise UnknownSuiteError(f"unknown suite {name!r}")
    return known


def suite_by_code(code: int) -> Suite:
    """The suite of that number in compact forms; UnknownSuiteError if there is none, or it does not fit there."""
    if type(code) is not int or code not in _BY_CODE:  # True is not suite 1
        raise UnknownSuiteError(f"unknown suite number {code!r}")
    return _OWN_BY_CODE.get(code) or own_suite(_BY_CODE[code].name)


def own_suite(name: str) -> Suite:
    """The suite of that name if our own formats can carry it: 64-byte signatures, 32-byte digests (R2).

    UnknownSuiteError for an unknown name, and with the code `wrong-suite` for a suite that does not fit.
    """
    chosen = suite(name)
    if not fits_own_formats(chosen):
        raise UnknownSuiteError(
            f"{name} signs no compact codes, operations or key proofs: they carry {OWN_SIGNATURE_BYTES}-byte signatures",
            code="wrong-suite",
        )
    return chosen


def require_low_s(name: str, signature: bytes) -> None:
    """SignatureError for an ECDSA signature with s above n/2: our own formats have one spelling (R2).

    The other suites have no such second spelling, so nothing is asked of them.
    """
    chosen = suite(name)
    if isinstance(chosen, Ecdsa):
        _, s = _curve.scalars(chosen.curve, signature)
        if s > chosen.curve.half:
            raise SignatureError("s is in the high half", code="high-s")


__all__ = ["SUITES", "Random", "Suite", "own_suite", "require_low_s", "suite", "suite_by_code"]
