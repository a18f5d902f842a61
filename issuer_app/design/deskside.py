"""What is wrong with a design that only its desk can see: who signs beside it, and whether its papers can be drawn here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from issuer_app.design.checking import PlanFault
from issuer_app.design.making import drawings
from issuer_app.design.plan import Plan
from issuer_app.design.showing import Wish, drawing
from issuer_app.design.templates import languages_of

if TYPE_CHECKING:
    from issuer_app.config import Config
    from issuer_app.desk import Desk
    from issuer_app.texts import Speaker
    from weid.records import IssuerRecord

__all__ = ["desk_faults", "drawing_faults", "institutions"]


def institutions(desk: Desk, at: int) -> tuple[IssuerRecord, ...]:
    """The institutions of the registry that may sign something: applied or approved, by DID; our own first."""
    found = [item.record for item in desk.party.facts(at).find("issuer", "")]
    standing = [record for record in found if record.state in ("applied", "approved", "suspended")]
    return tuple(sorted(standing, key=lambda record: (record.did != desk.did, record.did)))


def desk_faults(plan: Plan, desk: Desk, at: int) -> tuple[PlanFault, ...]:
    """Whether the institutions that are named are there, and we among them."""
    together = plan.together
    if together.way != "named":
        return ()
    known = {record.did for record in institutions(desk, at)}
    found = [PlanFault("signing", "design.fault-signer-gone", (("did", did),)) for did in together.signers if did not in known]
    if desk.did not in together.signers:  # what it issued would be refused everywhere
        found.append(PlanFault("signing", "design.fault-not-we"))
    return tuple(found)


def drawing_faults(
    plan: Plan, images: Mapping[str, bytes], desk: Desk, speaker: Speaker, conf: Config
) -> Iterator[PlanFault]:  # fmt: skip
    """The templates that cannot be drawn with the sample values, in one of the languages that each serves."""
    for key in drawings(images):
        for language in languages_of(key, images)[:1]:
            made = drawing(plan, images, Wish(key.partition(".")[0], language), desk, speaker, conf)
            if made.why is not None and not made.missing:
                yield PlanFault(f"template:{key}", "design.fault-drawing", (("why", made.why),))
