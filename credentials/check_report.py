"""A verifier's signed report of what it checked: each file by its digest, each verdict with its checks, the age of the trust.

{"form": "weid/check-report/v1", …} as RFC 8785 bytes, signed by the verifier's own key over the same without `signature`.
The key inside is only a claim: who relies on a report compares its fingerprint with the one the verifier told them.
Specification: docs/spec/check-report.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from credentials.report import Report
from credentials.verdicts import VERDICTS
from weid import signing
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, minutes, parse_rfc3339, rfc3339, unb64u, unhex
from weid.errors import KeyMaterialError, MalformedError, SignatureError, UnknownSuiteError
from weid.keys import PublicKey, Signer

__all__ = ["CONTEXT", "FORM", "MAX_ITEMS", "PROBLEMS", "SEEN", "CheckReport", "item_of", "key_fingerprint",
           "read_check_report", "require_key",
           "sign_check_report"]  # fmt: skip

FORM: Final = "weid/check-report/v1"
CONTEXT: Final = "weid/check-report/v1"
ROLE: Final = "verifier"
MAX_ITEMS: Final = 5_000
MAX_BYTES: Final = 16 << 20
SEEN: Final = ("same", "differs", "absent", "covered", "unread", "no-name", "")
PROBLEMS: Final = (
    "no-code",
    "empty",
    "not-a-picture",
    "unreadable",
    "locked",
    "too-large",
    "unsupported",
    "bad-archive",
    "cannot-judge",
)
_MEMBERS: Final = frozenset({"form", "verifier", "made", "trust", "items", "signature"})
_JUDGED: Final = frozenset({"file", "verdict", "outcome", "checks", "ages", "at", "paper", "credential", "number"})
_UNREAD: Final = frozenset({"file", "problem", "number"})


@dataclass(frozen=True, slots=True)
class CheckReport:
    """A report whose signature is right. `key` is whoever signed it: compare `fingerprint` before relying on it."""

    name: str
    key: PublicKey
    made: int
    items: tuple[Mapping[str, Any], ...]
    document: Mapping[str, JSON]

    @property
    def fingerprint(self) -> str:
        """The signer's key, for people to compare."""
        return key_fingerprint(self.key)

    def counts(self) -> dict[str, int]:
        """How many items ended how: by verdict, `paper` for a paper that differs, `unread` for what could not be judged."""
        found: dict[str, int] = {}
        for item in self.items:
            kind = "unread" if "problem" in item else "paper" if item["paper"] in ("differs", "absent") else item["verdict"]
            found[kind] = found.get(kind, 0) + 1
        return found

    def of_file(self, digest: bytes) -> tuple[Mapping[str, Any], ...]:
        """The items of the file with this SHA-256."""
        return tuple(item for item in self.items if item["file"]["sha256"] == digest.hex())


def key_fingerprint(key: PublicKey) -> str:
    """Eight groups of four hex digits of the key's digest (128 bits)."""
    text = key.hash32()[:16].hex()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def item_of(report: Report, number: int, file: Mapping[str, JSON], *, paper: str, values: bool) -> dict[str, JSON]:
    """One judged credential. Without `values` nothing of what it says about a person is in it: kind, issuer and times alone."""
    said = report.presented if report.authentic is not None else None
    credential: dict[str, JSON] | None = None
    if said is not None:
        credential = {
            "issuer": said.issuer, "issuerNames": dict(said.issuer_names), "type": said.type, "title": dict(said.title),
            "validUntil": None if said.valid_until is None else rfc3339(said.valid_until), "specimen": said.specimen,
        }  # fmt: skip
        if values:
            credential |= {"id": said.id, "claims": dict(said.claims)}
    return {
        "number": number,
        "file": dict(file),
        "verdict": report.verdict,
        "outcome": report.outcome.value,
        "checks": [[check.id, check.outcome.value, check.code] for check in report.checks],
        "ages": [age.to_json() for age in report.ages],
        "at": rfc3339(report.at),
        "paper": paper,
        "credential": credential,
    }


def sign_check_report(
    items: tuple[Mapping[str, JSON], ...], signer: Signer, *, name: str, trust: tuple[Mapping[str, JSON], ...], made: int
) -> bytes:
    """The report's bytes; MalformedError for items that `read_check_report` would not take."""
    document: dict[str, JSON] = {
        "form": FORM,
        "verifier": {"name": name, "key": signer.public_key.multikey()},
        "made": rfc3339(made),
        "trust": [dict(line) for line in trust],
        "items": [dict(item) for item in items],
    }
    signed = jcs({**document, "signature": b64u(signer.sign(CONTEXT, jcs(document)))})
    read_check_report(signed)  # nothing leaves that nobody could read
    return signed


def read_check_report(data: bytes) -> CheckReport:
    """The report, its signature checked (R27: one spelling only); MalformedError, SignatureError, or an unusable key's error."""
    value = parse_json(data, max_bytes=MAX_BYTES, max_depth=12)
    if not isinstance(value, dict) or set(value) != _MEMBERS or value["form"] != FORM or jcs(value) != data:
        raise MalformedError("not a verifier's report as it was written", code="check-report")
    document: dict[str, JSON] = {name: item for name, item in value.items() if name != "signature"}
    try:
        name, key = _verifier(value["verifier"])
        made = _minute(value["made"])
        items = tuple(_item(item) for item in _list(value["items"], MAX_ITEMS))
        _list(value["trust"], 1_000)
        signature = unb64u(_text(value["signature"]))
    except (UnknownSuiteError, KeyMaterialError, KeyError, TypeError, ValueError) as error:
        raise MalformedError(f"not a verifier's report: {error}", code="check-report") from None
    signing.verify(key, ROLE, CONTEXT, jcs(document), signature)
    return CheckReport(name, key, made, items, document)


def require_key(report: CheckReport, told: str) -> None:
    """SignatureError `another-verifier` unless the report is signed by the key with the fingerprint one was told."""
    if told.replace(" ", "").lower() != report.fingerprint.replace(" ", ""):
        raise SignatureError(f"signed by the key {report.fingerprint}, not the one you were told", code="another-verifier")


def _verifier(value: JSON) -> tuple[str, PublicKey]:
    if not isinstance(value, dict) or set(value) != {"name", "key"}:
        raise TypeError("the verifier")
    return _text(value["name"]), PublicKey.from_multikey(_text(value["key"]))


def _item(value: JSON) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) not in (_JUDGED, _UNREAD):
        raise TypeError("an item")
    if type(value["number"]) is not int or value["number"] < 1:
        raise TypeError("an item's number")
    file = value["file"]
    if not isinstance(file, dict) or not {"sha256"} <= set(file) <= {"sha256", "name", "place"}:
        raise TypeError("an item's file")
    if len(unhex(_text(file["sha256"]))) != 32 or not all(isinstance(text, str) for text in file.values()):
        raise TypeError("an item's file")
    if "problem" in value:
        known = value["problem"] in PROBLEMS
    else:
        known = value["verdict"] in VERDICTS and value["paper"] in SEEN and value["outcome"] in ("PASSED", "FAILED", "UNKNOWN")
        _minute(value["at"])
        _list(value["checks"], 200)
    if not known:
        raise TypeError("an item's result")
    return value


def _minute(value: JSON) -> int:
    return minutes(parse_rfc3339(_text(value)))


def _list(value: JSON, most: int) -> list[JSON]:
    if not isinstance(value, list) or len(value) > most:
        raise TypeError(f"a list of at most {most}")
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise TypeError("text")
    return value
