"""R25: the check by typing knows nothing without the code, and believes no anchor but the issuer's own."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from credentials.typed import find_typed, read_code, typed_fingerprint, typed_kind
from tests.credentials.world import CLAIMS, DAY, NOW, World, pass_schema
from verifier_app.offers import Typed
from verifier_app.typed_check import check_typed
from weid.facts import Absent, Fact, Federated, Found, RecordFacts, Source
from weid.hashes import SHA256
from weid.records import EvidenceRecord, Period, StatusEntry

NAMES = ("name", "born")
CODE = "0123-4567-89AB-CDEF"


def anchored(world: World, *, author: str = "", kind: str = "", published: int = NOW - 10 * DAY) -> EvidenceRecord:
    """The fingerprint of the world's certificate in slot 7."""
    mark = typed_fingerprint(
        world.schema, CLAIMS, NAMES, read_code(CODE), origin=world.origin, issuer=world.issuer.did, hash=SHA256
    )
    return EvidenceRecord(mark, author or world.issuer.did, kind or typed_kind(world.list_id, 7), published, None)


def asked(world: World, facts: Any = None, *, at: int = NOW, **wrong: Any) -> str:
    """The answer for what is printed."""
    kind = Typed("pack/pass", NAMES, {}, world.schema.digest)
    found = check_typed(
        world.facts() if facts is None else facts, world.schema, kind, {**CLAIMS, **wrong}, read_code(CODE), at=at,
        oldest=10_080, revoked=frozenset(),
    )  # fmt: skip
    return found.answer


def test_r25_the_honest_case() -> None:
    world = World()
    world.extra.append(anchored(world))
    assert asked(world) == "match"


class Foreign:
    """What a dishonest recognised registry serves: any record it likes."""

    def __init__(self, world: World, *records: Any) -> None:
        self.source = Source("registry.evil.example", b"e" * 32, "Evil registry", 9, NOW)
        self._facts = RecordFacts(records, source=self.source, complete=world.complete)

    def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
        return self._facts.fact(kind, key, at) if kind == "evidence" else Absent(NOW, self.source)

    def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
        return ()


def test_r25_a_foreign_registry_cannot_anchor_for_a_home_issuer() -> None:
    """Evidence is keyed by digest, not by DID: a recognised registry could write our issuer beside a fingerprint of
    its own making, and a certificate nobody issued matched."""
    world = World()
    facts = Federated(world.facts(), Foreign(world, anchored(world)))
    assert isinstance(facts.fact("evidence", anchored(world).fingerprint.hex()), Found)
    assert asked(world, facts) == "no-match"


def test_r25_nobody_anchors_for_another_institution() -> None:
    """Another author, or a kind that points into another issuer's list, is no anchor."""
    for change in ({"author": "did:weid:100:0x" + "1" * 40}, {"kind": typed_kind("did:weid:100:0x" + "1" * 40 + "/status/1", 7)}):
        world = World()
        world.extra.append(anchored(world, **change))
        assert asked(world) == "no-match"
    world = World()
    world.extra.append(replace(anchored(world), withdrawn=NOW - 1))
    assert asked(world) == "no-match"


def test_r25_an_expired_certificate_does_not_match() -> None:
    """Past the longest life of its kind the answer is expired, whoever forgot to revoke it."""
    world = World(schema_bytes=pass_schema(lifetime=30 * DAY))
    world.extra.append(anchored(world, published=NOW - 30 * DAY))
    assert asked(world) == "expired"
    assert asked(world, at=NOW - 1) == "match"


def test_r25_a_list_that_was_not_renewed_gives_no_green() -> None:
    """The issuer promised an update and gave none: stale, as in the pipeline."""
    world = World()
    world.status_age, world.log_time = 8 * DAY, NOW
    world.extra.append(anchored(world))
    assert asked(world) == "stale"


def test_r25_a_list_of_another_schema_does_not_answer() -> None:
    world = World()
    world.extra.append(anchored(world, kind=typed_kind(f"{world.issuer.did}/status/2", 7)))
    assert asked(world) == "unknown"


@pytest.mark.parametrize(("published", "answer"), [(-11, "match"), (-10, "unknown"), (-1, "unknown")])
def test_r8_an_anchor_made_while_the_log_key_was_stolen(published: int, answer: str) -> None:
    """From T until the theft was noted on the log, nobody can tell the thief's fingerprints from the issuer's."""
    world = World()
    world.issuer.end_key(1, "compromised", NOW - 10)
    world.extra.append(anchored(world, published=NOW + published))
    assert asked(world) == answer


def test_r25_revoked_suspended_and_without_a_right() -> None:
    for state in ("revoked", "suspended"):
        world = World()
        world.extra.append(anchored(world))
        world.entries[7] = StatusEntry(7, state, "fraud", NOW - 5)
        assert asked(world) == state
    world = World()
    world.extra.append(anchored(world))
    world.periods = [Period(NOW - 5 * DAY, NOW + DAY, None, None)]
    assert asked(world) == "issuer-not-authorised"


def test_r25_right_fields_with_a_wrong_code_are_like_wrong_fields() -> None:
    """One lookup decides both: no answer, no work and no look-up differs, so nothing can be probed field by field."""
    world = World()
    world.extra.append(anchored(world))
    facts, lookups = world.facts(), []

    class Counting:
        def fact(self, kind: str, key: str, at: int | None = None) -> Fact:
            lookups.append(kind)
            return facts.fact(kind, key, at)

        def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
            lookups.append(kind)
            return facts.find(kind, prefix)

    traces = []
    for claims, code in ((CLAIMS, "0123-4567-89AB-CDEG"), ({**CLAIMS, "name": "x"}, CODE), ({**CLAIMS, "name": "x"}, "Z" * 16)):
        lookups.clear()
        assert find_typed(Counting(), world.schema, claims, NAMES, read_code(code)) is None
        traces.append(tuple(lookups))
    assert len(set(traces)) == 1
