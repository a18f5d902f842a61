"""The value under which a certificate is found: keyed, so that who has the table alone cannot try numbers against it (R25)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives import hashes, hmac

from issuer_app.lookups.names import VERSION
from weid import cbor
from weid.hashes import Hash
from weid.signing import framed

__all__ = ["Blind"]

_CONTEXT: Final = "weid/lookup/v1"


class Blind:
    """HMAC with SHA-256 (SM3 in the gm profile) under a key of 32 bytes that the desk keeps sealed."""

    def __init__(self, key: bytes, hash: Hash) -> None:
        self._algorithm: hashes.HashAlgorithm = hashes.SM3() if hash.name == "sm3" else hashes.SHA256()
        self._key = key

    def value(self, rule: str, fields: Mapping[str, str]) -> bytes:
        """32 bytes over (version of the normaliser, rule, [input, normalised text]...), whatever the order of the inputs."""
        given = tuple(sorted(fields.items()))
        return self.mac(_CONTEXT, cbor.encode((VERSION, rule, given)))

    def mac(self, context: str, data: bytes) -> bytes:
        """32 bytes over other data of ours; the context keeps the uses of the one key apart."""
        made = hmac.HMAC(self._key, self._algorithm)
        made.update(framed(context, data))
        return made.finalize()
