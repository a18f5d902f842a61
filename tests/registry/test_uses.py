"""Use registers on the log: one use of one thing, who may claim and release, races, and what the log tells (R25)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import assets, bodies
from registry import operations as ops
from registry.node.client import RegistryClient
from registry.operations import SignedOperation
from registry.state import State
from registry.uses import Receipt, read_request, request_bytes, requested
from tests.registry.world import Actor, World
from weid.assets import ClaimRecord, UseRegisterRecord, claim_key
from weid.business_key import BusinessKey
from weid.errors import MalformedError, ProofError
from weid.hashes import SHA256, SM3
from weid.nullifier import Claim, asset_fingerprint, claim, commitment, group_check, nullifier, opening_of, release_key

GROUP = bytes([1]) * 32
KEY = bytes([2]) * 32
RECEIPT = BusinessKey.from_json("receipt", {"fields": [
    {"name": "warehouse", "kind": "text"}, {"name": "number", "kind": "code"}, {"name": "issued", "kind": "date"},
]})  # fmt: skip


class Exchange:
    """A register `financing` of an association, with two banks as claimers and a stranger."""

    def __init__(self, folder: Path, *, reusable: bool = True, profile: str = "intl") -> None:
        self.world = World(folder, profile=profile)
        world = self.world
        self.owner = world.issuer(world.schema())
        self.bank, self.other, self.stranger = (world.register(world.actor()) for _ in range(3))
        self.key = f"{self.owner.did}|financing"
        world.submit(self.opening(reusable=reusable))

    def opening(self, name: str = "financing", by: Actor | None = None, **changed: Any) -> SignedOperation:
        given = {"purpose": "financing", "group": GROUP, "claimers": [self.bank.did, self.other.did], **changed}
        return assets.use_open(self.world.author(by or self.owner), name, **given)

    def made(self, claimer: Actor, opening: int = 7, **changed: Any) -> Claim:
        given = {"origin": self.world.origin, "register": self.key, "group": GROUP, "key": KEY, **changed}
        return claim(self.world.genesis.hash, claimer=claimer.did, secret=bytes([opening]) * 32, **given)

    def signed(self, by: Actor, claimer: Actor | None = None, opening: int = 7, **changed: Any) -> SignedOperation:
        return assets.use_claim(self.world.author(by), self.made(claimer or by, opening, **changed))

    def released(self, by: Actor, opening: int = 7, **changed: Any) -> SignedOperation:
        name = self.made(by, opening, **changed).nullifier
        key = release_key(self.world.genesis.hash, bytes([opening]) * 32)
        return assets.use_release(self.world.author(by), self.key, name, key)

    def codes(self, *operations: SignedOperation) -> list[str]:
        return [receipt.code for receipt in self.world.registry.submit([made.data for made in operations])]

    @property
    def record(self) -> ClaimRecord | None:
        found: ClaimRecord | None = self.world.registry.record("claim", claim_key(self.key, self.made(self.bank).nullifier))
        return found


@pytest.fixture
def exchange(tmp_path: Path) -> Exchange:
    return Exchange(tmp_path)


# --- claims ----------------------------------------------------------------------------------------------------


def test_used_once_and_given_back(exchange: Exchange) -> None:
    assert exchange.codes(exchange.signed(exchange.bank)) == ["applied"]
    assert exchange.codes(exchange.signed(exchange.other)) == ["already-used"]
    assert exchange.codes(exchange.released(exchange.other)) == ["not-yours"]
    assert exchange.codes(exchange.released(exchange.bank)) == ["applied"]
    assert exchange.record is None
    assert exchange.codes(exchange.signed(exchange.other, opening=8)) == ["applied"]
    assert exchange.codes(exchange.signed(exchange.bank, opening=9)) == ["already-used"]


def test_the_second_learns_that_and_nothing_else(exchange: Exchange) -> None:
    """`already-used`: the answer names neither the first claimer, nor its operation, nor its time."""
    exchange.world.submit(exchange.signed(exchange.bank))
    receipt = exchange.world.submit(exchange.signed(exchange.other), "already-used")
    assert receipt.detail == "this was used already"
    view = exchange.world.registry.view(receipt.index or 0)
    assert set(view) == {"index", "leaf", "result", "operation", "entry"}
    assert exchange.bank.did not in str(view)


def test_an_owner_claims_for_its_members(exchange: Exchange) -> None:
    """The log has the owner as author of every claim; the commitment proves the claimer to whom the opening is shown."""
    world, hash = exchange.world, exchange.world.genesis.hash
    size = world.registry.size
    world.submit(exchange.signed(exchange.owner, exchange.bank))
    world.submit(exchange.signed(exchange.owner, exchange.other, 8), "already-used")
    record = exchange.record
    assert record is not None and record.by == exchange.owner.did
    for index in range(size, world.registry.size):
        assert exchange.bank.did not in str(world.registry.view(index)) and exchange.other.did not in str(
            world.registry.view(index)
        )

    def proves(claimer: Actor, opening: int) -> bool:
        made = commitment(
            hash,
            register=record.register,
            nullifier=record.nullifier,
            claimer=claimer.did,
            opening=opening_of(hash, bytes([opening]) * 32),
        )
        return made == record.commitment

    assert proves(exchange.bank, 7)
    assert not proves(exchange.other, 7) and not proves(exchange.bank, 8) and not proves(exchange.owner, 7)


def test_only_the_claimers_secret_gives_it_back(exchange: Exchange) -> None:
    """`wrong-release-key`: the owner that sent a member's claim cannot give it back without the member."""
    exchange.world.submit(exchange.signed(exchange.owner, exchange.bank))
    for wrong in (8, 0):
        assert exchange.codes(exchange.released(exchange.owner, wrong)) == ["wrong-release-key"]
    short = exchange.world.author(exchange.owner).sign(
        "use.release", exchange.made(exchange.bank).nullifier.hex(), bodies.UseRelease(exchange.key, b"")
    )
    assert exchange.codes(short) == ["wrong-release-key"]
    assert exchange.codes(exchange.released(exchange.bank)) == ["not-yours"]
    assert exchange.codes(exchange.released(exchange.owner)) == ["applied"]


