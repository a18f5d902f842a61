"""The genesis of a registry (R19): one JSON file, printed canonically (RFC 8785), whose digest is the pin.

It fixes everything the log cannot change by an ordinary operation: origin, chain id, profile, the first log, state
and operator keys, the first witness policy, the committee with weights and floors, and the first tick. The profile `both`
has a fourth key, `twin`: SM2, for the second tree (`registry.twin`).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

from registry.note import check_name, note_type
from registry.policy import NO_WITNESSES, Policy, parse_policy, print_policy
from weid.canon import JSON, jcs, parse_json
from weid.codec import CALENDAR_END
from weid.did import weid_did
from weid.errors import MalformedError, RegistryError
from weid.governance import CATEGORIES
from weid.hashes import SHA256, SM3, Hash
from weid.keys import PublicKey

__all__ = [
    "FLOORS", "PROFILES", "SECOND", "WITNESS_SUITES", "Genesis", "Member", "check_policy", "fingerprint", "is_plain",
    "parse_genesis", "print_genesis",
]  # fmt: skip

PROFILES: Mapping[str, tuple[Hash, tuple[str, ...]]] = MappingProxyType(
    {
        "intl": (SHA256, ("ed25519", "p256", "secp256k1", "sm2")),
        "gm": (SM3, ("sm2",)),
        "both": (SHA256, ("ed25519", "p256", "secp256k1", "sm2")),
    }
)
"""profile → the one hash of everything, and the key suites a DID may use."""
WITNESS_SUITES: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "intl": ("ed25519", "ml-dsa-44", "sm2"),
    "gm": ("sm2",),
    "both": ("ed25519", "ml-dsa-44", "sm2"),
})  # fmt: skip
"""profile → the suites a witness's key may have: all that cosign, or SM2 alone where everything else is (R19)."""

SECOND: Mapping[str, Hash] = MappingProxyType({"both": SM3})
"""profile → the hash of its second tree; the others have one tree."""

FLOORS = CATEGORIES
"""The least weight in favour that each kind of decision ever needs; a rule may ask for more (R24)."""
_VERSION = "weid/genesis/v1"
_MEMBERS = {"committee", "chain", "firstTick", "floors", "genesis", "hash", "keys", "origin", "profile", "suites",
            "witnesses"}  # fmt: skip
_KEYS = ("log", "operator", "state")
_TWIN = "twin"


@dataclass(frozen=True, slots=True)
class Member:
    """A committee member: its DID derives from the key, which is its first log-op key."""

    did: str
    name: str
    weight: int
    key: PublicKey


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a registry is; construct with `parse_genesis` or check with `print_genesis`."""

    origin: str
    chain: int
    profile: str
    log: PublicKey
    state: PublicKey
    operator: PublicKey
    committee: tuple[Member, ...]
    floors: Mapping[str, int]
    witnesses: str
    first_tick: int
    twin: PublicKey | None = None  # the SM2 key of the second tree, in the profile `both`

    @property
    def second(self) -> Hash | None:
        """The hash of the second tree over the same entries; None where the profile has one tree."""
        return SECOND.get(self.profile)

    @property
    def hash(self) -> Hash:
        """The hash of everything this registry makes."""
        return PROFILES[self.profile][0]

    @property
    def suites(self) -> tuple[str, ...]:
        """The suites DID keys may have."""
        return PROFILES[self.profile][1]

    @property
    def policy(self) -> Policy:
        """Who must cosign its checkpoints, as long as no `witness.change` says otherwise."""
        return check_policy(self.witnesses, self.profile)

    @property
    def digest(self) -> bytes:
        """The pin: H of the file's bytes."""
        return self.hash(print_genesis(self))

    @property
    def operator_kid(self) -> str:
        """The key id under which the operator signs operations."""
        return f"{self.origin}#operator"


