"""What a committee decides in a case: at once by one who may, else as a proposal that is voted on and executed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from registry.bodies import TrustRecognise

if TYPE_CHECKING:
    from issuer_app.office import Office
    from registry.pack_committee import Founding
    from wallet_cli.world import World

__all__ = ["VERBS", "committee", "decide", "recognition_terms", "set_rules"]


def committee(made: World, registry: str) -> tuple[Office, ...]:
    """The offices of the registry's committee members, in the order of its genesis."""
    by_did = {str(office.did): office for office in made.offices.values()}
    return tuple(by_did[member.did] for member in made.registries[registry].genesis.committee)


def decide(made: World, registry: str, category: str, act: Callable[[Office], object]) -> None:
    """What the committee does before a case begins: by its first member alone, or with the votes of all."""
    first, *others = committee(made, registry)
    office = first.deciding(category, made.minute)
    act(office)
    if office.proposal is not None:
        for other in others:
            other.vote(office.proposal, True)
        first.execute(office.proposal)


def set_rules(made: World, registry: str, founding: Founding) -> None:
    """What the pack says beyond the genesis, last of all: from then on the waiting times hold."""
    for category, changed in founding.rules.items():
        held = made.registries[registry].state.tables["rule"][category]
        names = ("agree", "participates", "win", "delay", "period")
        values = {name: getattr(held, name) for name in names} | dict(changed)

        def act(office: Office, category: str = category, values: dict[str, int] = values) -> None:
            office.set_rule(category, **values)

        decide(made, registry, "rules", act)


def recognition_terms(made: World, entry: Mapping[str, Any]) -> TrustRecognise:
    """The terms of a recognition in the words of trust.json, pinned at the foreign registry's checkpoint."""
    foreign = made.registries[str(entry["foreign"])]
    checkpoint = made.clients[str(entry["foreign"])].checkpoint()
    registries: Any = made.pack.section("trust")["registries"]
    return TrustRecognise(
        origin=foreign.genesis.origin, names=tuple(sorted(registries[str(entry["foreign"])]["names"].items())),
        purposes=tuple(entry["purposes"]), schemas=tuple(made.schemas[schema] for schema in entry["schemas"]), since=None,
        until=made.minute + int(entry["days"]) * 1440, size=checkpoint.size, root=checkpoint.root,
        assurance=int(entry["assurance"]), mapping=None,
    )  # fmt: skip


def recognise(here: World, step: Mapping[str, Any]) -> str:
    """A committee member recognises a foreign registry, or proposes to."""
    pin, terms = here.registries[step["foreign"]].pin, recognition_terms(here, step)
    return _told(here, step, lambda office: office.recognise(pin, terms), f"recognise {step['foreign']}")


def withdraw_recognition(here: World, step: Mapping[str, Any]) -> str:
    """A committee member withdraws recognition, or proposes to."""
    pin, mode = here.registries[step["foreign"]].pin, str(step["mode"])
    return _told(here, step, lambda office: office.withdraw_recognition(pin, mode), f"withdraw {step['foreign']} ({mode})")


def vote(here: World, step: Mapping[str, Any]) -> str:
    """A member's word on a proposal."""
    here.offices[step["by"]].vote(here.things[step["on"]], bool(step["agree"]))
    return f"{step['by']} votes {'for' if step['agree'] else 'against'} {step['on']}"


def execute(here: World, step: Mapping[str, Any]) -> str:
    """A member puts a proposal into effect."""
    here.offices[step["by"]].execute(here.things[step["on"]])
    return f"{step['by']} puts {step['on']} into effect"


def _told(here: World, step: Mapping[str, Any], act: Callable[[Office], None], what: str) -> str:
    office = here.offices[step["by"]].deciding("recognition", here.minute)
    act(office)
    if office.proposal is None:
        return f"{step['by']}: {what}"
    here.things[step["as"]] = office.proposal
    return f"{step['by']} proposes: {what}"


VERBS = {"recognise": recognise, "withdraw-recognition": withdraw_recognition, "vote": vote, "execute": execute}
