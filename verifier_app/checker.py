"""The verifier behind the pages: trust folder, packs, memory and clock around the one pipeline. No network anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from credentials.policy import Policy
from credentials.presentation import Challenge, read_challenge
from credentials.references import Reference
from credentials.report import Outcome, Report
from credentials.requests import policy_for
from credentials.status import union_of_seen
from credentials.typed import read_code
from credentials.verify import verify
from registry.bundle import bundle_genesis
from registry.node.folder import TrustFolder, whole_bundle
from registry.trust import TrustStore
from verifier_app.keyring import own_signer
from verifier_app.languages import in_words
from verifier_app.memory import Memory, Question
from verifier_app.offers import Offer, Typed, offers_of, typed_of
from verifier_app.papers.readers import Readers
from verifier_app.references import ReferenceFolder
from verifier_app.settings import Settings
from verifier_app.typed_check import TypedAnswer, check_typed
from verifier_app.waiting.shelf import Shelf, Waiting
from weid.canon import JSON, jcs
from weid.codec import minutes
from weid.errors import MalformedError, TrustError
from weid.facts import Facts, Found
from weid.handed_in import KIND
from weid.hashes import SHA256

__all__ = ["AGES", "BundleLine", "Checker", "Import", "registry_name"]

AGES = (1440, 10080)  # minutes: warn, reject, where no request says otherwise


@dataclass(frozen=True, slots=True)
class BundleLine:
    """One bundle we hold. `names`: the home registry's for it; `standing`: home, foreign, unrecognised."""

    origin: str
    genesis: bytes
    names: Mapping[str, str]
    size: int
    log_time: int
    standing: str


@dataclass(frozen=True, slots=True)
class Import:
    """A bundle that was taken; `same` if it was here already."""

    origin: str
    names: Mapping[str, str]
    log_time: int
    same: bool


