"""The verbs of a case, each in the words of docs/spec/pack.md: one function a verb, expectations beside it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from credentials.schema import read_schema
from issuer_app.two_people import Approval
from wallet_cli import checking, rogue, world_assets, world_finding, world_votes
from wallet_cli.holder import new_binding
from wallet_cli.present import chosen_names, cut
from wallet_cli.wallet import Held, Wallet
from wallet_cli.world import World
from weid.errors import WeidError

Step: TypeAlias = Mapping[str, Any]
Verb: TypeAlias = Callable[[World, Step], str]


def run_step(here: World, step: Step, tell: Callable[[str], None]) -> list[str]:
    """What did not come out as the step expects; tells in a sentence what happened."""
    expected = step.get("expect", {})
    wanted = expected.get("error")
    try:
        told = VERBS[step["do"]](here, step)
    except WeidError as error:
        tell(f"{step['do']}: refused [{error.code}]")
        return [] if wanted == error.code else [f"{error.code}: {error}"]
    except checking.Different as different:
        return list(different.problems)
    tell(told)
    return [f"nothing refused it, expected {wanted}"] if wanted else []


def wait(here: World, step: Step) -> str:
    """Move the clock."""
    count = int(step.get("minutes", 0)) + 1440 * int(step.get("days", 0))
    here.wait(count)
    return f"{count} minutes pass"


def apply(here: World, step: Step) -> str:
    """An institution asks for rights."""
    here.desks[step["by"]].apply([here.schemas[name] for name in step["schemas"]], here.minute)
    return f"{step['by']} applies for {', '.join(step['schemas'])}"


def approve(here: World, step: Step) -> str:
    """A reviewer gives a right for a period."""
    did, digest = here.party(step["party"]).did, here.schemas[step["schema"]]
    here.office(step["by"]).approve(did, digest, until=here.minute + int(step["days"]) * 1440, level=int(step.get("level", 1)))
    return f"{step['by']} approves {step['party']} for {step['schema']}"


def suspend_issuer(here: World, step: Step) -> str:
    """A reviewer suspends an institution."""
    here.office(step["by"]).suspend_issuer(here.party(step["party"]).did, str(step["reason"]))
    return f"{step['by']} suspends {step['party']}"


def reinstate_issuer(here: World, step: Step) -> str:
    """A reviewer lifts the suspension."""
    here.office(step["by"]).reinstate(here.party(step["party"]).did)
    return f"{step['by']} reinstates {step['party']}"


def remove_issuer(here: World, step: Step) -> str:
    """A reviewer removes an institution."""
    here.office(step["by"]).remove(here.party(step["party"]).did, str(step["reason"]))
    return f"{step['by']} removes {step['party']}"


def issue(here: World, step: Step) -> str:
    """An institution issues to a holder, or to nobody in particular."""
    desk, digest = here.desks[step["by"]], here.schemas[step["schema"]]
    document = here.pack.files[f"schemas/{step['schema']}.json"]
    asked = bind_for(here, step, document, desk.party.signer("assert").public_key.suite)
    row = desk.issue(
        digest, step["claims"], bind=asked, at=here.minute, random=secrets.token_bytes,
        specimen=bool(step.get("specimen", False)), lookup=step.get("lookup"), approval=_people(step),
        base=None if step.get("base") is None else here.things[step["base"]].file,
    )  # fmt: skip
    here.things[step["as"]] = row
    keep(here, step.get("to"), row.id, row.compact, row.file, document)
    return f"{step['by']} issues {step['schema']} to {step.get('to') or 'the bearer'}"


def _people(step: Step) -> Approval | None:
    """A party of a case acts with all its people, unless the step says that one is alone."""
    return None if step.get("alone") is True else Approval("one", "another")


def bind_for(here: World, step: Step, document: bytes, suite: str) -> str | None:
    """The holder's binding request, where the schema asks for one; kept in the holder's wallet."""
    kind, holder = read_schema(document, here.schemas[step["schema"]]).bind, step.get("to")
    if kind == "none" or holder is None:
        return None
    valid: Any = here.pack.section("issue")["valid"]
    length = int(valid[step["schema"]]) if kind == "chain" else None
    binding, text = new_binding(suite, length, created=here.minute)
    here.holders[holder] = here.holders.get(holder, Wallet()).with_binding(binding)
    return text.decode()


def keep(here: World, holder: str | None, id_: str, compact: bytes, file: bytes, document: bytes) -> None:
    """Put what was issued into the holder's wallet, under its newest key."""
    if holder is None:
        return
    wallet = here.holders.get(holder, Wallet())
    binding = wallet.bindings[-1].id if wallet.bindings else ""
    here.holders[holder] = wallet.with_held(Held(id_, compact, file, document, binding, here.minute))


def issue_anyway(here: World, step: Step) -> str:
    """A rogue signs without asking the registry."""
    document = here.pack.files[f"schemas/{step['schema']}.json"]
    desk = here.desks[step["by"]]
    asked = bind_for(here, step, document, desk.party.signer("assert").public_key.suite)
    made = rogue.issue(here, desk, step, asked)
    here.things[step["as"]] = made
    keep(here, step.get("to"), made.id, made.compact, made.file, document)
    return f"{step['by']} signs {step['schema']} without the right"


def publish(here: World, step: Step) -> str:
    """A status publication posted straight to the node."""
    rogue.publish(here, here.desks[step["by"]], here.schemas[step["schema"]])
    return f"{step['by']} posts a publication for {step['schema']}"


