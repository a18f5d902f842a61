"""The verbs of a case for holders who look certificates up, for authority that is passed on, and for signing together."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any

from issuer_app.lifecycle import joint
from issuer_app.lookups.asking import Way, ask
from issuer_app.lookups.links import outbox
from wallet_cli.checking import Different
from wallet_cli.world import World
from weid.errors import MalformedError

__all__ = ["VERBS"]

Step = Mapping[str, Any]


def look_up(here: World, step: Step) -> str:
    """Somebody types into an institution's look-up page: `found`, `nothing`, or `asked` where the page says the same to all."""
    book = here.desks[step["at"]].lookups
    rule = book.lookup.rules.get(str(step["rule"]))
    if rule is None:
        raise MalformedError(f"lookup.json has no rule {step['rule']!r}")
    way = Way(rule, int(step.get("way", 0)))
    ids = ask(book, way, {str(name): str(text) for name, text in step["typed"].items()}, at=here.minute, count=_uncounted)
    expect = step.get("expect", {})
    answer = "asked" if rule.shows == "nothing-without-link" else "found" if ids else "nothing"
    problems = [] if expect.get("answer") in (None, answer) else [f"answer {answer}, expected {expect['answer']}"]
    if "finds" in expect:
        wanted = {here.things[name].id for name in expect["finds"]}
        problems += [] if set(ids) == wanted else [f"{len(ids)} certificates, expected {', '.join(expect['finds'])}"]
    if problems:
        raise Different(problems)
    return f"somebody looks up at {step['at']}: {answer}"


def send_links(here: World, step: Step) -> str:
    """The institution takes what its outbox holds: how many links go to holders, as text."""
    letters = outbox(here.desks[step["at"]].lookups, here.minute, secrets.token_bytes)
    answer, wanted = str(len(letters)), step.get("expect", {}).get("answer")
    if wanted not in (None, answer):
        raise Different([f"{answer} links, expected {wanted}"])
    return f"{step['at']} sends {answer} links"


def delegate(here: World, step: Step) -> str:
    """An authority lets another accredit for a schema, up to a level and so many steps further."""
    did, digest = here.party(step["party"]).did, here.schemas[step["schema"]]
    until = here.minute + int(step["days"]) * 1440
    here.office(step["by"]).delegate(did, digest, level=int(step["level"]), depth=int(step.get("depth", 0)), until=until)
    return f"{step['by']} lets {step['party']} accredit for {step['schema']}, up to level {step['level']}"


def undelegate(here: World, step: Step) -> str:
    """It ends that, and all that was given under it."""
    here.office(step["by"]).undelegate(here.party(step["party"]).did, here.schemas[step["schema"]], str(step["reason"]))
    return f"{step['by']} ends what {step['party']} was given"


def cosign(here: World, step: Step) -> str:
    """Another institution checks a joint certificate's file and puts its word on the log."""
    desk = here.desks[step["by"]]
    joint.cosign(desk, joint.read_asked(desk, here.things[step["what"]].file, here.clock))
    return f"{step['by']} signs {step['what']}, too"


def take_back(here: World, step: Step) -> str:
    """An institution takes its word about a joint certificate back."""
    desk = here.desks[step["by"]]
    joint.take_back(desk, joint.read_asked(desk, here.things[step["what"]].file, here.clock))
    return f"{step['by']} takes its word about {step['what']} back"


def _uncounted(rate: str, what: str, key: str) -> None:
    """A case asks once: how fast strangers may ask is the page's to count."""


VERBS: Mapping[str, Callable[[World, Step], str]] = {
    "look-up": look_up, "send-links": send_links, "delegate": delegate, "undelegate": undelegate, "cosign": cosign,
    "take-back": take_back,
}  # fmt: skip