def fingerprint(digest: bytes) -> str:
    """The pin for people to compare aloud: eight groups of four hex digits (128 bits)."""
    text = digest[:16].hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def is_plain(text: str) -> bool:
    """Whether a name reads as what it is: NFC, no blanks around it, no control, bidi or zero-width characters (R28)."""
    if text.isascii():
        return bool(text) and text.isprintable() and text.strip() == text
    hidden = any(unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Zl", "Zp") for letter in text)
    return bool(text) and not hidden and text.strip() == text and unicodedata.is_normalized("NFC", text)


def print_genesis(genesis: Genesis) -> bytes:
    """The one file of a genesis; MalformedError or RegistryError if it breaks a rule."""
    _check(genesis)
    committee: list[JSON] = [
        {"did": m.did, "name": m.name, "weight": m.weight, "key": m.key.multikey()} for m in genesis.committee
    ]
    floors: dict[str, JSON] = {**genesis.floors}
    keys = {"log": genesis.log, "operator": genesis.operator, "state": genesis.state}
    if genesis.twin is not None:
        keys[_TWIN] = genesis.twin
    hashes: list[JSON] = [hash.name for hash in (genesis.hash, genesis.second) if hash is not None]
    return jcs({
        "genesis": _VERSION, "origin": genesis.origin, "chain": genesis.chain, "profile": genesis.profile,
        "hash": hashes, "suites": list(genesis.suites), "floors": floors, "committee": committee,
        "keys": {name: key.multikey() for name, key in keys.items()},
        "witnesses": genesis.witnesses, "firstTick": genesis.first_tick,
    })  # fmt: skip


def parse_genesis(data: bytes) -> Genesis:
    """The genesis of exactly these bytes."""
    value = parse_json(data)
    if not isinstance(value, dict) or set(value) != _MEMBERS or value["genesis"] != _VERSION:
        raise MalformedError("not a genesis file of this version")
    keys = value["keys"]
    if not isinstance(keys, dict) or set(keys) - {_TWIN} != set(_KEYS):
        raise MalformedError("a genesis has a log, an operator and a state key")
    log, operator, state = (PublicKey.from_multikey(_text(keys[name])) for name in _KEYS)
    twin = PublicKey.from_multikey(_text(keys[_TWIN])) if _TWIN in keys else None
    genesis = Genesis(
        origin=_text(value["origin"]), chain=_number(value["chain"]), profile=_text(value["profile"]),
        log=log, state=state, operator=operator, committee=_committee(value["committee"]),
        floors=_floors(value["floors"]), witnesses=_text(value["witnesses"]),
        first_tick=_number(value["firstTick"]), twin=twin,
    )  # fmt: skip
    if print_genesis(genesis) != data:
        raise MalformedError("a genesis file is canonical JSON with the suites of its profile")
    return genesis


def _check(genesis: Genesis) -> None:
    if genesis.profile not in PROFILES:
        raise RegistryError(f"the profile {genesis.profile!r} is not known", code="unknown-profile")
    check_name(genesis.origin)
    if not all(is_plain(text) for text in (genesis.origin, *(member.name for member in genesis.committee))):
        raise MalformedError("names in a genesis are shown to people: plain text, in NFC (R28)", code="bad-name")
    if not 0 < genesis.chain < 1 << 53 or not 0 <= genesis.first_tick < CALENDAR_END:
        raise MalformedError("a genesis has a positive chain id and a first tick in minutes")
    _check_keys(genesis)
    _check_committee(genesis)


def _check_keys(genesis: Genesis) -> None:
    if (genesis.twin is None) != (genesis.second is None) or (genesis.twin is not None and genesis.twin.suite != "sm2"):
        raise MalformedError("a genesis has a twin key, of SM2, where its profile has two trees", code="wrong-suite")
    twin = () if genesis.twin is None else (genesis.twin,)
    keys = (genesis.log, genesis.state, genesis.operator, *twin, *(member.key for member in genesis.committee))
    if len({(key.suite, key.data) for key in keys}) != len(keys):
        raise MalformedError("every key of a genesis has one purpose (R1)", code="key-reused")
    for key in keys:
        if key.suite not in genesis.suites:
            raise MalformedError(f"{key.suite} is not a suite of the profile {genesis.profile}", code="wrong-suite")
    for key in (genesis.log, genesis.state):
        note_type(key)
    for witness in check_policy(genesis.witnesses, genesis.profile).witnesses:
        if witness.key.key in keys:
            raise MalformedError("every key of a genesis has one purpose (R1)", code="key-reused")


@lru_cache(maxsize=64)
def check_policy(text: str, profile: str) -> Policy:
    """The witness policy of a registry; MalformedError for one that is spelled otherwise than `print_policy` does,
    names a log (the genesis does), hides something from people (R28), or has keys that the profile does not."""
    if text == "":
        return NO_WITNESSES
    policy = parse_policy(text)
    if policy.logs or print_policy(policy) != text:
        raise MalformedError("a witness policy has witnesses, groups and a quorum, in their one spelling", code="policy")
    if not all(is_plain(word) for line in text.splitlines() for word in line.split(" ")):
        raise MalformedError("names in a policy are shown to people: plain text, in NFC (R28)", code="bad-name")
    for witness in policy.witnesses:
        if witness.key.key.suite not in WITNESS_SUITES[profile]:
            raise MalformedError(f"{witness.name} has a key that the profile {profile} does not use", code="wrong-suite")
    return policy


def _check_committee(genesis: Genesis) -> None:
    total = sum(member.weight for member in genesis.committee)
    if not genesis.committee or any(not 0 < m.weight < 1 << 31 for m in genesis.committee):
        raise MalformedError("a committee has members with names and positive weights", code="committee")
    for member in genesis.committee:
        if member.did != str(weid_did(genesis.chain, member.key)):
            raise MalformedError(f"{member.did} does not derive from its key", code="committee")
    if set(genesis.floors) != set(FLOORS) or any(not 0 < floor <= total for floor in genesis.floors.values()):
        # R24: a floor of 0 means anybody, one above the total weight means nobody ever.
        raise MalformedError(f"floors are between 1 and the total weight {total}", code="floors")


def _committee(value: JSON) -> tuple[Member, ...]:
    if not isinstance(value, list):
        raise MalformedError("a committee is a list")
    return tuple(_member(item) for item in value)


def _member(item: JSON) -> Member:
    if not isinstance(item, dict) or set(item) != {"did", "name", "weight", "key"}:
        raise MalformedError("a committee member has did, name, weight and key")
    key = PublicKey.from_multikey(_text(item["key"]))
    return Member(_text(item["did"]), _text(item["name"]), _number(item["weight"]), key)


def _floors(value: JSON) -> Mapping[str, int]:
    if not isinstance(value, dict):
        raise MalformedError("floors are an object")
    return MappingProxyType({name: _number(item) for name, item in value.items()})


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise MalformedError("a genesis member has the wrong type: text expected")
    return value


def _number(value: JSON) -> int:
    if type(value) is not int:
        raise MalformedError("a genesis member has the wrong type: whole number expected")
    return value
