"""The administrator's pages of webhooks: the addresses, what was last told to each, a test, the secret, on and off."""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.frame import acted_on, config, desk, needs, page, slow_down, speaker, tell
from issuer_app.problems import status_of
from issuer_app.webhooks.endpoints import TEST, Delivery
from issuer_app.webhooks.outbox import EVENTS
from issuer_app.webhooks.running import hooks
from weid.errors import WeidError

__all__ = ["TESTS", "pages"]

pages = Blueprint("hooks", __name__, url_prefix="/webhooks")

TESTS: Final = "6 per minute"
_SHOWN: Final = 50


@pages.get("/")
@needs("admin")
def home() -> ResponseReturnValue:
    """Every address, and a form for one more."""
    return _home()


@pages.post("/")
@needs("admin")
def add() -> ResponseReturnValue:
    """A new address; the page that answers is the only place that ever shows its secret."""
    form = {"url": request.form.get("url", "").strip(), "label": request.form.get("label", "")}
    chosen = request.form.getlist("event")
    try:
        made, secret = hooks().add(form["url"], form["label"], chosen, at=_now(), random=config().random)
    except WeidError as error:
        return _home(speaker().problem(error.code), {**form, "events": chosen}), status_of(error)
    acted_on(made.id)
    return _one(made.id, secret=secret)


@pages.get("/<id_>")
@needs("admin")
def one(id_: str) -> ResponseReturnValue:
    """One address with its last deliveries."""
    return _one(id_)


@pages.post("/<id_>/events")
@needs("admin")
def choose(id_: str) -> ResponseReturnValue:
    """From now on it is told these."""
    try:
        hooks().endpoints.choose(id_, request.form.getlist("event"))
    except WeidError as error:
        return _one(id_, fault=speaker().problem(error.code)), status_of(error)
    tell("hooks.chosen")
    return redirect(url_for("hooks.one", id_=id_))


@pages.post("/<id_>/secret")
@needs("admin")
def rotate(id_: str) -> ResponseReturnValue:
    """A new secret, shown by the page that answers and never again."""
    return _one(id_, secret=hooks().endpoints.rotate(id_, at=_now(), random=config().random))


@pages.post("/<id_>/<any(test,on,off,settle,remove):action>")
@needs("admin")
def act(id_: str, action: str) -> ResponseReturnValue:
    """The buttons of an address."""
    held = hooks()
    if action == "remove":
        held.remove(id_)
    elif action == "settle":
        held.endpoints.settle(id_)
    elif action == "test":
        slow_down(TESTS, "webhook", id_)
        held.endpoints.test(id_, desk().did, at=_now(), random=config().random)
    else:
        held.endpoints.switch(id_, on=action == "on")
    tell(f"hooks.{action}-done")
    return redirect(url_for("hooks.home") if action == "remove" else url_for("hooks.one", id_=id_))


def _home(fault: str = "", form: dict[str, Any] | None = None) -> str:
    held = hooks().endpoints
    rows = [(item, held.deliveries(item.id, limit=1), held.counts(item.id)) for item in held.all()]
    return page("webhooks/home.html", rows=rows, events=EVENTS, fault=fault, form=form or {}, outcome=_outcome)


def _one(id_: str, *, secret: str = "", fault: str = "") -> str:
    held = hooks().endpoints
    return page(
        "webhooks/one.html", item=held.get(id_), told=held.deliveries(id_, limit=_SHOWN), counts=held.counts(id_), events=EVENTS,
        secret=secret, fault=fault, outcome=_outcome, named=_named, second=_now(),
    )  # fmt: skip


def _now() -> int:
    return int(config().clock().timestamp())


def _named(kind: str) -> str:
    """An event in words."""
    return speaker()("hooks.test-event" if kind == TEST else f"event.{kind}")


def _outcome(item: Delivery) -> tuple[str, str]:
    """(class, words) of what came of a delivery so far."""
    t = speaker()
    if item.state == "done":
        return "valid", t("hooks.told")
    if not item.tries:
        return "suspended", t("hooks.waits")
    status = item.outcome.removeprefix("http-")
    words = t("outcome.answered", status=status) if status != item.outcome else t(f"outcome.{item.outcome}")
    return ("revoked", t("hooks.lost", why=words)) if item.state == "lost" else ("suspended", t("hooks.again", why=words))
