"""The compact form, presentations and the carrier: round trips, strictness and sizes (R10-R16)."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials import carrier, compact, picture
from credentials.binding import Binding
from credentials.compact import Compact, disclose, encode_compact, read_compact
from credentials.issue import Slot, issue
from credentials.presentation import (
    MAX_SLOTS,
    Challenge,
    answer,
    chain_step,
    chain_tip,
    chain_value,
    gate_code,
    read_challenge,
    read_presentation,
    slot_at,
    slot_code,
)  # fmt: skip
from credentials.schema import read_schema, schema_digest
from tests.credentials.world import DATA, NOW, Seeded, World, holder, pass_schema
from weid.cbor import decode, encode
from weid.errors import DisclosureError, IssueError, MalformedError, SignatureError
from weid.hashes import SHA256, SM3

HOST = "verify.gd.mo"  # https:// + 12 + /# = 22 characters, the longest prefix there is
DEGREE = (DATA / "certificate-12.schema.json").read_bytes()
TWELVE = json.loads((DATA / "certificate-12.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def degree() -> tuple[bytes, World]:
    world = World(schema_bytes=DEGREE)
    bind = Binding.to_key(holder("p256").public_key)
    return world.issue(TWELVE, bind=bind, index=131_000, until=NOW + 5_256_000).compact, world


@pytest.mark.parametrize("suite_name", ["ed25519", "p256", "sm2"])
def test_degree_with_holder_binding_is_at_most_v14(suite_name: str) -> None:
    """Twelve claims, static, bound to a key: V14 at level M, and the picture reads back."""
    world = World(suite=suite_name, schema_bytes=DEGREE)
    bind = Binding.to_key(holder("p256").public_key)
    data = world.issue(TWELVE, bind=bind, index=131_000, until=NOW + 5_256_000).compact
    drawn = picture.draw(data, host=HOST)
    assert (drawn.version <= 14, len(data) <= 335) == (True, True)
    assert picture.readable(drawn)
    assert picture.read(picture.png(drawn)) == (carrier.to_text(data, HOST),)


def test_three_of_twelve_with_holder_signature_is_at_most_v17(degree: tuple[bytes, World]) -> None:
    """Any one claim beside the two mandatory ones, with challenge and holder signature: V17 at level M."""
    data, world = degree
    asked = Challenge("did:web:c.example", "Desk", "study", world.schema.digest, 0x81, b"n" * 16, NOW + 5)
    sizes = []
    for index in range(12):
        mask = world.schema.mandatory | 1 << index
        shown = answer(disclose(data, mask, mandatory=world.schema.mandatory), asked.to_bytes(), holder("p256"), time=NOW)
        sizes.append(len(shown))
        assert picture.draw(shown, host=HOST).version <= 17
    assert max(sizes) <= 475


def test_health_code_sizes() -> None:
    """Three claims for a day: V10-M with a hash chain, V13-M with holder signature and status slot."""
    world = World(schema_bytes=pass_schema(bind="chain", status=False, lifetime=1440))
    seed, salt = b"x" * 16, b"y" * 8
    bind = Binding.to_chain(chain_tip(seed, salt, 1440, SHA256), 1440, SHA256)
    data = world.issue(bind=bind, index=None, issued=NOW - 900, until=NOW + 540).compact
    shown = slot_code(data, seed, at=NOW)
    assert picture.draw(shown, host=HOST).version <= 10
    keyed = World(schema_bytes=pass_schema(bind="key"))
    data = keyed.issue(bind=Binding.to_key(holder("p256").public_key), index=131_000).compact
    asked = Challenge("did:web:c.example", "Desk", "entry", keyed.schema.digest, 7, b"n" * 16, NOW + 5)
    assert picture.draw(answer(data, asked.to_bytes(), holder("p256"), time=NOW), host=HOST).version <= 13


@given(st.integers(1, 4095))
def test_disclose_round_trip(mask: int) -> None:
    """Every subset decodes to what was encoded, with the same root and signature."""
    world = World(schema_bytes=DEGREE)
    bind = Binding.to_key(holder().public_key)
    data = _cached(world, bind)
    shown = read_compact(disclose(data, mask, mandatory=0))
    assert encode_compact(shown) == disclose(data, mask, mandatory=0)
    assert compact.tree_root(shown) == compact.tree_root(read_compact(data))
    assert shown.mask == mask


_CACHE: dict[str, bytes] = {}


def _cached(world: World, bind: Binding) -> bytes:
    if "data" not in _CACHE:
        _CACHE["data"] = world.issue(TWELVE, bind=bind).compact
    return _CACHE["data"]


def test_disclose_keeps_mandatory(degree: tuple[bytes, World]) -> None:
    """A wallet cannot cut a mandatory claim away, nor cut what is cut already."""
    data, world = degree
    with pytest.raises(DisclosureError):
        disclose(data, 1, mandatory=world.schema.mandatory)
    with pytest.raises(DisclosureError):
        disclose(data, 1 << 12, mandatory=0)
    with pytest.raises(DisclosureError):
        disclose(disclose(data, 0x81, mandatory=0), 1, mandatory=0)


def test_read_is_strict(degree: tuple[bytes, World]) -> None:
    """Every count and field out of range is refused before any hash (R11)."""
    data, _ = degree
    full = list(decode(data))  # type: ignore[arg-type]
    shown = list(decode(disclose(data, 0x85, mandatory=0)))  # type: ignore[arg-type]
    wrong = [
        (full, {0: 2}), (full, {0: True}), (full, {1: 9}), (full, {2: b"7 bytes"}), (full, {3: -1}),
        (full, {4: b"abc"}),
        (full, {5: 1 << 32}), (full, {6: -1}), (full, {7: 0}), (full, {8: None}), (full, {9: None}), (full, {10: 2}),
        (full, {11: b""}), (full, {12: 4}), (full, {13: b"short"}), (full, {14: ()}), (full, {14: (None,) * 65}),
        (full, {15: b"x" * 63}), (full, {5: True}), (full, {10: True}),
        (shown, {13: 0}), (shown, {13: 65}), (shown, {14: 0}), (shown, {14: 1 << 12}), (shown, {14: 0x87}),
        (shown, {15: (None,)}), (shown, {16: b""}), (shown, {16: b"\0" * 64}), (shown, {17: b""}),
        (shown, {17: shown[17] + bytes(20)}), (shown, {18: b""}),
    ]  # fmt: skip
    for value, change in wrong:
        other = [change.get(place, item) for place, item in enumerate(value)]
        with pytest.raises((MalformedError, Exception)) as caught:
            read_compact(encode(other))
        assert type(caught.value).__name__ in ("MalformedError", "UnknownSuiteError"), change
    for other in (full[:-1], [*full, 1], shown[:-1], [], [0]):
        with pytest.raises(MalformedError):
            read_compact(encode(other))


def test_signer_of_another_role_cannot_issue(degree: tuple[bytes, World]) -> None:
    """A holder's key does not sign credentials (R1)."""
    _, world = degree
    wrong = holder()
    signer = type(wrong)(b"\1" * 32, "ed25519", world.issuer.signer.kid, "present")
    with pytest.raises(SignatureError):
        issue(
            world.schema, TWELVE, issuer=signer, registry=world.registry, issued=NOW, valid_until=NOW + 10,
            random=Seeded("x"), bind=Binding.to_key(wrong.public_key), slot=Slot(1, 1),
        )  # fmt: skip


