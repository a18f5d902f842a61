"""What the two SM2 back-ends share: their seam, the one signer id (R3), and a known answer."""

from __future__ import annotations

from typing import Protocol

from weid.hashes import SM3

SM2_ID = b"1234567812345678"
"""The signer id of every call; no document ever chooses another (R3)."""

# a ‖ b ‖ Gx ‖ Gy of the curve (GB/T 32918.5).
_PARAMETERS = bytes.fromhex(
    "fffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffc"
    "28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93"
    "32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7"
    "bc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0"
)


class Backend(Protocol):
    """SM2 arithmetic by some library. The front has checked every range before it calls."""

    @property
    def name(self) -> str:
        """What to call it in a report."""
        ...

    def public(self, secret: bytes) -> bytes:
        """X ‖ Y of a secret in [1, n−2]."""
        ...

    def sign(self, secret: bytes, message: bytes) -> bytes:
        """r ‖ s over SM3(Z ‖ message), with a nonce of its own."""
        ...

    def verify(self, xy: bytes, message: bytes, signature: bytes) -> bool:
        """Whether r ‖ s is the key's; the key is on the curve, r and s are in [1, n−1], r + s ≠ n."""
        ...


def digest(xy: bytes, message: bytes) -> bytes:
    """e = SM3(Z ‖ M), Z = SM3(len16(id in bits) ‖ id ‖ a ‖ b ‖ G ‖ key) (GB/T 32918.2 5.5, 6.1)."""
    z = SM3((8 * len(SM2_ID)).to_bytes(2, "big") + SM2_ID + _PARAMETERS + xy)
    return SM3(z + message)


# The worked example of GB/T 32918.5 annex A.
_SECRET = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_XY = bytes.fromhex(
    "09f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_SIGNATURE = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def answers_correctly(backend: Backend) -> bool:
    """Whether the back-end reproduces the standard's example and refuses a changed message.

    A build may lack SM2, or ignore the id (OpenSSL 3.0 then signs with an empty one): such a
    back-end is not used at all.
    """
    return (
        backend.public(_SECRET) == _XY
        and backend.verify(_XY, b"message digest", _SIGNATURE)
        and not backend.verify(_XY, b"message Digest", _SIGNATURE)
        and backend.verify(_XY, b"m", backend.sign(_SECRET, b"m"))
    )
