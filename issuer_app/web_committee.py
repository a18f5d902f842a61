"""The committee's own acts as pages: members, rules, offices, kinds of certificate, recognised registries.

Each is done at once where the member decides alone, and put to the vote otherwise; the page says so before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from issuer_app.decisions import must_vote, standing
from issuer_app.frame import config, council, needs, page, speaker, tell
from issuer_app.office import Office
from issuer_app.problems import NotFoundError, RefusedError
from issuer_app.proposal_words import kind_name, who
from issuer_app.proposal_words import needs as rule_in_words
from issuer_app.web_office import day
from issuer_app.web_votes import put_to_vote
from registry.bodies import TrustRecognise
from registry.bundle import open_bundle
from registry.genesis import fingerprint, is_plain, parse_genesis
from registry.packed import unpack
from weid.codec import unhex
from weid.errors import WeidError
from weid.facts import Facts, Found
from weid.governance import CATEGORIES
from weid.pack import LANGUAGES

__all__ = ["pages"]

pages = Blueprint("committee", __name__, url_prefix="/committee")

ROLES = ("reviewer", "auditor", "observer")
MODES = ("cease", "distrust")


@dataclass(frozen=True, slots=True)
class Act:
    """One form: the category whose rule decides, and what it does with the fields that were sent."""

    category: str
    do: Callable[[Office, Facts], None]


@pages.get("/")
@needs("governor")
def home() -> ResponseReturnValue:
    """Who decides, by which rules, and what stands in the registry by the committee's word."""
    office, now, t = council(), config().now(), speaker()
    facts = office.facts(now, fresh=True)

    def least(category: str) -> dict[str, int]:
        found = standing(facts, office.did, category)
        return {"least": found.least, "total": found.total}

    def held(kind: str) -> list[Any]:
        return [item.record for item in facts.find(kind, "")]

    return page(
        "committee.html", me=office.did, standing=standing(facts, office.did, "issuer"), least=least,
        members=held("member"), rules=held("rule"),
        roles=[role for role in held("role") if role.ended is None and now < role.until],
        recognitions=[item for item in held("recognition") if item.withdrawn is None and now < item.until],
        kinds=[kind_name(facts, t, item.digest) for item in held("schema")],
        who=lambda did: who(facts, t, did), rule=lambda item: rule_in_words(t, item),
    )  # fmt: skip


@pages.route("/<any(member,rule,role,end,schema,recognise,withdraw):name>", methods=["GET", "POST"])
@needs("governor")
def act(name: str) -> ResponseReturnValue:
    """A form, and what it does: at once where this member decides alone, by vote otherwise."""
    if request.method == "GET":
        return _form(name, None)
    chosen, now = ACTS[name], config().now()
    office = council().deciding(chosen.category, now)
    try:
        chosen.do(office, office.facts(now))
    except WeidError as error:
        t = speaker()
        return _form(name, t.problem(error.code)), 409 if t.knows(error.code) else 422
    except (ValueError, OverflowError):
        return _form(name, speaker()("fault.committee")), 422
    if office.proposal is not None:
        return put_to_vote(office, office.proposal)
    tell("committee.done")
    return redirect(url_for("committee.home"))


def _form(name: str, fault: str | None) -> str:
    now, t = config().now(), speaker()
    facts = council().facts(now, fresh=True)
    key = request.values.get("key", "")[:300]
    kinds = {"member": "member", "rule": "rule", "end": "role", "withdraw": "recognition"}
    answer = facts.fact(kinds[name], key) if name in kinds and key else None
    held = answer.record if isinstance(answer, Found) else None
    if held is None and (name in ("end", "withdraw") or key):
        raise NotFoundError("there is no such record")
    return page(
        "committee_act.html", act=name, key=key, held=held, fault=fault, form=request.form, roles=ROLES, modes=MODES,
        categories=CATEGORIES, language_codes=LANGUAGES, until=t.day(now + 525_600), fingerprint=fingerprint,
        asked=must_vote(facts, council().did, ACTS[name].category), who=lambda did: who(facts, t, did),
        rules={item.record.category: item.record for item in facts.find("rule", "")},
    )  # fmt: skip


