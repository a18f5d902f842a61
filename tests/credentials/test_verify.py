"""The pipeline never raises, never says yes to a changed code, and never shows what is not authentic (R27)."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials import carrier, verdicts, wording
from credentials.binding import Binding
from credentials.case import Case
from credentials.compact import disclose
from credentials.policy import Policy
from credentials.presentation import Challenge, answer, chain_tip, slot_code
from credentials.report import Outcome, Report
from credentials.verify import CHECK_IDS, verify
from tests.credentials import old, test_did_web
from tests.credentials.test_enveloped import enveloped
from tests.credentials.world import NOW, World, at, holder, pass_schema
from weid.errors import MalformedError, TrustError, VerificationFailed
from weid.facts import NoFacts
from weid.hashes import SHA256
from weid.pack import LANGUAGES

KEYED = World(schema_bytes=pass_schema(bind="key"))
PAPER = World()
SLOTTED = World(schema_bytes=pass_schema(bind="chain", status=False, lifetime=1440))
ASKED = Challenge("did:web:c.example", "Desk", "entry", KEYED.schema.digest, 3, b"n" * 16, NOW + 5)


def shown(form: str) -> tuple[bytes, World, Policy]:
    if form == "full":
        return PAPER.issue().compact, PAPER, Policy()
    if form == "disclosed":
        return disclose(PAPER.issue().compact, 3, mandatory=3), PAPER, Policy()
    if form == "challenge":
        data = KEYED.issue(bind=Binding.to_key(holder().public_key)).compact
        return (
            answer(disclose(data, 3, mandatory=3), ASKED.to_bytes(), holder(), time=NOW),
            KEYED,
            Policy(challenge=ASKED),
        )
    tip = chain_tip(b"s" * 16, b"t" * 8, 720, SHA256)
    data = SLOTTED.issue(bind=Binding.to_chain(tip, 720, SHA256), index=None, issued=NOW - 100, until=NOW + 620).compact
    return slot_code(data, b"s" * 16, at=NOW), SLOTTED, Policy()


FORMS = ("full", "disclosed", "challenge", "chain")


def mutants(data: bytes) -> list[bytes]:
    """Every bit flipped, every byte removed, a byte put in everywhere and at the end."""
    found = [data[:i] + bytes([data[i] ^ 1 << bit]) + data[i + 1 :] for i in range(len(data)) for bit in range(8)]
    found += [data[:i] + data[i + 1 :] for i in range(len(data))]
    found += [data[:i] + bytes([value]) + data[i:] for i in range(len(data) + 1) for value in (0, 1, 0x40, 0x80, 0xF6)]
    return found


def check_mutant(data: bytes, facts: Any, policy: Policy) -> None:
    report = verify(data, facts=facts, policy=policy, at=at())
    assert report.exit_code != 0, data.hex()
    assert report.verdict not in ("valid", "valid-bearer")
    assert all(check.code != "internal-error" for check in report), data.hex()


@pytest.mark.parametrize("form", FORMS)
def test_no_mutant_is_valid(form: str) -> None:
    """A sample of all one-step changes of the carried bytes and of the carrier text."""
    data, world, policy = shown(form)
    facts = world.facts()
    assert verify(data, facts=facts, policy=policy, at=at()).exit_code == 0
    chosen = random.Random(form)
    for mutant in chosen.sample(mutants(data), 400):
        check_mutant(mutant, facts, policy)
    text = carrier.to_digits(data).encode()
    for mutant in chosen.sample(mutants(text), 100):
        if mutant != text:
            check_mutant(mutant, facts, policy)


@pytest.mark.long
@pytest.mark.parametrize("form", FORMS)
def test_no_mutant_is_valid_at_all(form: str) -> None:
    """Every one-step change: over 20,000 together, none valid (R27)."""
    data, world, policy = shown(form)
    facts = world.facts()
    every = mutants(data) + mutants(carrier.to_digits(data).encode())
    assert len(every) > 5_000
    for mutant in every:
        check_mutant(mutant, facts, policy)


@settings(max_examples=300)
@given(st.binary(max_size=300) | st.text(max_size=200).map(str.encode))
def test_garbage_never_raises(data: bytes) -> None:
    """Any bytes give a report, and it is never a yes."""
    check_mutant(data, PAPER.facts(), Policy())


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["@context", "type", "proof", "issuer", "weid", "credentialSubject", "id", "validFrom"]), inner,
        max_size=5),
    max_leaves=10,
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(
    ["@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject", "credentialSchema", "weid",
     "proof", "credentialStatus"]), JSONISH, max_size=4))  # fmt: skip
def test_files_with_anything_inside(change: dict[str, Any]) -> None:
    """Members of a good file replaced by any JSON: no crash, no yes."""
    import json

    document = json.loads(PAPER.issue().file)
    if any(document.get(name) != value for name, value in change.items()):
        check_mutant(json.dumps({**document, **change}).encode(), PAPER.facts(), Policy())


class Broken:
    """Facts that break down at every question."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def fact(self, kind: str, key: str, at: int | None = None) -> Any:
        raise self.error

    def find(self, kind: str, prefix: str) -> Any:
        raise self.error


