"""Assets and uses in a case: machines published, registers opened, and the verbs that move, claim and release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issuer_app.office import Office
from registry.pack import read_assets
from registry.uses import Receipt, Release
from wallet_cli import holdings
from wallet_cli.checking import Different
from weid.canon import jcs
from weid.errors import MalformedError, ProofError

if TYPE_CHECKING:
    from issuer_app.desk import Desk
    from wallet_cli.world import World
    from weid.business_key import BusinessKey
    from weid.nullifier import Claim

__all__ = ["VERBS", "group_file", "register_of", "set_up"]


def set_up(made: World, decide: Callable[[str, Callable[[Office], object]], None]) -> None:
    """Publish the pack's machines and open its use registers: `decide` has a registry's committee do something."""
    section = read_assets(made.pack)
    for name, machine in section.machines.items():
        if machine.registry not in made.registries:
            raise MalformedError(f"assets.json: machines: {name}: trust.json has no registry {machine.registry!r}")
        decide(machine.registry, partial(Office.publish_machine, document=machine.document))
    for name, terms in section.registers.items():
        claimers = [str(made.party(claimer).did) for claimer in terms.claimers]
        owner = made.party(terms.owner).party
        key, group, operation = holdings.prepare_register(
            owner, name, purpose=terms.purpose, claimers=claimers, reusable=terms.reusable
        )
        owner.submit(operation)
        made.things[f"register:{name}"] = key
        group_file(made, name).touch(mode=0o600)
        group_file(made, name).write_bytes(group)


def group_file(made: World, register: str) -> Path:
    """Where the group key of a register is kept: with its members, never on the log."""
    return made.folder / f"{register}.group"


def register_of(made: World, name: str) -> tuple[str, bytes, BusinessKey]:
    """(key on the log, group key, business key) of a register of the pack."""
    section = read_assets(made.pack)
    if name not in section.registers:
        raise MalformedError(f"assets.json has no register {name!r}")
    return made.things[f"register:{name}"], group_file(made, name).read_bytes(), section.keys[section.registers[name].key]


def machine_digest(made: World, name: str) -> bytes:
    """The digest of a machine of the pack, in the registry it is published in."""
    terms = read_assets(made.pack).machines.get(name)
    if terms is None:
        raise MalformedError(f"assets.json has no machine {name!r}")
    return made.registries[terms.registry].genesis.hash(terms.document)


def register_asset(here: World, step: Mapping[str, Any]) -> str:
    """An issuer brings in a thing: a certificate of the case, or what the step describes."""
    party = here.party(step["by"]).party
    data = here.things[step["what"]].file if "what" in step else jcs(step["of"])
    holder = None if step.get("holder") is None else str(here.party(step["holder"]).did)
    digest = party.client.genesis.hash(data)
    named, _, made = holdings.prepare_asset(party, machine_digest(here, step["machine"]), digest, holder)
    party.submit(made)
    here.things[step["as"]] = named
    return f"{step['by']} registers {step['as']}"


def move_asset(here: World, step: Mapping[str, Any]) -> str:
    """A party makes a move on an asset."""
    target = None if step.get("target") is None else str(here.party(step["target"]).did)
    holdings.move_asset(here.party(step["by"]).party, here.things[step["asset"]], step["move"], target)
    return f"{step['by']}: {step['move']} {step['asset']}"


def show_asset(here: World, step: Mapping[str, Any]) -> str:
    """Anybody asks the registry how an asset stands, and checks the proof."""
    record = holdings.asset(here.party(step["by"]).client, here.things[step["asset"]])
    expect = step.get("expect", {})
    who = {None: None} | {str(desk.did): name for name, desk in _parties(here).items()}
    said = {"answer": record.state, "holder": who.get(record.holder), "held-by": who.get(record.party)}
    _compare(expect, said)
    return f"{step['asset']} is {record.state}"


def claim_use(here: World, step: Mapping[str, Any]) -> str:
    """A claimer marks a thing as used, itself or through the register's owner."""
    party = here.party(step["by"]).party
    receipt, made = holdings.prepare_claim(party, *register_of(here, step["register"]), dict(step["fields"]))
    _send(here, step, made)
    here.things[step["as"]] = receipt
    return f"{step['by']} marks it as used for {step['register']}"


def release_use(here: World, step: Mapping[str, Any]) -> str:
    """A claimer gives a use back, with its receipt or (somebody else) without."""
    receipt = Receipt.from_bytes(here.things[step["claim"]])
    hash = here.party(step["by"]).client.genesis.hash
    # Somebody who knows the thing but has not the claimer's secret can only guess.
    guessed = Release(receipt.register, receipt.nullifier, bytes(32))
    _send(here, step, guessed if step.get("without-receipt") else receipt.release(hash))
    return f"{step['by']} gives the use back"


def check_use(here: World, step: Mapping[str, Any]) -> str:
    """A claimer asks whether a thing was used, and checks the proof: `used` or `free`, and no more."""
    found = holdings.find_use(here.party(step["by"]).client, *register_of(here, step["register"]), dict(step["fields"]))
    answer = "free" if found is None else "used"
    _compare(step.get("expect", {}), {"answer": answer})
    return f"{step['by']} asks: {answer}"


def prove_use(here: World, step: Mapping[str, Any]) -> str:
    """A claimer shows an auditor the proof of its claim: `claimed` if the claim on the log is that claimer's."""
    client = here.party(step["by"]).client
    shown = Receipt.from_bytes(here.things[step["claim"]]).proof(client.genesis.hash)
    record = holdings.proven(client, "claim", shown.record_key)
    answer = "no-claim" if record is None else "claimed"
    if record is not None:
        try:
            replace(shown, claimer=str(here.party(step["claimer"]).did)).check(record, hash=client.genesis.hash)
        except ProofError:
            answer = "not-theirs"
    _compare(step.get("expect", {}), {"answer": answer})
    return f"{step['by']} checks who used it: {answer}"


def _send(here: World, step: Mapping[str, Any], asked: Claim | Release) -> None:
    holdings.send(here.party(step.get("through", step["by"])).party, asked)


def _parties(here: World) -> dict[str, Desk | Office]:
    return {**here.offices, **here.desks}


def _compare(expect: Mapping[str, Any], said: Mapping[str, Any]) -> None:
    problems = [
        f"{name} is {said[name]}, expected {expect[name]}" for name in said if name in expect and expect[name] != said[name]
    ]
    if problems:
        raise Different(problems)


VERBS = {
    "register-asset": register_asset, "move-asset": move_asset, "show-asset": show_asset, "claim-use": claim_use,
    "release-use": release_use, "check-use": check_use, "prove-use": prove_use,
}  # fmt: skip