def change(state: str) -> Verb:
    """revoke, suspend or lift, by the issuer."""

    def act(here: World, step: Step) -> str:
        desk, row = here.desks[step["by"]], here.things[step["what"]]
        if state == "lift":
            desk.lift(row.id, here.minute)
        elif state == "suspend":
            desk.suspend(row.id, str(step["reason"]), here.minute)
        else:
            desk.revoke(row.id, str(step["reason"]), here.minute, approval=_people(step))
        return f"{step['by']}: {state} {step['what']}"

    return act


def override(here: World, step: Step) -> str:
    """An auditor's word beside the issuer's list."""
    row = here.things[step["what"]]
    desk = next(desk for desk in here.desks.values() if any(found.id == row.id for found in desk.find(row.id)))
    from weid.records import status_list_id

    here.office(step["by"]).override(
        status_list_id(desk.did, row.list_number), row.index, str(step["state"]), str(step["reason"]), here.minute
    )
    return f"{step['by']} marks {step['what']} as {step['state']}: {step['reason']}"


def end_key(here: World, step: Step) -> str:
    """A key is retired by rotation, or declared compromised since so many minutes."""
    desk = here.desks[step["by"]]
    number = int(desk.party.signer(step["role"]).kid.rpartition("-")[2])
    desk.rotate(step["role"], here.minute)
    if step["state"] == "compromised":
        desk.compromise(number, here.minute + int(step.get("since", 0)), here.minute)
    return f"{step['by']}: key {number} is {step['state']}"


def bundle(here: World, step: Step) -> str:
    """Make a bundle file."""
    here.things[step["as"]] = here.bundle(step["registry"])
    return f"a bundle of {step['registry']} is made"


def carry(here: World, step: Step) -> str:
    """Carry a bundle file to a verifier."""
    data = here.things[step["bundle"]] if "bundle" in step else here.bundle(step["registry"])
    verifier = here.verifiers[step["to"]]
    verifier.store = verifier.store.accept(data, at=here.minute)
    return f"a bundle of {step.get('registry', step.get('bundle'))} is carried to {step['to']} ({len(data)} bytes)"


def ask(here: World, step: Step) -> str:
    """A verifier makes a challenge."""
    here.things[step["as"]] = checking.challenge(here, step["by"], step["request"])
    return f"{step['by']} asks: {step['request']}"


def present(here: World, step: Step) -> str:
    """A holder answers a challenge, or shows the code of this minute."""
    from credentials.presentation import answer, slot_code

    wallet, row = here.holders[step["holder"]], here.things[step["what"]]
    item = wallet.find(row.id)
    schema = checking.schema_of_thing(here, item)
    wanted = frozenset(step["show"])
    schema.mask(wanted)
    data = cut(item, schema, wanted) if wanted != chosen_names(schema, "all") else item.compact
    binding = wallet.binding(item.binding)
    assert binding is not None
    minute = here.minute + int(step.get("skew", 0))
    if step.get("mode") == "chain":
        here.things[step["as"]] = slot_code(data, binding.secret, at=minute)
    else:
        asked = here.things[step["challenge"]]
        here.things[step["as"]] = answer(data, asked.to_bytes(), binding.signer(), time=minute)
    return f"{step['holder']} shows {', '.join(step['show'])}"


def alter(here: World, step: Step) -> str:
    """Somebody changes one shown claim without the key."""
    here.things[step["as"]] = rogue.alter(here, here.things[step["what"]], str(step["claim"]), step["value"])
    return f"somebody changes {step['claim']} in {step['what']}"


def verify(here: World, step: Step) -> str:
    """A verifier checks a code."""
    return checking.verify(here, step, checking.carried(here.things[step["what"]]))


def verify_file(here: World, step: Step) -> str:
    """A verifier checks the file."""
    return checking.verify(here, step, here.things[step["what"]].file)


def type_fields(here: World, step: Step) -> str:
    """A verifier types the printed fields and the printed code."""
    return checking.type_fields(here, step)


def convert(here: World, step: Step) -> str:
    """A local certificate from a foreign one, for the same holder."""
    from issuer_app.convert import convert as run
    from issuer_app.convert import read_conversion

    mapping = read_conversion(here.pack, step["mapping"])
    desk = here.desks[step["by"]]
    shown = checking.last_policy(here, mapping.request)
    row = run(
        desk, mapping, here.schemas[mapping.target], here.things[step["what"]], facts=shown.facts,
        policy=replace(shown.policy, seen=None), at=here.clock, random=secrets.token_bytes,
    )  # fmt: skip
    here.things[step["as"]] = row
    keep(here, step["to"], row.id, row.compact, row.file, here.pack.files[f"schemas/{mapping.target}.json"])
    return f"{step['by']} converts it: {mapping.target}"


VERBS: Mapping[str, Verb] = {
    "wait": wait, "apply": apply, "approve": approve, "suspend-issuer": suspend_issuer,
    "reinstate-issuer": reinstate_issuer, "remove-issuer": remove_issuer, "issue": issue,
    "issue-anyway": issue_anyway, "publish": publish, "revoke": change("revoke"), "suspend": change("suspend"),
    "lift": change("lift"), "override": override, "end-key": end_key,
    "bundle": bundle, "carry": carry, "ask": ask, "present": present, "alter": alter, "verify": verify,
    "verify-file": verify_file, "type": type_fields, "convert": convert,
    **world_assets.VERBS, **world_finding.VERBS, **world_votes.VERBS,
}  # fmt: skip
