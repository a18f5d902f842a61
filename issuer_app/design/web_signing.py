"""Who signs: one institution or several, in which order; and for which acts a second person inside has to agree."""

from __future__ import annotations

from typing import Any

from flask import request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.design import filling
from issuer_app.design.bench import bench, drafts, pages, saved
from issuer_app.design.deskside import desk_faults, institutions
from issuer_app.design.plan import Plan
from issuer_app.design.together import MOST, SIGNING
from issuer_app.frame import config, desk, needs, speaker
from issuer_app.two_people import ACTS

__all__ = ["pages"]


@pages.route("/<name>/signing", methods=["GET", "POST"])
@needs("admin")
def signing(name: str) -> ResponseReturnValue:
    """One form for both."""
    held = drafts().get(name)
    now = config().now()
    known = {record.did: dict(record.names) for record in institutions(desk(), now)}
    plan = held.plan
    if request.method == "POST":
        plan = filling.with_signing(plan, request.form, tuple(request.form.getlist("signer")), tuple(request.form.getlist("act")))
    more: dict[str, Any] = {
        "ways": SIGNING, "most": MOST, "acts": ACTS, "own": desk().did, "beyond": desk_faults(plan, desk(), now),
        "known": {**known, **{did: {} for did in plan.together.signers if did not in known}}, "sentence": _sentence(plan, known),
        "drawn": None,
    }  # fmt: skip
    if request.method == "GET":
        return bench("design/signing.html", held, plan, **more)
    return saved("design/signing.html", held, plan, "", url_for("design.draft", name=name), **more)


def _sentence(plan: Plan, known: dict[str, dict[str, str]]) -> str:
    """What is asked for, in words."""
    together, t = plan.together, speaker()
    if together.way != "named":
        return t(f"design.signs-{together.way}", count=together.threshold)
    names = [t.name(known.get(did, {})) or did for did in together.signers]
    if len(names) < 2:  # the fault beside it says what is missing
        return ""
    key = "design.signs-ordered" if together.ordered else "design.signs-named"
    return t(key, count=together.threshold, most=len(names), names=" · ".join(names))