class Checker:
    """One verifier: everything a page may ask, each answer from this machine alone."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.trust = TrustFolder(settings.folder)
        self.references = ReferenceFolder(settings.folder / "references", settings.lists, settings.schemas)
        self.references.load()  # a file that cannot be used is told at the start, not in front of a holder
        self.memory = Memory(settings.memory)
        self.offers = offers_of(settings.packs)
        self.kinds = typed_of(settings.packs)
        if settings.request not in (None, "", *self.offers):
            raise MalformedError(f"REQUEST {settings.request!r} is in no pack", code="bad-config")
        self.readers = Readers()
        store = self.store()
        profile = "intl" if store is None else store.root.profile
        self.signer = own_signer(settings, profile)
        self.shelf = self._shelf("gm" if profile == "gm" else "intl")

    def _shelf(self, profile: str) -> Shelf | None:
        held = self.settings
        if not held.keep_undecided or held.passphrase is None or held.kiosk:  # nobody at a kiosk was told
            return None
        path = held.folder / "verifier-waiting.db"
        return Shelf(path, held.passphrase, random=held.random, profile=profile, cost=held.seal_cost)

    @property
    def ages(self) -> tuple[int, int]:
        """(warn, reject) in minutes: the strictest request decides."""
        asked = [(o.request.trust_warn, o.request.trust_reject) for o in self.offers.values()]
        return min(asked, default=AGES)

    def now(self) -> int:
        """The clock in minutes."""
        return minutes(self.settings.clock())

    def store(self) -> TrustStore | None:
        """The trust store, None where nothing is pinned."""
        return self.trust.load()

    def facts(self) -> Facts:
        """What we know now; TrustError `future-bundle` when this clock is behind it."""
        return self.trust.facts(at=self.now())

    def document(self, did: str) -> bytes | None:
        """The DID document that was handed in for a did:web."""
        answer = self.facts().fact(KIND, did)
        return jcs(dict(answer.record.document)) if isinstance(answer, Found) else None

    def judge(self, item: bytes, offer: Offer | None, question: Question | None = None, *, opened: bool = False) -> Report:
        """One report. An `opened` code was not scanned by us: it uses up nothing (R16)."""
        at = self.settings.clock()
        more: dict[str, Any] = {"seen_revocations": self.memory.revoked()}
        if not opened:
            self.memory.forget(minutes(at))
            more["seen"] = self.memory
        more["gate"] = self.settings.gate or None
        asked = None if question is None else read_challenge(question.asked)
        if offer is None:
            policy = Policy(challenge=asked, **more)
        else:
            policy = policy_for(offer.pack, offer.request.name, challenge=asked, **more)
        return verify(item, facts=self.facts(), policy=self._with_what_is_here(policy), at=at)

    def keep_undecided(self, item: bytes, report: Report, request: str) -> None:
        """Keeps what newer trust data may decide, where the operator asked for it; a live code says nothing tomorrow."""
        said = report.presented
        if self.shelf is None or report.exit_code != 3 or said is None or said.mode is not None:
            return
        at = self.now()
        until = at + 60 * self.settings.keep_undecided
        self.shelf.keep(item, request=request, verdict=report.verdict, at=at, until=until)

    def check_waiting(self) -> tuple[tuple[Waiting, Report], ...]:
        """Everything that waits, judged again by what is known now; each new verdict is remembered."""
        if self.shelf is None:
            return ()
        at, judged = self.now(), []
        for waiting in self.shelf.all(at):
            report = self.judge(waiting.item, self.offers.get(waiting.request), opened=True)
            self.shelf.judged(waiting.id, report.verdict, at)
            judged.append((replace(waiting, now=report.verdict, checked=at), report))
        return tuple(judged)

    def policy(self) -> Policy:
        """The demands of a request by a program: its own alone, with the lists, schemas and trusted issuers that are here."""
        return self._with_what_is_here(Policy())

    def _with_what_is_here(self, policy: Policy) -> Policy:
        return self.references.at_hand().applied(replace(policy, trusted_issuers=self.settings.issuers))

    def keep_reference(self, data: bytes, name: str) -> Reference:
        """Take a status list or schema of others, or refuse it with nothing changed; MalformedError `bad-reference`."""
        kept = self.references.keep(data, name=name, facts=self.facts(), at=self.now())
        self.check_waiting()
        return kept

    def answered(self, report: Report, question: Question) -> bool:
        """Uses the question up if this report answers it; False when another answer came first."""
        proven = {check.id for check in report if check.outcome is Outcome.PASSED}
        mine = {"challenge", "holder.binding"} <= proven
        return not mine or self.memory.use_up(question.handle, self.now())

    def ask(self, offer: Offer, language: str) -> Question | None:
        """A new question for a request; None when the trust data lack its kind of certificate."""
        schema = offer.schema(self.facts())
        if schema is None:
            return None
        mask = schema.mask(frozenset(offer.request.ask)) | schema.mandatory
        expires = self.now() + self.settings.minutes
        purpose = offer.request.purpose
        challenge = Challenge(
            self.settings.verifier, self.settings.name, purpose, schema.digest, mask, self.settings.random(16), expires
        )
        question = Question(challenge.handle(SHA256).hex(), challenge.to_bytes(), offer.id, expires, None)
        self.memory.ask(question)
        return question

    def check_typed(self, kind: Typed, claims: Mapping[str, JSON], code: str) -> TypedAnswer | None:
        """The check by typing; None without the schema. MalformedError `bad-code`, SchemaError for a wrong field."""
        facts = self.facts()
        schema = kind.schema(facts)
        if schema is None:
            return None
        oldest = min((o.request.trust_reject for o in self.offers.values() if kind.digest in o.digests), default=AGES[1])
        secret = read_code(code)
        return check_typed(facts, schema, kind, claims, secret, at=self.now(), oldest=oldest, revoked=self.memory.revoked())

    def import_bundle(self, data: bytes) -> Import:
        """Take a bundle or an update of one, packed or not, all or nothing; what was revoked in it stays revoked here (R9).

        MalformedError, RollbackError, ConflictError, TrustError by name; a registry that only calls itself ours is
        TrustError `foreign-genesis`.
        """
        at, held = self.now(), self.trust.load()
        if held is None:
            raise TrustError("no registry is pinned", code="no-trust-root")
        data = whole_bundle(held, data)
        genesis = bundle_genesis(data)
        if genesis.origin == held.root.origin and genesis.digest != held.root.digest:
            raise TrustError("another registry under our registry's name", code="foreign-genesis")
        before = held.mark(genesis.digest)
        store = self.trust.accept(data, at=at)
        mark = store.mark(genesis.digest)
        slots: frozenset[str] = frozenset()
        for found in store.facts(at=at).find("status", ""):
            slots = union_of_seen(slots, found.record)
        self.memory.remember_revoked(slots)
        self.check_waiting()
        time = mark.log_time if mark is not None else at
        return Import(genesis.origin, self._names(store, genesis.digest, at), time, before == mark)

    def bundles(self) -> tuple[BundleLine, ...]:
        """What we hold, home first."""
        store = self.store()
        if store is None:
            return ()
        home, at = store.root.digest, self.now()
        lines = []
        for mark in sorted(store.marks, key=lambda mark: mark.genesis != home):
            names = self._names(store, mark.genesis, at)
            standing = "home" if mark.genesis == home else "foreign" if names else "unrecognised"
            lines.append(BundleLine(mark.origin, mark.genesis, names, mark.size, mark.log_time, standing))
        return tuple(lines)

    def registries(self, language: str) -> Mapping[str, str]:
        """The label under which facts name a registry → its name in the viewer's language, with its origin."""
        return {line.names.get("en", line.origin): registry_name(line, language) for line in self.bundles()}

    def _names(self, store: TrustStore, genesis: bytes, at: int) -> Mapping[str, str]:
        """A foreign registry's names, from the home registry's recognition alone (R23)."""
        try:
            found = store.facts(at=at).fact("recognition", genesis.hex())
        except TrustError:
            return {}
        if not isinstance(found, Found) or found.record.mode == "distrust":
            return {}
        return dict(found.record.names) or {"en": found.record.origin}


def registry_name(line: BundleLine, language: str) -> str:
    """A registry as a page names it: the home registry's word for it, with its origin."""
    name = in_words(line.names, language)
    return f"{name} ({line.origin})" if name and name != line.origin else line.origin
