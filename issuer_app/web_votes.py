"""The committee's decisions as pages: what is open and what is still needed, a vote with a confirmation, execution."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.decisions import Decision
from issuer_app.frame import config, council, needs, page, speaker, tell, user
from issuer_app.office import Office
from issuer_app.problems import NotFoundError
from issuer_app.proposal_words import needs as rule_in_words
from issuer_app.proposal_words import rows, who
from weid.codec import unhex
from weid.errors import MalformedError, RegistryError

__all__ = ["pages", "put_to_vote"]

pages = Blueprint("votes", __name__, url_prefix="/decisions")


@pages.get("/")
@needs("governor")
def home() -> ResponseReturnValue:
    """What is being voted on, what was decided, and what to do where there is nothing."""
    now = config().now()
    found = council().open_decisions(now)
    live = [item for item in found if item.state != "over"]
    over = tuple(item for item in found if item.state == "over")
    try:
        ended, silent = council().closed_decisions(now), False
    except RegistryError:
        ended, silent = (), True  # the node does not answer; what is open is known from the last bundle
    return _page("votes.html", opened=live, ended=(*over, *ended), silent=silent)


@pages.get("/<proposal>")
@needs("governor")
def decision(proposal: str) -> ResponseReturnValue:
    """One decision: what would change, who voted how, what one may do."""
    return _page("vote.html", item=_found(proposal))


@pages.get("/<proposal>/<any(yes,no,execute,cancel):action>")
@needs("governor")
def confirm(proposal: str, action: str) -> ResponseReturnValue:
    """Say what will happen, and ask."""
    return _page("vote_confirm.html", item=_found(proposal), action=action, fault=None)


@pages.post("/<proposal>/<any(yes,no,execute,cancel):action>")
@needs("governor")
def act(proposal: str, action: str) -> ResponseReturnValue:
    """Vote, execute what has passed, or take one's own back."""
    item, office = _found(proposal), council()
    try:
        if action == "execute":
            office.execute(item.record.id)
        elif action == "cancel":
            office.cancel(item.record.id)
        else:
            office.vote(item.record.id, action == "yes")
    except RegistryError as error:
        fault = speaker().problem(error.code)
        return _page("vote_confirm.html", item=_found(proposal), action=action, fault=fault), 409
    tell(f"votes.done-{action}")
    if action in ("yes", "no"):
        _tell_what_is_needed(_found(proposal))
    return redirect(url_for("votes.decision", proposal=proposal))


def put_to_vote(office: Office, proposal: bytes) -> ResponseReturnValue:
    """After an act that became a proposal: say that it did and what it waits for, on the proposal's own page.

    A reviewer whose office has a seat but who is no governor here comes back to the institutions.
    """
    tell("votes.put")
    _tell_what_is_needed(office.decision(proposal, config().now()))
    if "governor" in user().roles and config().council is not None:
        return redirect(url_for("votes.decision", proposal=proposal.hex()))
    return redirect(url_for("office.home"))


def _tell_what_is_needed(item: Decision) -> None:
    if item.state == "ready":
        tell("votes.now-ready")
    elif item.state == "waiting" and item.record.due is not None:
        tell("votes.now-waiting", time=speaker().time(item.record.due))
    elif item.needed is None:
        tell("votes.too-few")
    else:
        names = " · ".join(ballot.name or ballot.did for ballot in item.silent)
        tell("votes.still", needed=item.needed, total=item.total, names=names)


def _found(proposal: str) -> Decision:
    try:
        id_ = unhex(proposal)
    except MalformedError as error:
        raise NotFoundError("there is no such decision") from error
    return council().decision(id_, config().now())


def _page(template: str, **values: object) -> str:
    office, now, t = council(), config().now(), speaker()
    facts = office.facts(now)
    return page(
        template, me=office.did, standing=office.standing("issuer", now), rows=lambda item: rows(t, facts, item),
        who=lambda did: who(facts, t, did), rule=lambda item: rule_in_words(t, item.record.rule), path=request.path, **values,
    )  # fmt: skip
