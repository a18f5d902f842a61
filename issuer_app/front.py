"""The front page: who this is, what it may do today, and what to do first when it may do nothing."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from flask.typing import ResponseReturnValue

from issuer_app.frame import config, needs, page, user
from issuer_app.users import ROLES

__all__ = ["pages"]

pages = Blueprint("front", __name__)


@pages.get("/")
@needs(*ROLES)
def front() -> ResponseReturnValue:
    """The first page that the roles of this person and the keys of this app allow."""
    roles, conf = user().roles, config()
    if "clerk" in roles and conf.desk is not None:
        return redirect(url_for("desk.home"))
    if "reviewer" in roles and conf.office is not None:
        return redirect(url_for("office.home"))
    if "governor" in roles and conf.council is not None:
        return redirect(url_for("votes.home"))
    if "auditor" in roles and conf.audit is not None:
        return redirect(url_for("office.audit_home"))
    if "admin" in roles:
        return redirect(url_for("people.people"))
    if "auditor" in roles:  # of an institution that holds no auditor's key: reads, and decides nothing
        return redirect(url_for("trail.home"))
    return page("nothing.html")
