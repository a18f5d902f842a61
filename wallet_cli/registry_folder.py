"""A registry on disk: genesis, database, high-water mark and sealed keys in one folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from wallet_cli.keys import make_key
from wallet_cli.state import write_atomic
from weid.errors import WeidError

if TYPE_CHECKING:
    from registry.genesis import Genesis, Member
    from registry.log import Engine, Registry
    from registry.signer import OperatorKeys
    from weid.keys import LocalSigner, PublicKey
    from weid.sealed import Passphrase
    from weid.suites import Random

SUITE = {"intl": "ed25519", "gm": "sm2", "both": "ed25519"}
OPERATOR_ROLES = {"log": "log", "state": "state", "operator": "log-op"}
_LOW = 1_000  # iterations, where a test asks for cheap keys
TWIN = "twin"  # the SM2 key of the second tree, in the profile `both`


def create_registry(
    folder: Path, *, origin: str, chain: int, profile: str, members: dict[str, int], passphrase: str | Passphrase, minute: int,
    random: Random, cost: int | None = None, witnesses: str = "quorum none\n", founders: Sequence[Member] = (),
    floors: Mapping[str, int] | None = None,
) -> Registry:  # fmt: skip
    """A new registry: operator keys, the committee, genesis, first tick.

    `members` are names and voting weights; their keys are sealed beside the operator's as committee-<name>.json. `founders`
    are members whose keys are with themselves. WeidError `exists` rather than touching a folder that holds a registry.
    """
    from registry.genesis import Genesis, Member, print_genesis
    from registry.log import Registry
    from registry.note import check_name
    from registry.pack_committee import floors as more_than_half
    from weid.did import key_id, weid_did
    from weid.sealed import Passphrase

    if (folder / "genesis.json").exists():
        raise WeidError(f"{folder} holds a registry already", code="exists")
    check_name(origin)
    (folder / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    words = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)

    def fresh(name: str, kid: str | Callable[[PublicKey], str], role: str) -> PublicKey:
        return make_key(folder / "keys" / f"{name}.json", SUITE[profile], kid, role, words, random=random, cost=cost)

    keys = {name: fresh(name, f"{origin}#{name}", role) for name, role in OPERATOR_ROLES.items()}
    twin = None
    if profile == "both":
        low = None if cost is None else _LOW  # an SM2 key is sealed with PBKDF2, whose cost is another number
        twin = make_key(folder / "keys" / f"{TWIN}.json", "sm2", f"{origin}#{TWIN}", TWIN, words, random=random, cost=low)
    committee = list(founders)
    for name, weight in members.items():
        key = fresh(f"committee-{name}", lambda key: key_id(weid_did(chain, key), 1), "log-op")
        committee.append(Member(str(weid_did(chain, key)), name, weight, key))
    genesis = Genesis(
        origin=origin, chain=chain, profile=profile, log=keys["log"], state=keys["state"], operator=keys["operator"],
        committee=tuple(committee), floors=floors or more_than_half(sum(member.weight for member in committee)),
        witnesses=witnesses, first_tick=minute, twin=twin,
    )  # fmt: skip
    data = print_genesis(genesis)
    write_atomic(folder / "genesis.json", data)
    registry = Registry.create(folder / "registry.db", data, operator_keys(folder, genesis, words), random=random)
    registry.tick(minute)
    return registry


@dataclass(frozen=True, slots=True)
class Home:
    """What a key must know of its registry before there is one: its chain and profile."""

    chain: int
    profile: str


def member_key(
    folder: Path,
    home: Home | Genesis,
    name: str,
    passphrase: Passphrase,
    *,
    random: Random,
    kid: str | None = None,
    cost: int | None = None,
) -> LocalSigner:
    """The log-op key `committee-<name>`, made if there is none: of its own DID, or under a key id of a DID that exists.

    One that is there is taken up, so that what broke off is done again; WeidError `exists` where it is of another DID.
    """
    from weid.did import key_id, weid_did

    place = folder / "keys" / f"committee-{name}.json"
    if not place.exists():
        named = kid or (lambda key: key_id(weid_did(home.chain, key), 1))
        make_key(place, SUITE[home.profile], named, "log-op", passphrase, random=random, cost=cost)
    signer = open_signer(folder, f"committee-{name}", passphrase)
    if signer.kid != (kid or key_id(weid_did(home.chain, signer.public_key), 1)):
        raise WeidError(f"{folder} holds another key of {name}: choose another name with --member", code="exists")
    return signer


def open_registry(folder: Path, passphrase: str | Passphrase | None, *, random: Random) -> Registry:
    """The registry of a folder, on the engine its `registry.toml` names; without a passphrase it can be read, not written."""
    from registry.log import Registry
    from weid.sealed import Passphrase

    if not (folder / "registry.db").exists():
        raise WeidError(f"{folder} holds no registry: run `weid registry init {folder}`", code="no-registry")
    words = Passphrase(passphrase) if isinstance(passphrase, str) else passphrase
    keys = None if words is None else lambda genesis: operator_keys(folder, genesis, words)
    return Registry.open(folder / "registry.db", random=random, keys=keys, engine=engine_of(folder, words))


def engine_of(folder: Path, passphrase: Passphrase | None, file: str = "registry.toml") -> Engine | None:
    """What makes the engine that a file of the folder names; None for the embedded one."""
    if not (folder / file).exists():
        return None
    from registry.engines.config import read_config
    from registry.genesis import parse_genesis

    config = read_config(folder, file)
    if config is None:
        return None
    genesis = parse_genesis((folder / "genesis.json").read_bytes())
    return lambda store: config.engine(folder, genesis.digest, journal=store, passphrase=passphrase)


def operator_keys(folder: Path, genesis: Genesis, passphrase: str | Passphrase) -> OperatorKeys:
    """The operator's keys and the high-water mark that stands outside the database."""
    from registry.signer import OperatorKeys
    from weid.sealed import Passphrase

    words = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)

    def spare() -> list[LocalSigner]:
        return [open_signer(folder, path.stem, words) for path in sorted((folder / "keys").glob("*.next.json"))]

    names = (*OPERATOR_ROLES, *(() if genesis.twin is None else (TWIN,)))

    def held() -> list[LocalSigner]:
        return [open_signer(folder, name, words) for name in names]

    log, state, operator, *twin = held()
    return OperatorKeys(
        genesis, log=log, state=state, operator=operator, mark=folder / "high-water", spare=spare(), rotated=True,
        more=lambda: [*spare(), *held()], twin=twin[0] if twin else None,
    )  # fmt: skip