def test_what_is_not_reusable_stays_used(tmp_path: Path) -> None:
    """`not-reusable`: a ticket, a vote, a subsidy."""
    once = Exchange(tmp_path, reusable=False)
    once.world.submit(once.signed(once.bank))
    assert once.codes(once.released(once.bank)) == ["not-reusable"]
    assert once.codes(once.signed(once.bank, opening=8)) == ["already-used"]


def test_who_claims_where(exchange: Exchange) -> None:
    """`not-a-claimer`, `unknown-register`, `not-active`: only who was named, only where there is a register."""
    world = exchange.world
    assert exchange.codes(exchange.signed(exchange.stranger)) == ["not-a-claimer"]
    assert exchange.codes(exchange.signed(exchange.bank, register="did:weid:1:0x0|financing")) == ["unknown-register"]
    assert exchange.codes(exchange.released(exchange.bank)) == ["not-active"]
    short = bodies.UseClaim(exchange.key, b"", bytes(32))
    assert exchange.codes(world.author(exchange.bank).sign("use.claim", KEY.hex(), short)) == ["malformed"]
    whole = bodies.UseClaim(exchange.key, bytes(32), bytes(32))
    assert exchange.codes(world.author(exchange.bank).sign("use.claim", "receipt 17", whole)) == ["malformed"]


