"""A proposal in plain words: what would change, as labelled values in one language. Names come from the registry (R23)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from issuer_app.decisions import Decision
from issuer_app.problems import NotFoundError
from issuer_app.rights import log_time, schema_of
from issuer_app.texts import Speaker
from registry.genesis import fingerprint, is_plain
from registry.rules_gov import GOVERNED
from weid.errors import SchemaError
from weid.facts import Facts, Found
from weid.governance import RuleRecord

__all__ = ["Row", "kind_name", "needs", "rows", "rule_rows", "who"]


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled value; `code` is the identifier behind a name, where there is one, `was` the value in force now."""

    label: str
    value: str
    code: str = ""
    was: str = ""


@dataclass(frozen=True, slots=True)
class _Told:
    """What the words of one proposal are made from."""

    t: Speaker
    facts: Facts
    sub: str
    body: Any
    live: bool

    def row(self, label: str, value: str, code: str = "", was: str = "") -> Row:
        """Until it is executed nobody has checked what a member wrote: characters that are not seen are not shown (R28)."""
        shown = value if is_plain(value) else self.t("what.unreadable")
        return Row(
            self.t(f"what.{label}"), shown, code if not code or is_plain(code) else ascii(code), "" if was == value else was
        )

    def held(self, kind: str, key: str) -> Any | None:
        answer = self.facts.fact(kind, key)
        return answer.record if isinstance(answer, Found) else None


def rows(t: Speaker, facts: Facts, decision: Decision) -> tuple[Row, ...]:
    """What a proposal would do; for one of a kind unknown here, its subject alone."""
    told = _Told(t, facts, decision.record.sub, decision.body, decision.ended is None)
    make = _ROWS.get(decision.record.type)
    if make is None or decision.body is None:
        return (told.row("subject", decision.record.sub),)
    try:
        return tuple(make(told))
    except (ValueError, OverflowError):  # a digest that is none, a minute outside the calendar: execution would refuse it
        return (told.row("subject", decision.record.sub), told.row("refused", t("what.unreadable")))


def who(facts: Facts, t: Speaker, did: str) -> str:
    """The registered name of an institution or member; "" for a DID that has none."""
    for kind in ("issuer", "member"):
        answer = facts.fact(kind, did)
        if isinstance(answer, Found):
            return t.name(answer.record.names) if kind == "issuer" else str(answer.record.name)
    return ""


def kind_name(facts: Facts, t: Speaker, digest: bytes) -> str:
    """What a kind of certificate is called; the start of its digest where it is not published or not ours."""
    try:
        return t.name(schema_of(facts, digest).title)
    except (NotFoundError, SchemaError):
        return digest.hex()[:16]


def needs(t: Speaker, rule: RuleRecord) -> str:
    """A rule in one sentence."""
    parts = [t("rule.agree", count=rule.agree)]
    if rule.participates:
        parts.append(t("rule.participates", percent=rule.participates))
    if rule.win:
        parts.append(t("rule.win", percent=rule.win))
    parts.append(t("rule.delay", time=t.span(rule.delay)) if rule.delay else t("rule.no-delay"))
    return " ".join(parts)


def rule_rows(t: Speaker, rule: Any, old: RuleRecord | None) -> Iterator[Row]:
    """A rule as it would be, beside the one in force."""
    for name in ("agree", "participates", "win", "delay", "period"):
        value, was = (None if held is None else getattr(held, name) for held in (rule, old))
        shown = [_rule_value(t, name, item) for item in (value, was)]
        yield Row(t(f"what.{name}"), shown[0], "", "" if shown[0] == shown[1] else shown[1])


def _rule_value(t: Speaker, name: str, value: int | None) -> str:
    if value is None:
        return ""
    if name in ("delay", "period"):
        return t.span(value) if value else t("rule.none")
    return str(value) if name == "agree" else f"{value} %" if value else t("rule.none")


def _party(told: _Told, label: str, did: str) -> Row:
    name = who(told.facts, told.t, did)
    return told.row(label, name or told.t("what.unnamed"), did)


def _scope(told: _Told) -> Iterator[Row]:
    """One right, or the institution as a whole."""
    schema = told.body.schema
    yield told.row("kind", told.t("what.whole") if schema is None else kind_name(told.facts, told.t, schema))