def test_challenge_round_trip() -> None:
    """A challenge reads back; misleading text, a short nonce or a missing mask are refused."""
    asked = Challenge("did:web:c.example", "边境检查站", "entry", b"d" * 32, 3, b"n" * 16, NOW)
    assert read_challenge(asked.to_bytes()) == asked
    assert asked.handle(SHA256) != asked.handle(SM3)
    for change in (
        {"name": "a\u202eb"},
        {"nonce": b"n"},
        {"mask": 0},
        {"schema": b""},
        {"purpose": ""},
        {"expires": 0},
    ):
        with pytest.raises(MalformedError):
            read_challenge(replace(asked, **change).to_bytes())  # type: ignore[arg-type]


def test_presentation_round_trip(degree: tuple[bytes, World]) -> None:
    """Each mode carries the credential it was made of; the thumbprint stays at home."""
    data, world = degree
    asked = Challenge("did:web:c.example", "Desk", "study", world.schema.digest, 1, b"n" * 16, NOW + 5)
    for shown in (
        answer(data, asked.to_bytes(), holder("p256"), time=NOW),
        gate_code(data, "g", holder("p256"), time=NOW),
    ):
        value = read_presentation(decode(shown))
        assert value.credential == read_compact(data)
        assert len(value.carried) == len(data) - 16
    with pytest.raises(IssueError):
        answer(data, asked.to_bytes(), holder("ed25519"), time=NOW)