def _text(name: str) -> str:
    return request.form.get(name, "").strip()


def _number(name: str, most: int) -> int:
    """A whole number in plain digits; ValueError for anything else."""
    text = _text(name)
    if not (text.isascii() and text.isdigit() and len(text) <= 10) or int(text) > most:
        raise ValueError(name)
    return int(text)


def _end_of(name: str) -> int:
    """The minute after a last day; ValueError without one, or for one that is over."""
    last = day(_text(name))
    if last is None or last + 1440 <= config().now():
        raise ValueError(name)
    return last + 1440


def _upload(name: str) -> bytes:
    given = request.files.get(name)
    data = given.read() if given is not None else b""
    if not data:
        raise ValueError(name)
    return data


def _did(facts: Facts) -> str:
    """A registered DID: of any other the vote would pass and its execution be refused."""
    did = _text("did")
    if not isinstance(facts.fact("did", did), Found):
        raise RefusedError(f"{did} is not registered here", code="unknown-did")
    return did


def _member(office: Office, facts: Facts) -> None:
    name = _text("name")
    if not is_plain(name):
        raise ValueError("name")
    office.set_member(_did(facts), name, _number("weight", 1_000_000))


def _rule(office: Office, facts: Facts) -> None:
    category, units = _text("category"), {"minutes": 1, "hours": 60, "days": 1440}
    if category not in CATEGORIES:
        raise ValueError(category)
    delay, period = (_number(name, 527_040) * units[_text(f"{name}-unit")] for name in ("delay", "period"))
    office.set_rule(
        category, agree=_number("agree", 1 << 31), participates=_number("participates", 100), win=_number("win", 100),
        delay=delay, period=period,
    )  # fmt: skip


def _role(office: Office, facts: Facts) -> None:
    if _text("role") not in ROLES:
        raise ValueError("role")
    office.grant_role(_did(facts), _text("role"), until=_end_of("until"))


def _end(office: Office, facts: Facts) -> None:
    did, _, role = _text("key").partition("|")
    office.end_role(did, role)


def _schema(office: Office, facts: Facts) -> None:
    office.publish_schema(_upload("schema"))


def _recognise(office: Office, facts: Facts) -> None:
    """The fingerprint that was told by another way is typed in: nobody recognises whatever file came with an e-mail."""
    foreign = parse_genesis(_upload("genesis"))
    if "".join(_text("fingerprint").lower().split()) != fingerprint(foreign.digest).replace(" ", ""):
        raise RefusedError("the fingerprint is another registry's", code="wrong-fingerprint")
    checkpoint = open_bundle(unpack(_upload("bundle")), pin=foreign.digest, at=config().now()).checkpoint
    purposes = tuple(word for word in _text("purposes").replace(",", " ").split() if word)
    names = tuple((language, _text(f"name-{language}")) for language in LANGUAGES)
    if not all(name for _, name in names):
        raise ValueError("name")
    terms = TrustRecognise(
        origin=foreign.origin, names=names, purposes=purposes, schemas=(), since=None, until=_end_of("until"),
        size=checkpoint.size, root=checkpoint.root, assurance=_number("assurance", 255), mapping=None,
    )  # fmt: skip
    office.recognise(foreign.digest, terms)


def _withdraw(office: Office, facts: Facts) -> None:
    if _text("mode") not in MODES:
        raise ValueError("mode")
    office.withdraw_recognition(unhex(_text("key")), _text("mode"))


ACTS: Mapping[str, Act] = MappingProxyType({
    "member": Act("membership", _member), "rule": Act("rules", _rule), "role": Act("role", _role), "end": Act("role", _end),
    "schema": Act("schema", _schema), "recognise": Act("recognition", _recognise), "withdraw": Act("recognition", _withdraw),
})  # fmt: skip