def test_broken_facts_fail_closed(caplog: pytest.LogCaptureFixture) -> None:
    """A broken source of facts is neither a crash nor a yes, and no sign against the credential: UNKNOWN, as missing data are."""
    made = PAPER.issue()
    legacy = json.dumps(old.worded(old.original(old.OldIssuer()))).encode()
    foreign = (enveloped("vc+jwt"), json.dumps(test_did_web.credential()).encode(), legacy)
    for data in (made.compact, made.file, *foreign):
        failing = failed_checks(verify(data, facts=NoFacts(), at=at()))
        for error in (RuntimeError("the disk is gone"), KeyError("x"), TrustError("another clock"), MalformedError("a record")):
            report = verify(data, facts=Broken(error), at=at())
            found = report.check("facts.conflict")
            assert (found.outcome, found.code, report.authentic) == (Outcome.UNKNOWN, "facts-unusable", None)
            assert failed_checks(report) == failing
            assert report.exit_code == (1 if failing else 3)
            assert data not in (made.compact, made.file) or not failing


def failed_checks(report: Report) -> set[str]:
    return {check.id for check in report if check.outcome is Outcome.FAILED}


def test_a_defect_fails_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks down in a check itself, on good facts, is a no: nobody knows what it was about to find."""

    def broken(*_: Any) -> Any:
        raise RuntimeError("a defect")

    monkeypatch.setattr(Case, "find_schemas", broken)
    report = verify(PAPER.issue().compact, facts=PAPER.facts(), at=at())
    assert (report.check("schema").code, report.exit_code, report.authentic) == ("internal-error", 1, None)


def test_nothing_pinned() -> None:
    """Without a root every answer is UNKNOWN and exit 3 (R21)."""
    report = verify(PAPER.issue().compact, facts=NoFacts(), at=at())
    assert (report.exit_code, report.verdict, report.outcome) == (3, "undecided", Outcome.UNKNOWN)
    assert report.check("facts.freshness").code == "no-trust-root"


def test_require() -> None:
    """`require` gives the credential only when everything passed."""
    facts = PAPER.facts()
    assert verify(PAPER.issue().compact, facts=facts, at=at()).require().claims["name"] == "张伟"
    late = verify(PAPER.issue().compact, facts=facts, at=at(NOW + 600 * 1440))
    with pytest.raises(VerificationFailed) as caught:
        late.require()
    assert caught.value.report is late
    assert late.authentic is not None


def test_report_shows_only_what_is_authentic() -> None:
    """The JSON of a tampered credential holds no claims."""
    data = PAPER.issue().compact
    bad = verify(data[:-1] + bytes([data[-1] ^ 1]), facts=PAPER.facts(), at=at()).to_json()
    assert (bad["authentic"], bad["credential"]) == (False, None)
    good = verify(disclose(data, 3, mandatory=3), facts=PAPER.facts(), at=at()).to_json()
    credential: Any = good["credential"]
    assert credential["hidden"] == ["born"]
    assert credential["texts"]["status"]["pt"] == "green"
    assert [check["id"] for check in good["checks"]] == list(CHECK_IDS)  # type: ignore[union-attr, index, call-overload]


def test_host_is_ignored_and_named() -> None:
    """The host of a code proves nothing; the report names it for the page that opened it (R16)."""
    data = carrier.to_text(PAPER.issue().compact, "evil.example").encode()
    report = verify(data, facts=PAPER.facts(), at=at())
    assert report.exit_code == 0
    assert report.presented is not None
    assert report.presented.host == "evil.example"


def test_every_verdict_and_code_has_words() -> None:
    """Verdicts, their order and their words are one list; every mapped code has a sentence in four languages."""
    assert set(verdicts.VERDICTS) == set(wording.verdict_names())
    for language in LANGUAGES:
        assert set(verdicts.VERDICT_OF) <= wording.check_codes(language)
        assert wording.check_codes(language) == wording.check_codes("en")
        for name in verdicts.VERDICTS:
            words = wording.verdict(name, language)
            assert all((words.word, words.sentence, words.do, words.shape, words.colour))


def test_green_is_only_for_valid() -> None:
    """No other verdict is green, and no two share word and shape."""
    looks = [wording.verdict(name) for name in verdicts.VERDICTS]
    assert {look.name for look in looks if "green" in look.colour} == {"valid", "valid-bearer"}
    assert len({(look.word, look.shape) for look in looks}) == len(looks)


def test_missing_data_is_never_tampering() -> None:
    """Drop any kind of record, complete or not: the verdict is never `tampered` and never valid without it."""
    from weid.records import KINDS

    for kind in ("did", "schema", "accreditation", "status"):
        for complete in (True, False):
            world = World()
            world.dropped, world.complete[kind] = {KINDS[kind]}, complete
            for data in (world.issue().compact, world.issue().file):
                report = verify(data, facts=world.facts(), at=at())
                assert report.verdict not in ("tampered", "valid", "valid-bearer"), (kind, complete)
                assert report.exit_code == (1 if complete else 3), (kind, complete)


def test_two_candidates_by_hint() -> None:
    """Hints are tried, not trusted: a second schema under the same hint changes nothing (R10)."""
    from weid.facts import Found

    class Crowded:
        def __init__(self, world: World) -> None:
            self.inner, self.other = world.facts(), World(schema_bytes=pass_schema(version=2)).facts()

        def fact(self, kind: str, key: str, at: int | None = None) -> Any:
            return self.inner.fact(kind, key, at)

        def find(self, kind: str, prefix: str) -> tuple[Found, ...]:
            both = self.inner.find(kind, prefix)
            return (*self.other.find(kind, ""), *both) if kind == "schema" else both

    report = verify(PAPER.issue().compact, facts=Crowded(PAPER), at=at())
    assert (report.verdict, report.exit_code) == ("valid-bearer", 0)