@given(st.integers(1, 50), st.data())
def test_chain_law(slots: int, data: st.DataObject) -> None:
    """The value of a slot hashes to the tip in exactly `slot` steps; another number of steps does not."""
    seed, salt = b"s" * 16, b"t" * 8
    slot = data.draw(st.integers(1, slots))
    value = chain_value(seed, salt, slots, slot, SM3)
    for step in range(slot, 0, -1):
        value = chain_step(salt, step, value, SM3)
    assert value + salt == chain_tip(seed, salt, slots, SM3)
    assert chain_tip(seed, salt, slots + 1, SM3) != chain_tip(seed, salt, slots, SM3)


def test_slots() -> None:
    """The first minute is slot 1; a chain is bounded, so a code cannot make a verifier hash for long."""
    assert slot_at(100, 100) == 1
    with pytest.raises(MalformedError):
        chain_value(b"s" * 16, b"t" * 8, MAX_SLOTS + 1, 1, SHA256)


@given(st.binary(min_size=1, max_size=900).filter(lambda data: data[0] != 0))
def test_carrier_round_trip(data: bytes) -> None:
    """Bytes come back from the URL and from bare digits."""
    assert carrier.from_text(carrier.to_text(data, HOST)) == carrier.Carried(data, HOST)
    assert carrier.from_text(carrier.to_digits(data)).data == data


@pytest.mark.parametrize(
    "text",
    ["", "0", "012", "１２", "12 ", "12\n", "-5", "https://a/#", "http://a/#12", "https://a/b#12", "https://-/#12",
     "https://verylonghost.x/#12", "HTTPS://a/#12", "9" * 2401, "https://a/#1_000"],
)  # fmt: skip
def test_carrier_is_strict(text: str) -> None:
    """Anything but our own spelling is refused before arithmetic."""
    with pytest.raises(MalformedError):
        carrier.from_text(text)


def test_carrier_limits() -> None:
    """A host that makes the prefix too long, and bytes that do not fit, are refused."""
    for host in ("averylonghost", "A.b", "", "a/b"):
        with pytest.raises(MalformedError):
            carrier.prefix(host)
    for data in (b"", b"\0a", b"\xff" * 998):
        with pytest.raises(MalformedError):
            carrier.to_digits(data)


def test_picture_hard_stop() -> None:
    """Above version 20 there is no picture, and the reason says how much too large it is."""
    with pytest.raises(MalformedError, match="version 20") as caught:
        picture.draw(b"\x90" + b"x" * 700, host=HOST)
    assert caught.value.code == "code-too-dense"
    drawn = picture.draw(b"\x90" + b"x" * 100, host=HOST, level="L")
    assert drawn.printed_mm == (drawn.modules + 8) / 2
    assert picture.svg(drawn, label='a "b" <c>').count("<path") == 1


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n", b"%PDF-1.7", b"x" * 100])
def test_not_a_picture(data: bytes) -> None:
    """Anything that is not a picture is MalformedError."""
    with pytest.raises(MalformedError):
        picture.read(data)


def test_schema_digest_is_checked() -> None:
    """A record cannot give signed claims another meaning by pairing a digest with another document."""
    read_schema(DEGREE, schema_digest(DEGREE, SM3))
    with pytest.raises(Exception, match="digest"):
        read_schema(DEGREE, b"\0" * 32)


def test_compact_is_a_value(degree: tuple[bytes, World]) -> None:
    """Decoded credentials compare by content."""
    assert isinstance(read_compact(degree[0]), Compact)
    assert read_compact(degree[0]) == read_compact(bytes(degree[0]))
