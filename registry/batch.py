"""Verifying a batch of entries ahead, in two threads: the libraries release the interpreter lock.

The answers are handed to the state machine as its `verify`; whatever was not foreseen is verified on the
spot, so a batch gives exactly the results of its entries one by one. An answer is about a key, a context and bytes,
never about the state: other appends may come between the verifying and the use of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Executor
from typing import TypeAlias

from registry import bodies
from registry.operations import CONTEXT, KEY_PROOF, SignedOperation, key_proof_payload
from registry.state import State, verify_now
from weid.errors import KeyMaterialError, UnknownSuiteError
from weid.keys import PublicKey
from weid.suites import own_suite

__all__ = ["Verified"]

_Claim: TypeAlias = tuple[PublicKey, str, bytes, bytes]
_ALONE = 8  # fewer claims than this are quicker without threads


class Verified:
    """A `Verify` that knows the answers for one batch; made while nobody changes the state, `work`ed out at any time."""

    def __init__(self, state: State, entries: Sequence[SignedOperation]) -> None:
        self.keys = _new_keys(entries)
        self._foreseen = [claim for entry in entries for claim in self._claims(state, entry)]
        self._known: dict[_Claim, bool] = {}

    def work(self, threads: Executor) -> Verified:
        """Work out what was foreseen; itself."""
        claims = self._foreseen
        if len(claims) < _ALONE:
            answers = _verify_all(claims)
        else:
            half = len(claims) // 2
            later = threads.submit(_verify_all, claims[half:])
            answers = _verify_all(claims[:half]) + later.result()
        self._known = dict(zip(claims, answers, strict=True))
        return self

    def __call__(self, key: PublicKey, context: str, payload: bytes, signature: bytes) -> bool:
        """Whether the signature verifies."""
        answer = self._known.get((key, context, payload, signature))
        return verify_now(key, context, payload, signature) if answer is None else answer

    def _claims(self, state: State, entry: SignedOperation) -> Iterator[_Claim]:
        kid = entry.operation.kid
        key = state.key_of(kid) or self.keys.get(kid)
        if key is not None:
            yield key, CONTEXT, entry.signed, entry.signature
        did, operation = entry.operation.sub, entry.operation
        for new in _key_entries(operation.body):
            made = _key(new)
            if made is not None:
                payload = key_proof_payload(operation.origin, operation.genesis, did, new.number, new.role)
                yield made, KEY_PROOF, payload, new.proof


def _verify_all(claims: Sequence[_Claim]) -> list[bool]:
    return [verify_now(*claim) for claim in claims]


def _key_entries(body: object) -> Iterable[bodies.KeyEntry]:
    if isinstance(body, bodies.DidCreate):
        return body.keys
    return body.add if isinstance(body, bodies.DidUpdate | bodies.DidRecover) else ()


def _key(entry: bodies.KeyEntry) -> PublicKey | None:
    try:
        return PublicKey(own_suite(entry.suite).name, entry.public)
    except (KeyMaterialError, UnknownSuiteError):
        return None


def _new_keys(entries: Sequence[SignedOperation]) -> dict[str, PublicKey]:
    """The keys that operations of this batch bring along, by key id; the first one named wins."""
    keys: dict[str, PublicKey] = {}
    for entry in entries:
        for new in _key_entries(entry.operation.body):
            made = _key(new)
            if made is not None:
                keys.setdefault(f"{entry.operation.sub}#key-{new.number}", made)
    return keys