def _period(told: _Told) -> Iterator[Row]:
    since = told.body.since
    yield told.row("since", told.t("what.at-once") if since is None else told.t.time(since))
    yield told.row("until", told.t.time(told.body.until))
    if told.live and since is not None and since < log_time(told.facts):
        yield told.row("refused", told.t("what.late-start"))


def _reason(told: _Told) -> Row:
    return told.row("reason", told.t.reason(told.body.reason))


def _approve(told: _Told) -> Iterator[Row]:
    yield _party(told, "institution", told.sub)
    yield from _scope(told)
    yield from _period(told)
    yield told.row("level", str(told.body.level))


def _cut(told: _Told) -> Iterator[Row]:
    yield _party(told, "institution", told.sub)
    yield from _scope(told)
    yield _reason(told)


def _reinstate(told: _Told) -> Iterator[Row]:
    yield _party(told, "institution", told.sub)
    yield from _scope(told)


def _delegate(told: _Told) -> Iterator[Row]:
    yield from _approve(told)
    yield told.row("depth", str(told.body.depth))


def _role(told: _Told) -> Iterator[Row]:
    did, _, role = told.sub.partition("|")
    yield _party(told, "office", did)
    yield told.row("role", told.t.known(f"role.{role}", role))


def _grant(told: _Told) -> Iterator[Row]:
    yield from _role(told)
    for digest in told.body.schemas:
        yield told.row("kind", kind_name(told.facts, told.t, digest))
    yield from _period(told)


def _schema(told: _Told) -> Iterator[Row]:
    from credentials.schema import read_schema

    try:
        title = told.t.name(read_schema(told.body.document, bytes.fromhex(told.sub)).title)
    except (SchemaError, ValueError):
        title = told.t("what.unnamed")
    yield told.row("kind", title, told.sub)


def _machine(told: _Told) -> Iterator[Row]:
    yield told.row("subject", told.sub)


def _recognise(told: _Told) -> Iterator[Row]:
    body = told.body
    yield told.row("registry", told.t.name(body.names), body.origin)
    yield told.row("fingerprint", fingerprint(bytes.fromhex(told.sub)))
    yield told.row("purposes", ", ".join(body.purposes) or told.t("what.all"))
    for digest in body.schemas:
        yield told.row("kind", kind_name(told.facts, told.t, digest))
    yield from _period(told)
    yield told.row("assurance", str(body.assurance))


def _withdraw(told: _Told) -> Iterator[Row]:
    held = told.held("recognition", told.sub)
    yield told.row("registry", told.sub[:16] if held is None else told.t.name(held.names), "" if held is None else held.origin)
    yield told.row("mode", told.t.known(f"what.mode-{told.body.mode}", told.body.mode))


def _member(told: _Told) -> Iterator[Row]:
    held = told.held("member", told.sub)
    weight = str(told.body.weight) if told.body.weight else told.t("what.leaves")
    yield told.row("member", told.body.name or ("" if held is None else held.name), told.sub)
    yield told.row("weight", weight, was="" if held is None else str(held.weight))


def _rule(told: _Told) -> Iterator[Row]:
    yield told.row("category", told.t.known(f"category.{told.sub}", told.sub))
    yield from rule_rows(told.t, told.body, told.held("rule", told.sub))


def _recover(told: _Told) -> Iterator[Row]:
    yield _party(told, "office", told.sub)
    yield told.row("keys", str(len(told.body.add)))


def _key(told: _Told) -> Iterator[Row]:
    yield told.row("key", told.t.known(f"what.key-{told.sub}", told.sub))


def _witnesses(told: _Told) -> Iterator[Row]:
    yield told.row("key", told.t("what.key-witnesses"))


_ROWS: Mapping[str, Callable[[_Told], Iterator[Row]]] = MappingProxyType({
    "did.recover": _recover, "gov.member": _member, "gov.rule": _rule, "issuer.approve": _approve,
    "issuer.delegate": _delegate, "issuer.reinstate": _reinstate, "issuer.remove": _cut, "issuer.suspend": _cut,
    "issuer.undelegate": _cut, "key.change": _key, "machine.publish": _machine, "role.end": _role, "role.grant": _grant,
    "schema.publish": _schema, "trust.recognise": _recognise, "trust.withdraw": _withdraw, "witness.change": _witnesses,
})  # fmt: skip
assert set(_ROWS) == set(GOVERNED)  # whatever can be voted on has words
