"""The one thing under verification: what was scanned, what the trust data offer for it, what was established.

Checks share a `Case` so that nothing is parsed or looked up twice; only the pipeline makes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from credentials import carrier, presentation, vcdm
from credentials.compact import Compact, from_item
from credentials.foreign.reading import is_other, read_other
from credentials.foreign.value import OtherCredential
from credentials.policy import Policy
from credentials.presentation import Presentation
from credentials.report import Outcome
from credentials.schema import Schema, read_schema
from credentials.vcdm_enveloped import COSE_TAG, read_enveloped
from credentials.vcdm_file import FileCredential
from credentials.weidentity import WeIdentityCredential, looks_like, read_weidentity
from credentials.weidentity_proof import Proven
from weid.canon import JSON
from weid.cbor import decode
from weid.did import parse_key_id
from weid.document import key_of_method
from weid.errors import MalformedError, SchemaError, WeidError
from weid.facts import Absent, Facts, Found, Source, Unknown
from weid.handed_in import suite_in
from weid.keys import PublicKey
from weid.records import KeyRecord, RecognitionRecord, RootRecord
from weid.suites import suite_by_code

__all__ = ["MAX_CANDIDATES", "Case", "Ends", "Established", "failed", "passed", "same_registry", "skipped",
           "unknown"]  # fmt: skip

MAX_CANDIDATES: Final = 4  # R10: hints are tried, never trusted
MAX_DATA: Final = 1 << 20
Result = tuple[Outcome, str, Mapping[str, JSON]]
_NOTHING: Final[Mapping[str, JSON]] = {}
# Reading a member off an enumeration calls Python code (until 3.12): not in what every check of every credential does.
_PASSED, _FAILED, _UNKNOWN, _SKIPPED = Outcome.PASSED, Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED


def passed(code: str = "ok", evidence: Mapping[str, JSON] = _NOTHING) -> Result:
    """The check holds."""
    return _PASSED, code, evidence


def failed(code: str, evidence: Mapping[str, JSON] = _NOTHING) -> Result:
    """The check does not hold."""
    return _FAILED, code, evidence


def unknown(code: str, evidence: Mapping[str, JSON] = _NOTHING) -> Result:
    """What would decide the check is missing here."""
    return _UNKNOWN, code, evidence


def skipped(code: str) -> Result:
    """The check does not apply, was not asked for, or an earlier one decides (`needs-<id>`)."""
    return _SKIPPED, code, _NOTHING


@dataclass(frozen=True, slots=True)
class Established:
    """What the proof established: who signed, with which key, under which schema, and the credential's own id."""

    issuer: str
    found: Found | None  # None for a self-certifying did:key
    key_record: KeyRecord | None
    key: PublicKey | None  # None for a BBS key, which none of our own forms has
    schema: Schema | None
    cid: bytes | None
    list_id: str | None