def open_signer(folder: Path, name: str, passphrase: str | Passphrase) -> LocalSigner:
    """One sealed key of a registry folder."""
    from weid.keyfile import open_key

    return open_key((folder / "keys" / f"{name}.json").read_bytes(), passphrase)


def rotate(
    folder: Path, what: str, member: str, passphrase: str | Passphrase, *, random: Random, propose: bool = False
) -> tuple[PublicKey, bytes | None]:
    """Change one of the operator's keys (R21): the fresh one is sealed first, so a crash leaves no key in force unheld.

    (the fresh key, None when it is in force; else the proposal that waits for votes). RejectedError where the member does
    not decide alone. The fresh key stays for the vote (`keys/<what>.next.json`); called again after it, this finishes.
    """
    from registry import proposals
    from registry.authority import print_chain
    from registry.operations import Author, key_change
    from weid.keyfile import open_key
    from weid.sealed import Passphrase

    words = passphrase if isinstance(passphrase, Passphrase) else Passphrase(passphrase)
    held, waiting = folder / "keys" / f"{what}.json", folder / "keys" / f"{what}.next.json"
    if not held.exists():
        raise WeidError(f"this registry has no {what} key: only one with the profile both has a twin", code="no-key")
    if not waiting.exists():
        old = open_key(held.read_bytes(), words)
        make_key(waiting, old.public_key.suite, old.kid, old.role, words, random=random)
    registry = open_registry(folder, words, random=random)
    try:
        fresh, authority = open_key(waiting.read_bytes(), words), registry.state.authority
        if authority.key(what) != fresh.public_key:
            link = registry.change_key(what, fresh)
            author = Author.of(registry.genesis, open_signer(folder, f"committee-{member}", words), random)
            made = key_change(author, what, link.seq, fresh.public_key, old=link.old, new=link.new)
            if propose:
                made = proposals.proposed(author, made.operation)
            registry.submit([made.data])[0].require()
            if propose:
                return fresh.public_key, made.id
        retired = folder / "keys" / f"{what}.{len(registry.state.authority.links)}.json"
        write_atomic(retired, held.read_bytes(), private=True)
        waiting.replace(held)
        write_atomic(folder / "key-chain", print_chain(registry.state.authority))
        registry.commit().require()
        return fresh.public_key, None
    finally:
        registry.close()