def test_claimers_come_and_go(exchange: Exchange) -> None:
    """A bank that left claims no more, and still gives back what it holds."""
    world = exchange.world
    world.submit(exchange.signed(exchange.other))
    world.submit(assets.use_claimers(world.author(exchange.bank), "financing", []), "unknown-register")
    sign = world.author(exchange.bank).sign
    world.submit(sign("use.claimers", exchange.key, bodies.UseClaimers(())), "not-yours")
    new = [exchange.bank.did, exchange.stranger.did]
    world.submit(assets.use_claimers(world.author(exchange.owner), "financing", new))
    world.submit(assets.use_claimers(world.author(exchange.owner), "financing", new[::-1]), "wrong-delta")
    assert exchange.codes(exchange.signed(exchange.other, key=bytes(32))) == ["not-a-claimer"]
    assert exchange.codes(exchange.signed(exchange.stranger)) == ["already-used"]
    assert exchange.codes(exchange.released(exchange.other)) == ["applied"]


def test_who_opens_what(exchange: Exchange) -> None:
    """Only institutions that were let in, under their own DID, with a name and a check; claimers are institutions."""
    world = exchange.world
    world.submit(exchange.opening(by=exchange.stranger), "wrong-role")
    world.submit(exchange.opening(), "already-exists")
    world.submit(exchange.opening("second", by=world.admin))
    world.submit(exchange.opening("a|b"), "malformed")
    world.submit(exchange.opening(" "), "bad-name")
    world.submit(exchange.opening("third", purpose="\u202eevil"), "bad-name")
    for dids in ([exchange.bank.did] * 2, [exchange.owner.did], [f"did:{n}" for n in range(257)]):
        world.submit(exchange.opening("third", claimers=dids), "malformed")
    world.submit(exchange.opening("third", claimers=["did:key:z6Mkabc"]), "not-registered")
    body = bodies.UseOpen("financing", (), True, b"short")
    world.submit(world.author(exchange.owner).sign("use.open", f"{exchange.owner.did}|third", body), "malformed")
    body = bodies.UseOpen("financing", (), True, bytes(32))
    world.submit(world.author(exchange.owner).sign("use.open", f"{exchange.bank.did}|third", body), "not-yours")


def test_a_register_of_ones_own_takes_nothing_away(exchange: Exchange) -> None:
    """A nullifier seen on its way, claimed in another register first, is still free where it belongs."""
    world = exchange.world
    world.submit(exchange.opening("trap", by=world.admin, claimers=[]))
    seen = exchange.made(exchange.bank)
    stolen = Claim(f"{world.admin.did}|trap", seen.nullifier, seen.commitment, seen.lock)
    world.submit(assets.use_claim(world.author(world.admin), stolen))
    assert exchange.codes(exchange.signed(exchange.bank)) == ["applied"]
    made = commitment(
        world.genesis.hash,
        register=stolen.register,
        nullifier=seen.nullifier,
        claimer=exchange.bank.did,
        opening=opening_of(world.genesis.hash, bytes([7]) * 32),
    )
    assert made != stolen.commitment


def test_what_an_auditor_and_an_owner_hold_is_of_no_use_to_the_other(exchange: Exchange) -> None:
    """The proof gives nothing back, alone or with the owner; the release key proves nothing."""
    world, hash = exchange.world, exchange.world.genesis.hash
    receipt, made = Receipt.new(
        hash, origin=world.origin, register=exchange.key, group=GROUP, key=KEY, claimer=exchange.bank.did, secret=bytes(32)
    )
    world.submit(assets.use_claim(world.author(exchange.owner), made))
    proof, back = receipt.proof(hash), receipt.release(hash)
    record = world.registry.record("claim", proof.record_key)
    assert isinstance(record, ClaimRecord)
    proof.check(record, hash=hash)
    for wrong in (replace(proof, claimer=exchange.other.did), replace(proof, opening=back.key), replace(proof, nullifier=KEY)):
        with pytest.raises(ProofError):
            wrong.check(record, hash=hash)
    for key in (proof.opening, release_key(hash, proof.opening)):
        world.submit(assets.use_release(world.author(exchange.owner), exchange.key, made.nullifier, key), "wrong-release-key")
    world.submit(requested(world.author(exchange.owner), read_request(request_bytes(back))))