class Case:
    """Mutable only while the pipeline runs; every attribute is set by the check named beside it."""

    __slots__ = (
        "ages", "anchor", "at", "claims", "compact", "data", "established", "facts", "file", "host", "issuer_record", "issuers",
        "legacy", "legacy_proof", "other", "policy", "presentation", "recognition", "root", "schemas", "second", "unusable",
    )  # fmt: skip

    def __init__(self, data: bytes, facts: Facts, policy: Policy, at: int, second: int = 0) -> None:
        self.data, self.facts, self.policy, self.at = data, facts, policy, at
        self.second = second  # of the minute `at`
        self.compact: Compact | None = None  # format; for a file of ours, disclosure.digests
        self.file: FileCredential | None = None  # format
        self.legacy: WeIdentityCredential | None = None  # format
        self.legacy_proof: Proven | None = None  # proof.signature
        self.presentation: Presentation | None = None  # format
        self.other: OtherCredential | None = None  # format
        self.anchor: Found | None = None  # proof.signature: what vouches for another system's key
        self.host = ""  # format
        self.issuers: tuple[Found, ...] | None = None  # find_issuers
        self.schemas: tuple[tuple[Found, Schema], ...] | None = None  # find_schemas
        self.unusable = False  # find_schemas
        self.root: RootRecord | None = None  # facts.freshness
        self.recognition: RecognitionRecord | None = None  # issuer.accreditation
        self.established: Established | None = None  # proof.signature
        self.issuer_record: Found | None = None  # proof.signature
        self.claims: Mapping[str, JSON] | None = None  # schema
        self.ages: dict[str, tuple[str, int]] = {}

    def parse(self) -> None:
        """Read the data into exactly one form; MalformedError otherwise."""
        data = self.data
        if not data or len(data) > MAX_DATA:
            raise MalformedError("nothing, or more than any credential", code="not-a-credential")
        if 0x80 <= data[0] < 0xA0:
            self._parse_array(data)
        elif is_other(data):
            self.other = read_other(data)
        elif data[:1].isdigit() or data[:1] == b"h":
            carried = carrier.from_text(_ascii(data))
            self.host = carried.host
            self._parse_array(carried.data)
        elif data.lstrip(b" \t\r\n")[:1] == b"{":
            self.legacy = read_weidentity(data) if looks_like(data) else None
            self.file = vcdm.read_file(data) if self.legacy is None else None
        elif data[0] == COSE_TAG or data.lstrip(b" \t\r\n").startswith(b"eyJ"):
            self.file = read_enveloped(data)
        else:
            raise MalformedError("not a credential", code="not-a-credential")

    def _parse_array(self, data: bytes) -> None:
        value = decode(data, max_bytes=8192, max_depth=3)
        tag = value[0] if isinstance(value, tuple) and value else None
        if type(tag) is not int:
            raise MalformedError("not a credential", code="not-a-credential")
        if tag == presentation.TAG:
            self.presentation = presentation.read_presentation(value)
            self.compact = self.presentation.credential
        else:
            self.compact = from_item(value)

    @property
    def suite(self) -> str:
        """The signature suite the credential names."""
        if self.compact is not None:
            return suite_by_code(self.compact.suite).name
        if self.other is not None:
            return self.other.suite
        if self.legacy is not None:
            return self.legacy.suite
        return "" if self.file is None else self._file_suite(self.file)

    def _file_suite(self, file: FileCredential) -> str:
        """The suite of the key that a file's proof names, where the cryptosuite leaves a choice."""
        if not file.suites:
            return "bbs"
        if len(file.suites) == 1:
            return file.suites[0]
        if file.self_certified:
            try:
                return key_of_method(file.method).suite
            except WeidError:
                return ""  # `issuer.document` says what is wrong with it
        handed_in = self.facts.fact("document", file.method.partition("#")[0])
        if isinstance(handed_in, Found):
            return suite_in(handed_in.record.method(file.method))
        found = self.find_issuers()
        record = found[0].record.key_number(self.key_number) if found else None
        return "" if record is None else str(record.suite)

    @property
    def key_number(self) -> int:
        """The number of the issuer's key, -1 where the credential names none under its issuer's DID."""
        if self.file is None:
            return -1 if self.compact is None else self.compact.key_number
        try:
            did, number = parse_key_id(self.file.method)
        except MalformedError:
            return -1
        return number if str(did) == self.file.issuer else -1

    @property
    def issued(self) -> int | None:
        """When the issuer says it issued (R8: may restrict, never grant)."""
        if self.compact is not None:
            return self.compact.issued
        if self.legacy is not None:
            proof = self.legacy_proof  # a date that nobody signed says nothing about a key's end or a right (R8)
            return None if proof is not None and "issuanceDate" in proof.unsigned else self.legacy.issued
        if self.file is None:
            return None
        return self.file.own.issued if self.file.own is not None else self.file.valid_from

    @property
    def period(self) -> tuple[int | None, int | None]:
        """(valid from, valid until)."""
        if self.compact is not None:
            return self.compact.valid_from, self.compact.valid_until
        if self.legacy is not None:
            return self.legacy.valid_from, self.legacy.valid_until
        return (None, None) if self.file is None else (self.file.valid_from, self.file.valid_until)

    @property
    def lead(self) -> int:
        """The seconds by which a foreign file's start lies before the minute that `period` says."""
        return 0 if self.file is None or self.file.own is not None else self.file.lead

    @property
    def bind_kind(self) -> int:
        """The binding (R13); a foreign file has none."""
        if self.compact is not None:
            return self.compact.bind_kind
        return self.file.own.bind_kind if self.file is not None and self.file.own is not None else 0

    @property
    def foreign(self) -> bool:
        """A W3C credential that is not one of our own forms."""
        return self.file is not None and self.file.own is None

    def establish(self, established: Established) -> None:
        """Keep what the proof established, and what the registry calls the issuer."""
        self.established = established
        if established.found is not None:
            answer = self.facts.fact("issuer", established.issuer)
            self.issuer_record = answer if isinstance(answer, Found) else None

    def find_issuers(self) -> tuple[Found, ...]:
        """The DID records the credential may mean, at most a handful."""
        if self.issuers is None:
            self.issuers = self._issuers()
        return self.issuers

    def _issuers(self) -> tuple[Found, ...]:
        if self.file is None and self.compact is not None:
            return self.facts.find("address", self.compact.issuer_hint.hex())
        named = self.legacy or self.file
        answer = self.facts.fact("did", named.issuer) if named is not None else None
        return (answer,) if isinstance(answer, Found) else ()

    def missing_issuer(self) -> Result:
        """Why there is no issuer: absent from complete data, or just not in ours (R22)."""
        if self.file is not None:
            answer, evidence = self.facts.fact("did", self.file.issuer), {"issuer": self.file.issuer}
        else:
            hint = "" if self.compact is None else self.compact.issuer_hint.hex()
            answer, evidence = self.facts.fact("address", hint), {"hint": hint}
        if isinstance(answer, Absent):
            return failed("issuer-unknown", evidence)
        root = isinstance(answer, Unknown) and answer.reason == "no-trust-root"
        return unknown("no-trust-root" if root else "issuer-not-in-trust-data", evidence)

    def find_schemas(self) -> tuple[tuple[Found, Schema], ...]:
        """The usable schemas the credential may mean."""
        if self.schemas is None:
            self.schemas = self._schemas()
        return self.schemas

    def _schemas(self) -> tuple[tuple[Found, Schema], ...]:
        usable: dict[bytes, tuple[Found, Schema]] = {}  # two registries may publish one schema: the same digest
        for found in self._schema_records():
            try:
                schema = read_schema(found.record.document, found.record.digest)
            except SchemaError:
                self.unusable = True
            else:
                usable.setdefault(schema.digest, (found, schema))
        return tuple(usable.values())

    def _schema_records(self) -> tuple[Found, ...]:
        if self.file is not None:
            digest = b"" if self.file.own is None else self.file.own.schema
            answer = self.facts.fact("schema", digest.hex()) if digest else None
            return (answer,) if isinstance(answer, Found) else ()
        return () if self.compact is None else self.facts.find("schema", self.compact.schema_hint.hex())

    def missing_schema(self) -> Result:
        """Why there is no schema, named by its digest or hint."""
        own = None if self.file is None else self.file.own
        hint = own.schema if own is not None else b"" if self.compact is None else self.compact.schema_hint
        evidence: Mapping[str, JSON] = {"schema": hint.hex()}
        if self.unusable:
            return unknown("schema-unusable", evidence)
        answer = self.facts.fact("schema", hint.hex())
        if isinstance(answer, Absent):
            return failed("schema-unknown", evidence)
        root = isinstance(answer, Unknown) and answer.reason == "no-trust-root"
        return unknown("no-trust-root" if root else "schema-not-in-trust-data", evidence)


@dataclass(frozen=True, slots=True)
class Ends:
    """When something the signature rests on ended, and what it was."""

    at: int
    what: str


def same_registry(one: Source, other: Source) -> bool:
    """Whether two answers come from one registry, however far each had come."""
    return (one.origin, one.genesis) == (other.origin, other.genesis)


def _ascii(data: bytes) -> str:
    try:
        return data.decode("ascii")
    except UnicodeDecodeError:
        raise MalformedError("not the text of a credential code", code="not-a-credential") from None
