"""The corpus: every official secured document, and what becomes of it when anything in it is changed.

An item is a document and the codes that an honest answer may have. A suite that a stub passes proves nothing, so the
corpus is scored: the worse of the share of good documents accepted and the share of bad ones refused *for the right
reason*. A stub that accepts everything, or refuses everything, scores 0.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.vectors import FOLDER
from weid.codec import b64u, multibase, unb64u, unmultibase

OFFICIAL = (
    "vc-di-eddsa/TestVectors/eddsa-jcs-2022/signedJCS.json",
    "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/signedDataInt.json",
    "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/employ/signedDataInt.json",
    "vc-di-eddsa/TestVectors/proof-set-chain/signedProofSet1.json",
    "vc-di-eddsa/TestVectors/proof-set-chain/signedProofSet2.json",
    "vc-di-eddsa/TestVectors/proof-set-chain/signedProofChain1.json",
    "vc-di-eddsa/TestVectors/proof-set-chain/signedProofChain2.json",
    "vc-di-ecdsa/TestVectors/ecdsa-jcs-2019-p256/signedJCSECDSAP256.json",
    "vc-di-ecdsa/TestVectors/ecdsa-jcs-2019-p384/signedJCSECDSAP384.json",
    "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/signedECDSAP256.json",
    "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256/employ/signedECDSAP256.json",
    "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384/signedECDSAP384.json",
    "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384/employ/signedECDSAP384.json",
    "vc-di-ecdsa/TestVectors/ecdsa-sd-2023/employ/derivedRevealDocument.json",
    "vc-di-ecdsa/TestVectors/ecdsa-sd-2023/prc/derivedRevealDocument.json",
    "vc-di-bbs/TestVectors/derivedRevealDocument.json",
    "vc-di-bbs/TestVectors/prc/derivedRevealDocument.json",
)

TAMPERED = frozenset({"bad-signature", "bad-disclosure"})
MALFORMED = frozenset({"malformed", "unsupported", "not-a-credential", "data-loss", "bad-jsonld", "unknown-context"})


@dataclass(frozen=True)
class Item:
    """`codes` empty: accepted. Else one of them is the reason; `family` starts with `vcdm-` for rules of the data model."""

    name: str
    document: dict[str, Any]
    codes: frozenset[str]


Answer = tuple[bool, frozenset[str]]
"""What a verifier says: whether it accepts, and the codes of its reasons."""


def corpus() -> Iterator[Item]:
    """Every official document, then every change of it."""
    for path in OFFICIAL:
        document = json.loads(Path(FOLDER / path).read_text("utf-8"))
        name = path.replace("/TestVectors", "").removesuffix(".json")
        yield Item(name, document, frozenset())
        yield from _claims(name, document)
        yield from _proofs(name, document)


def _claims(name: str, document: dict[str, Any]) -> Iterator[Item]:
    """Each value below the document changed and each member taken away, outside the proofs."""
    unsecured = {key: value for key, value in document.items() if key != "proof"}
    for path in _paths(unsecured):
        for what, change in (("changed", _changed), ("removed", None)):
            made = copy.deepcopy(document)
            place: Any = made
            for step in path[:-1]:
                place = place[step]
            if change is None:
                del place[path[-1]]
            else:
                place[path[-1]] = change(place[path[-1]])
            yield Item(f"{name} {'/'.join(map(str, path))} {what}", made, TAMPERED | MALFORMED)
    yield Item(f"{name} a member more", {**document, "name": "A name that nobody signed"}, TAMPERED | MALFORMED)


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*before, key)
        yield from _paths(item, (*before, key))


def _changed(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value}x"
    if isinstance(value, bool) or value is None:
        return "x"
    if isinstance(value, int | float):  # not [value]: in RDF a list of one is its one value
        return value + 1
    return [*value, "x"] if isinstance(value, list) else {**value, "name": "x"}


def _proofs(name: str, document: dict[str, Any]) -> Iterator[Item]:
    """Each member of each proof changed and taken away, and bytes of each proof value over its whole length."""
    several = isinstance(document["proof"], list)
    for number, proof in enumerate(document["proof"] if several else [document["proof"]]):
        for member, value in proof.items():
            changes = [{key: item for key, item in proof.items() if key != member}, {**proof, member: f"{value}x"}]
            changes += [{**proof, member: None}]
            for at, changed in enumerate(changes):
                yield Item(f"{name} proof {number} {member} {at}", _with(document, number, changed), TAMPERED | MALFORMED)
        for place, written in _flips(proof["proofValue"]):
            changed = {**proof, "proofValue": written}
            yield Item(f"{name} proof {number} byte {place}", _with(document, number, changed), TAMPERED | MALFORMED)


def _flips(text: str) -> Iterator[tuple[int, str]]:
    data = unmultibase(text) if text[0] == "z" else unb64u(text[1:])
    for place in range(0, len(data), max(1, len(data) // 64)):
        other = data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]
        yield place, multibase(other) if text[0] == "z" else f"u{b64u(other)}"


def _with(document: dict[str, Any], number: int, proof: dict[str, Any]) -> dict[str, Any]:
    if not isinstance(document["proof"], list):
        return {**document, "proof": proof}
    return {**document, "proof": [proof if place == number else item for place, item in enumerate(document["proof"])]}


def right(item: Item, answer: Answer) -> bool:
    """Whether an answer is the right one, with a right reason where it is no."""
    accepted, codes = answer
    if not item.codes:
        return accepted
    reasons = {code for code in codes if code in item.codes or code.startswith(("vcdm-", "bad-proof-"))}
    return not accepted and bool(reasons)


def score(verifier: Callable[[dict[str, Any]], Answer], items: list[Item]) -> tuple[float, float]:
    """(share of good documents accepted, share of bad ones refused for a right reason)."""
    good = [right(item, verifier(item.document)) for item in items if not item.codes]
    bad = [right(item, verifier(item.document)) for item in items if item.codes]
    return sum(good) / len(good), sum(bad) / len(bad)
