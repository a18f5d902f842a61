"""A credential to show parts of, and the ways in which a shown one may be changed: for both suites of selective disclosure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from weid.codec import b64u, unb64u

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def credential() -> dict[str, Any]:
    """Blank nodes, an array of them, two that look alike, texts and numbers."""
    return {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential", "Transcript"],
        "issuer": {"id": "did:example:i", "name": "Example University"},
        "validFrom": "2026-01-01T00:00:00Z",
        "name": "Transcript",
        "credentialSubject": {
            "name": "Ana Lau",
            "nameLatin": "LAU ANA",
            "courses": [
                {"type": "Course", "title": "Analysis", "mark": 1.3},
                {"type": "Course", "title": "Algebra", "mark": 2},
                {"type": "Course", "title": "Algebra", "mark": 2},
            ],
            "address": {"city": "Macau", "lines": ["Rua A", "Rua B"], "place": {"id": "urn:place:1", "name": "x"}},
        },
    }


def reveals(document: dict[str, Any]) -> dict[str, Any]:
    """What a document says, without its proof."""
    return {name: item for name, item in document.items() if name != "proof"}


def changes(shown: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every value of the document changed or left out, and every option of the proof."""
    for name in [name for name in shown if name not in ("proof", "@context")]:
        for changed in _changed(shown[name]):
            yield {**shown, name: changed}
        yield {other: item for other, item in shown.items() if other != name}
    yield {**shown, "description": "added"}
    proof = shown["proof"]
    yield {**shown, "proof": {**proof, "proofPurpose": "authentication"}}
    yield {**shown, "proof": {**proof, "created": "2026-02-02T00:00:00Z"}}
    yield {**shown, "proof": {**proof, "expires": "2036-02-02T00:00:00Z"}}
    yield {**shown, "proof": {**proof, "verificationMethod": "did:example:other#k"}}


def _changed(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, item in value.items():
            yield from ({**value, name: other} for other in _changed(item))
            yield {other: kept for other, kept in value.items() if other != name}
        yield {**value, "remark": "added"}
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in _changed(item))
            yield [*value[:place], *value[place + 1 :]]
    else:
        yield f"{value}x" if isinstance(value, str) else value + 1


def mutants(shown: dict[str, Any], *, step: int = 1) -> Iterator[dict[str, Any]]:
    """The proof value with every n-th octet changed, cut short, or longer."""
    data = unb64u(shown["proof"]["proofValue"][1:])
    made = [data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :] for at in range(0, len(data), step)]
    made += [data[:-1], data + b"\x00", data[:3], b"", data[:40] + data[41:], data[:40] + b"\x00" + data[40:]]
    for changed in made:
        yield {**shown, "proof": {**shown["proof"], "proofValue": f"u{b64u(changed)}"}}
