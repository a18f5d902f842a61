"""Checks of the person showing it: holder binding, challenge, replay and clock (R13, R14)."""

from __future__ import annotations

from credentials import presentation, sd_jwt
from credentials.case import Case, Result, failed, passed, skipped, unknown
from credentials.compact import BIND_CHAIN, BIND_DOCUMENT, BIND_KEY, BIND_NONE
from credentials.presentation import CHAIN, CHALLENGE, GATE, Challenge, Presentation
from credentials.sd_jwt import SdJwt
from weid import signing
from weid.codec import rfc3339
from weid.errors import KeyMaterialError, SignatureError, WeidError
from weid.suites import suite

__all__ = ["binding", "challenge", "clock", "replay"]


def binding(case: Case) -> Result:
    """Whoever shows the code holds what the issuer bound it to; nothing bound is for a person to compare."""
    shown, kind = case.presentation, case.bind_kind
    if case.file is not None and case.file.token is not None:
        return _key_bound(case, case.file.token)
    if kind in (BIND_NONE, BIND_DOCUMENT):
        if shown is not None:
            return failed("bad-presentation")
        if case.policy.require_binding != "bearer":
            return failed("binding-required")
        return passed("bearer" if kind == BIND_NONE else "document-bound")
    if shown is None or (shown.mode == CHAIN) != (kind == BIND_CHAIN):
        return failed("holder-proof-missing")
    return _chain(shown) if shown.mode == CHAIN else _signed(case, shown)


def challenge(case: Case) -> Result:
    """The code answers this checker's question, or was made for this gate."""
    shown, asked = case.presentation, case.policy.challenge
    if asked is not None:
        if shown is None or shown.mode != CHALLENGE:
            return failed("challenge-missing")
        return _answered(case, shown, asked)
    wanted = case.policy.require_binding
    if shown is not None and wanted != "bearer" and presentation.MODES[shown.mode] != wanted:
        return failed("challenge-missing", {"wanted": wanted})
    if shown is None or shown.mode == CHAIN:
        return skipped("not-needed")
    if shown.mode == CHALLENGE:
        return failed("challenge-unknown")
    if case.policy.gate is None:
        return unknown("gate-unknown", {"gate": shown.gate})
    return passed() if shown.gate == case.policy.gate else failed("gate-mismatch", {"gate": shown.gate})


def replay(case: Case) -> Result:
    """This very code was not shown before; claimed only once everything about it is proven (R14)."""
    shown, established, seen = case.presentation, case.established, case.policy.seen
    if shown is None or established is None or established.cid is None:
        return skipped("not-needed")
    if seen is None:
        return skipped("no-memory")
    mark = {CHAIN: str(shown.slot), CHALLENGE: shown.handle.hex(), GATE: f"{shown.time}"}[shown.mode]
    tolerance = case.policy.clock_tolerance
    until = case.at + 3 if shown.mode == CHAIN else shown.time + shown.ttl + tolerance + 1
    if shown.mode == CHALLENGE and case.policy.challenge is not None:
        until = max(until, case.policy.challenge.expires)
    key = f"{established.cid.hex()}|{presentation.MODES[shown.mode]}|{mark}"
    return passed() if seen.claim(key, until) else failed("replayed")


def clock(case: Case) -> Result:
    """The code is fresh: neither from the future nor older than its life, within the policy's tolerance."""
    shown, value = case.presentation, case.compact
    if shown is None or value is None:
        return skipped("not-needed")
    if shown.mode == CHAIN:
        slot = presentation.slot_at(value.valid_from, case.at)
        behind = slot - shown.slot
        if behind < 0:
            return failed("clock-differs", {"minutes": -behind})
        return passed() if behind <= 1 else failed("code-too-old", {"minutes": behind})
    tolerance = case.policy.clock_tolerance
    if shown.time > case.at + tolerance:
        return failed("clock-differs", {"minutes": shown.time - case.at})
    if case.at >= shown.time + shown.ttl + tolerance:
        return failed("code-too-old", {"minutes": case.at - shown.time})
    return passed()


def _key_bound(case: Case, token: SdJwt) -> Result:
    """An SD-JWT whose issuer bound it to a key is shown with that key's answer to this checker (RFC 9901 4.3)."""
    if token.binding is None:
        if "cnf" in token.payload:
            return failed("holder-proof-missing")
        return failed("binding-required") if case.policy.require_binding != "bearer" else passed("bearer")
    nonce, audience = case.policy.proof_challenge, case.policy.proof_domain
    if nonce is None or audience is None:
        return failed("challenge-unknown")
    try:
        bound = sd_jwt.verify_binding(token, sd_jwt.confirmed_key(token.payload), audience=audience, nonce=nonce)
    except WeidError as error:
        asked = error.code in ("kb-audience", "kb-nonce")
        return failed("challenge-mismatch" if asked else "bad-holder-signature", {"reason": str(error)})
    if bound.issued // 60 > case.at + case.policy.clock_tolerance:
        return failed("clock-differs", {"minutes": bound.issued // 60 - case.at})
    return passed("ok", {"bind": BIND_KEY})


def _signed(case: Case, shown: Presentation) -> Result:
    key = shown.key
    if key is None:
        return failed("holder-proof-missing")
    chosen = suite(key.suite).hash
    asked: bytes | str = shown.gate
    if shown.mode == CHALLENGE:
        question = case.policy.challenge
        if question is None or question.handle(chosen) != shown.handle:
            return skipped("needs-challenge")
        asked = chosen(question.to_bytes())
    payload = presentation.signed_payload(shown.mode, shown.carried, shown.time, shown.ttl, asked, chosen)
    try:
        signing.verify(key, "present", presentation.CONTEXT, payload, shown.signature)
    except (SignatureError, KeyMaterialError):
        return failed("bad-holder-signature")
    return passed("ok", {"bind": BIND_KEY})


def _chain(shown: Presentation) -> Result:
    tip, salt = shown.credential.bind[:16], shown.credential.bind[16:]
    value = presentation.chain_value(shown.proof, salt, shown.slot, 0, shown.credential.hash)
    return passed("ok", {"bind": BIND_CHAIN}) if value == tip else failed("chain-mismatch")


def _answered(case: Case, shown: Presentation, asked: Challenge) -> Result:
    chosen = suite(shown.key.suite).hash if shown.key is not None else None
    if chosen is None or shown.handle != asked.handle(chosen):
        return failed("challenge-mismatch")
    if case.at >= asked.expires:
        return failed("challenge-expired", {"expired": rfc3339(asked.expires)})
    established = case.established
    if established is not None and established.schema is not None and established.schema.digest != asked.schema:
        return failed("challenge-schema")
    if asked.mask & ~shown.credential.mask:
        return failed("claims-missing")
    return passed()
