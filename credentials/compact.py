"""The compact credential: closed-CBOR arrays small enough for a QR code (R10-R15).

Two forms carry one signature: 0 *full* (a seed makes all salts; the holder keeps it) and 1 *disclosed* (some values,
their salts, and the proof nodes of the rest). What is signed is longer than what is carried: the reader rebuilds the
preimage from its trust data, so short ids on the wire are look-up hints and nothing more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from credentials import disclosure
from weid.cbor import Item, decode, encode
from weid.codec import from_minutes
from weid.errors import DisclosureError, MalformedError
from weid.hashes import Hash
from weid.signing import framed
from weid.suites import suite_by_code

__all__ = [
    "BIND_CHAIN", "BIND_DOCUMENT", "BIND_KEY", "BIND_NONE", "CONTEXT", "FULL", "SHOWN", "Compact", "cid_of", "disclose",
    "encode_compact", "preimage", "read_carried", "read_compact", "tree_root",
]  # fmt: skip

CONTEXT: Final = "weid/qr-cred/v1"
FULL: Final = 0
SHOWN: Final = 1
BIND_NONE, BIND_KEY, BIND_CHAIN, BIND_DOCUMENT = 0, 1, 4, 5
BIND_BYTES: Final = {BIND_NONE: 0, BIND_KEY: 16, BIND_CHAIN: 24, BIND_DOCUMENT: 32}
MAX_BYTES: Final = 4096
SPECIMEN: Final = 1
WIDE: Final = 2
_U32: Final = 1 << 32
_CID: Final = framed("weid/cid/v1", b"")


@dataclass(frozen=True, slots=True)
class Compact:
    """A compact credential as carried. Times are UTC minutes; `mask` has bit i set where claim i is shown."""

    suite: int
    issuer_hint: bytes
    key_number: int
    schema_hint: bytes
    issued: int
    valid_from: int
    valid_until: int
    list_number: int | None
    index: int | None
    bind_kind: int
    bind: bytes
    specimen: bool
    width: int
    count: int
    mask: int
    items: tuple[Item, ...]
    seed: bytes | None
    salts: bytes
    nodes: bytes
    signature: bytes

    @property
    def whole(self) -> bool:
        """Whether every claim is shown."""
        return self.mask == (1 << self.count) - 1

    @property
    def hash(self) -> Hash:
        """The hash of everything in this credential: the one of its suite."""
        return suite_by_code(self.suite).hash


def encode_compact(value: Compact) -> bytes:
    """The bytes of a compact credential; the form follows from whether the seed is there."""
    head: list[Item] = [
        FULL if value.seed is not None else SHOWN, value.suite, value.issuer_hint, value.key_number, value.schema_hint,
        value.issued, value.valid_from - value.issued, value.valid_until - value.valid_from, value.list_number,
        value.index, value.bind_kind, value.bind, _flags(value),
    ]  # fmt: skip
    if value.seed is not None:
        return encode([*head, value.seed, value.items, value.signature])
    return encode([*head, value.count, value.mask, value.items, value.salts, value.nodes, value.signature])


def read_compact(data: bytes) -> Compact:
    """The credential in exactly these bytes (R11); MalformedError for anything an encoder would not print."""
    return from_item(decode(data, max_bytes=MAX_BYTES, max_depth=3))


def read_carried(data: bytes, thumbprint: bytes) -> Compact:
    """The credential inside a presentation that carries the holder's key: its binding bytes stay at home.

    The reader puts in the thumbprint of the key that came with it, so another key breaks the issuer's signature.
    """
    value = decode(data, max_bytes=MAX_BYTES, max_depth=3)
    if not isinstance(value, tuple) or len(value) < 16 or value[10] != BIND_KEY or value[11] != b"":
        raise MalformedError("not the credential of a presentation", code="not-a-credential")
    return from_item((*value[:11], thumbprint, *value[12:]))


def from_item(value: Item) -> Compact:
    """The credential of a decoded array; MalformedError as `read_compact`."""
    if not isinstance(value, tuple) or not value or type(value[0]) is not int:
        raise MalformedError("not a compact credential", code="not-a-credential")
    if value[0] == FULL and len(value) == 16:
        return _full(value)
    if value[0] == SHOWN and len(value) == 19:
        return _shown(value)
    raise MalformedError("not a compact credential", code="not-a-credential")


def tree_root(value: Compact) -> bytes:
    """The root its values lead to; MalformedError when values, salts and nodes do not fit together (R15)."""
    chosen = value.hash
    width = value.width
    if value.seed is not None:
        leaves = disclosure.leaves(value.seed, [encode(item) for item in value.items], width, chosen)
        return disclosure.root(leaves, width, chosen)
    shown: dict[int, bytes] = {}
    for place, index in enumerate(_bits(value.mask)):
        salt = value.salts[16 * place : 16 * place + 16]
        shown[index] = disclosure.leaf(index, salt, encode(value.items[place]), width, chosen)
    return disclosure.rebuild(value.count, value.mask, shown, value.nodes, width, chosen)


def preimage(
    value: Compact,
    root: bytes,
    *,
    origin: str,
    genesis: bytes,
    issuer: str,
    key_hash: bytes,
    schema: bytes,
    mandatory: int,
    status_list: str | None,
) -> bytes:
    """What the issuer signs under `weid/qr-cred/v1` (R10), rebuilt from trust data."""
    return encode((
        value.suite, value.width, origin, genesis, issuer, value.key_number, key_hash, schema, mandatory,
        value.issued, value.valid_from, value.valid_until, status_list, value.index, (value.bind_kind, value.bind),
        _flags(value), value.count, root,
    ))  # fmt: skip


def cid_of(signed: bytes, hash: Hash) -> bytes:
    """The 16-byte id of a credential: over the preimage, never over a signature (R8)."""
    return hash(_CID + signed)[:16]


def disclose(data: bytes, mask: int, *, mandatory: int) -> bytes:
    """Re-cut a full credential to the claims in `mask`; DisclosureError when a mandatory one is left out (R12)."""
    value = read_compact(data)
    if value.seed is None:
        raise DisclosureError("only the full form can be cut", code="not-the-full-form")
    if not 0 < mask < 1 << value.count or mandatory & ~mask:
        raise DisclosureError("the choice leaves out a mandatory claim or names one that is not there")
    chosen = value.hash
    salts = disclosure.salts(value.seed, value.count, chosen)
    leaves = disclosure.leaves(value.seed, [encode(item) for item in value.items], value.width, chosen)
    kept = _bits(mask)
    return encode_compact(
        replace(
            value,
            seed=None,
            mask=mask,
            items=tuple(value.items[index] for index in kept),
            salts=b"".join(salts[index] for index in kept),
            nodes=b"".join(disclosure.proof_nodes(leaves, mask, value.width, chosen)),
        )
    )


def _flags(value: Compact) -> int:
    return (SPECIMEN if value.specimen else 0) | (WIDE if value.width == 32 else 0)


def _full(value: tuple[Item, ...]) -> Compact:
    seed, items, signature = value[13:]
    if type(seed) is not bytes or len(seed) != disclosure.SALT_BYTES:
        raise MalformedError("the seed is 16 bytes")
    values = _items(items)
    return _head(value, len(values), (1 << len(values)) - 1, values, seed, b"", b"", signature)


def _shown(value: tuple[Item, ...]) -> Compact:
    count, mask, items, salts, nodes, signature = value[13:]
    values = _items(items)
    if type(count) is not int or not 0 < count <= disclosure.MAX_CLAIMS:
        raise MalformedError("a credential has 1 to 64 claims")
    if type(mask) is not int or not 0 < mask < 1 << count or mask.bit_count() != len(values):
        raise MalformedError("the mask does not fit the values")
    if type(salts) is not bytes or type(nodes) is not bytes or len(salts) != disclosure.SALT_BYTES * len(values):
        raise MalformedError("the salts do not fit the values")
    result = _head(value, count, mask, values, None, salts, nodes, signature)
    if len(nodes) != result.width * disclosure.node_count(count, mask):
        raise MalformedError("the number of proof nodes does not fit the mask")
    return result


def _items(value: Item) -> tuple[Item, ...]:
    if not isinstance(value, tuple) or not 0 < len(value) <= disclosure.MAX_CLAIMS:
        raise MalformedError("a credential shows 1 to 64 values")
    return value


def _head(
    value: tuple[Item, ...],
    count: int,
    mask: int,
    items: tuple[Item, ...],
    seed: bytes | None,
    salts: bytes,
    nodes: bytes,
    signature: Item,
) -> Compact:
    _, suite, issuer, key, schema, issued, delay, lifetime, list_number, index, kind, bind, flags, *_ = value
    suite_by_code(suite if type(suite) is int else -1)
    if type(issuer) is not bytes or len(issuer) != 8 or type(schema) is not bytes or len(schema) != 4:
        raise MalformedError("issuer and schema hints are 8 and 4 bytes")
    numbers = _numbers((key, issued, delay, lifetime, flags))
    if numbers[3] == 0 or numbers[4] > SPECIMEN | WIDE:
        raise MalformedError("an empty period or an unknown flag")
    if (list_number is None) != (index is None):
        raise MalformedError("a status slot is a list and an index")
    if list_number is not None:
        _numbers((list_number, index))
    if type(kind) is not int or kind not in BIND_BYTES or type(bind) is not bytes or len(bind) != BIND_BYTES[kind]:
        raise MalformedError("not a binding")
    if type(signature) is not bytes or len(signature) != 64:
        raise MalformedError("a signature is 64 bytes")
    start = numbers[1] + numbers[2]
    from_minutes(start + numbers[3])  # a time outside the calendar could not be shown to anybody
    return Compact(
        suite, issuer, numbers[0], schema, numbers[1], start, start + numbers[3], list_number, index, kind, bind,  # type: ignore[arg-type]
        bool(numbers[4] & SPECIMEN), 32 if numbers[4] & WIDE else 20, count, mask, items, seed, salts, nodes, signature,
    )  # fmt: skip


def _numbers(values: Sequence[Item]) -> tuple[int, ...]:
    found = tuple(value for value in values if type(value) is int and 0 <= value < _U32)
    if len(found) != len(values):
        raise MalformedError("a number out of range")
    return found


def _bits(mask: int) -> list[int]:
    return [index for index in range(mask.bit_length()) if mask >> index & 1]