# --- races and replays -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("batches", [1, 2])
@pytest.mark.parametrize("first", ["bank", "other"])
def test_of_two_claims_exactly_one_wins(exchange: Exchange, batches: int, first: str) -> None:
    """In the same second: in one batch or two, in either order, the first on the log has it."""
    pair = [exchange.signed(exchange.bank), exchange.signed(exchange.other)]
    ordered = pair if first == "bank" else pair[::-1]
    got = exchange.codes(*ordered) if batches == 1 else exchange.codes(ordered[0]) + exchange.codes(ordered[1])
    assert got == ["applied", "already-used"]
    record = exchange.record
    assert record is not None and record.by == getattr(exchange, first).did
    assert exchange.codes(*ordered) == ["duplicate", "already-used"]


def test_an_old_claim_is_never_made_again(exchange: Exchange) -> None:
    """A kept claim does nothing after the release, and a kept release nothing after the next claim."""
    kept, back = exchange.signed(exchange.bank), exchange.released(exchange.bank)
    assert exchange.codes(kept, back, kept, back) == ["applied", "applied", "duplicate", "duplicate"]
    assert exchange.record is None
    assert exchange.codes(exchange.signed(exchange.bank, opening=8)) == ["applied"]
    assert exchange.codes(kept, back, exchange.released(exchange.bank)) == ["duplicate", "duplicate", "wrong-release-key"]


@settings(max_examples=25, deadline=None)
@given(script=st.lists(st.tuples(st.booleans(), st.integers(0, 3), st.integers(0, 2), st.integers(0, 1)), max_size=20))
def test_a_nullifier_is_never_claimed_twice(
    script: list[tuple[bool, int, int, int]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Any claims and releases by anybody, against a dict that knows the rules by heart."""
    exchange = Exchange(tmp_path_factory.mktemp("u"))
    people = [exchange.owner, exchange.bank, exchange.other, exchange.stranger]
    held: dict[int, tuple[int, int]] = {}
    for number, (claiming, who, thing, opening) in enumerate(script):
        key = bytes([thing]) * 32
        if claiming:
            want = "not-a-claimer" if who == 3 else "already-used" if thing in held else "applied"
            got = exchange.codes(exchange.signed(people[who], opening=opening, key=key))
        else:
            want = "not-active" if thing not in held else "applied" if held[thing] == (who, opening) else "refused"
            got = exchange.codes(exchange.released(people[who], opening, key=key))
            want = got[0] if want == "refused" and got[0] in ("not-yours", "wrong-release-key") else want
        assert got == [want], (number, script)
        if want == "applied" and claiming:
            held[thing] = (who, opening)
        elif want == "applied":
            del held[thing]
    copy = State(exchange.world.genesis)
    for entry in exchange.world.registry.engine.read(0, 10_000):
        copy.apply(entry.data)
    assert copy.tables["claim"] == exchange.world.registry.state.tables["claim"] and len(copy.tables["claim"]) == len(held)
    assert copy.map.root == exchange.world.registry.state.map.root
    exchange.world.registry.close()


# --- names -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hash", [SHA256, SM3], ids=["sha256", "sm3"])
def test_another_registry_register_group_or_thing_is_another_nullifier(hash: Any) -> None:
    """Each part counts, and none runs into the next."""
    base = {"origin": "a.example/1", "register": "did:weid:1:0x1|fin", "group": GROUP, "key": KEY}
    changed: list[dict[str, Any]] = [
        {}, {"origin": "b.example/1"}, {"register": "did:weid:1:0x2|fin"}, {"register": "did:weid:1:0x1|sub"},
        {"group": bytes(32)}, {"key": bytes(32)}, {"group": KEY, "key": GROUP},
        {"origin": "a.example/1d", "register": "id:weid:1:0x1|fin"},
    ]  # fmt: skip
    assert len({nullifier(hash, **{**base, **change}) for change in changed}) == len(changed)


def test_secrets_have_32_bytes() -> None:
    base = {"origin": "a", "register": "b", "group": GROUP, "key": KEY}
    for change in ({"group": b"short"}, {"key": bytes(33)}):
        with pytest.raises(MalformedError):
            nullifier(SHA256, **{**base, **change})  # type: ignore[arg-type]
    with pytest.raises(MalformedError):
        asset_fingerprint(SHA256, origin="a", issuer="b", salt=b"", digest=KEY)


def test_a_fingerprint_tells_nothing_without_its_salt() -> None:
    made = {asset_fingerprint(SHA256, origin="a", issuer="b", salt=bytes([n]) * 32, digest=KEY) for n in range(20)}
    assert len(made) == 20


def test_the_group_key_is_checked_before_it_is_used(exchange: Exchange) -> None:
    record = exchange.world.registry.record("use-register", exchange.key)
    assert isinstance(record, UseRegisterRecord)
    assert record.check == group_check(exchange.world.genesis.hash, GROUP)
    assert record.check != group_check(exchange.world.genesis.hash, bytes(32))


def test_claims_are_proven_present_and_absent_and_not_in_the_bundle(exchange: Exchange) -> None:
    """Free, used, free again: each with its proof; the register travels, the claims do not."""
    client, key = RegistryClient.local(exchange.world.registry), claim_key(exchange.key, exchange.made(exchange.bank).nullifier)
    exchange.world.commit()
    assert client.record("claim", key) is None
    exchange.world.submit(exchange.signed(exchange.bank))
    client.refresh()
    assert client.record("claim", key) == exchange.record
    bundle = exchange.world.commit()
    nullified = exchange.made(exchange.bank).nullifier
    assert nullified not in bundle and nullified.hex().encode() not in bundle
    exchange.world.submit(exchange.released(exchange.bank))
    client.refresh()
    assert client.record("claim", key) is None


def test_the_claim_record_has_neither_time_nor_content(exchange: Exchange) -> None:
    assert set(ClaimRecord.__dataclass_fields__) == {"nullifier", "register", "by", "commitment", "lock"}


def test_a_deactivated_claimer_does_nothing(exchange: Exchange) -> None:
    world = exchange.world
    world.submit(ops.did_deactivate(world.author(exchange.bank), exchange.bank.last_op))
    assert exchange.codes(exchange.signed(exchange.bank)) == ["deactivated"]


def test_the_same_in_a_gm_registry(tmp_path: Path) -> None:
    gm = Exchange(tmp_path, profile="gm")
    assert gm.codes(gm.signed(gm.bank), gm.signed(gm.other)) == ["applied", "already-used"]
    assert gm.codes(gm.released(gm.bank)) == ["applied"]


def test_a_changed_field_that_does_not_count_still_hits(exchange: Exchange) -> None:
    """Double financing: other amount, other spelling of the number, same thing; another number is another thing."""
    first = {"warehouse": "广州港 1号仓", "number": "WR-2026/0017", "issued": "2026-03-01", "tonnes": 40}
    again = {"warehouse": "广州港　１号仓", "number": "ｗｒ２０２６ 0017", "issued": "2026年3月1日", "tonnes": 41, "grade": "A"}
    other = {**first, "number": "WR-2026/0018"}
    hash = exchange.world.genesis.hash
    assert exchange.codes(exchange.signed(exchange.bank, key=RECEIPT.digest(first, hash=hash))) == ["applied"]
    assert exchange.codes(exchange.signed(exchange.other, key=RECEIPT.digest(again, hash=hash))) == ["already-used"]
    assert exchange.codes(exchange.signed(exchange.other, key=RECEIPT.digest(other, hash=hash))) == ["applied"]
