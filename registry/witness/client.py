"""Asking witnesses for their cosignatures (tlog-witness), and what each of them said. Nothing they say is believed.

A witness is told the size it is thought to know; where it knows another one (409) it is asked once more from there. A
witness that knows *more* than this log has is the sign of a restored backup: nothing is merged, and it is reported.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeAlias

from registry.authority import Authority
from registry.checkpoint import decimal, parse_checkpoint
from registry.cosignature import find_cosignature
from registry.engines.straight import open_straight, web_url
from registry.log import Registry
from registry.note import Note, NoteSignature, parse_note, print_note
from registry.policy import Witness
from registry.witness.core import print_request
from weid.errors import MalformedError, ProofError, RegistryError, WeidError

__all__ = ["Ask", "Asked", "Prove", "ask_by_http", "cosign_registry", "gather", "merge"]

Ask: TypeAlias = Callable[[Witness, bytes], tuple[int, bytes]]
"""(witness, request body) → (HTTP status, body); RegistryError `unreachable`."""
Prove: TypeAlias = Callable[[int, int], tuple[bytes, ...]]
MAX_ANSWER = 1 << 16
_TRIES = 3


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking: the note with every good cosignature, who gave one, and what was wrong with the others."""

    note: bytes
    cosigned: tuple[str, ...]
    problems: Mapping[str, str]
    met: bool


def gather(authority: Authority, note: bytes, prove: Prove, ask: Ask) -> Asked:
    """Ask every witness of the policy that has a URL, at once, and merge what they sign."""
    parsed = parse_note(note)
    own = Note(parsed.text, parsed.signatures[:1])
    held = _held(parsed, authority)
    asked = [witness for witness in authority.policy.witnesses if witness.url is not None and witness.name not in held]
    problems: dict[str, str] = {}
    with ThreadPoolExecutor(max_workers=max(1, min(8, len(asked)))) as threads:
        answers = threads.map(lambda witness: _one(witness, own, prove, ask), asked)
        for witness, answer in zip(asked, answers, strict=True):
            if isinstance(answer, str):
                problems[witness.name] = answer
            else:
                held[witness.name] = answer
    lines = tuple(held[witness.name] for witness in authority.policy.witnesses if witness.name in held)
    return Asked(print_note(Note(own.text, (*own.signatures, *lines))), tuple(held), problems, authority.policy.met(held))


def merge(authority: Authority, *notes: bytes) -> bytes:
    """One note with the good cosignatures of several of one text: for witnesses that are reached by file."""
    first, *others = (parse_note(note) for note in notes)
    held = _held(first, authority)
    for other in others:
        if other.text != first.text:
            raise MalformedError("these are notes of different checkpoints", code="wrong-checkpoint")
        held |= _held(other, authority)
    lines = tuple(held[witness.name] for witness in authority.policy.witnesses if witness.name in held)
    return print_note(Note(first.text, (*first.signatures[:1], *lines)))


def cosign_registry(registry: Registry, ask: Ask | None = None, answers: Sequence[bytes] = ()) -> Asked:
    """Commit the state if the log has grown, ask the witnesses, and hand out what a quorum has cosigned.

    `answers` are bodies that witnesses reached by file have given; they are asked no more.
    """
    registry.commit_if_stale()
    # The log goes on while witnesses are asked, and anybody may have it committed again: what they cosign covers this state.
    state, authority, note = registry.committed(), registry.state.authority, registry.checkpoint()
    text = parse_note(note).text.encode() + b"\n"
    note = merge(authority, note, *(text + answer for answer in answers))
    asked = gather(authority, note, registry.consistency, ask or ask_by_http)
    if asked.met:
        registry.publish_cosigned(asked.note, state)
    return asked


def ask_by_http(witness: Witness, body: bytes, *, timeout: float = 10.0) -> tuple[int, bytes]:
    """POST to the witness's submission prefix; redirects are not followed."""
    url = web_url(witness.url or "", who="a witness")
    head = {"Content-Type": "text/plain; charset=utf-8"}
    message = urllib.request.Request(f"{url}/add-checkpoint", data=body, headers=head)
    try:
        with open_straight(message, timeout=timeout) as answer:
            return int(answer.status), bytes(answer.read(MAX_ANSWER))
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read(MAX_ANSWER)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise RegistryError(f"no answer from {url}", code="unreachable") from error


def _held(note: Note, authority: Authority) -> dict[str, NoteSignature]:
    """The good lines of the policy's witnesses in a note, by witness."""
    held: dict[str, NoteSignature] = {}
    for witness in authority.policy.witnesses:
        try:
            find_cosignature(note, witness.key)
        except WeidError:
            continue
        place = (witness.key.name, witness.key.key_id)
        held[witness.name] = next(line for line in note.signatures if (line.name, line.key_id) == place)
    return held


def _one(witness: Witness, note: Note, prove: Prove, ask: Ask) -> NoteSignature | str:
    """The witness's line, or the code of what went wrong."""
    size, old = parse_checkpoint(note.text).size, 0
    for _ in range(_TRIES):
        try:
            status, body = ask(witness, print_request(old, prove(old, size) if old else (), note))
            if status == 200:
                return _line(note, body, witness)
            if status != 409:
                return f"refused-{status}"
            old = decimal(body.decode("ascii", "replace").removesuffix("\n"))
        except (RegistryError, MalformedError, ProofError) as error:
            return error.code
        except WeidError:
            return "bad-cosignature"
        if old > size:
            return "witness-is-ahead"
    return "busy"


def _line(note: Note, body: bytes, witness: Witness) -> NoteSignature:
    """The line of this witness in a 200 answer, checked; lines of other keys are ignored (tlog-witness)."""
    answered = parse_note(note.text.encode() + b"\n" + body)
    find_cosignature(answered, witness.key)
    place = (witness.key.name, witness.key.key_id)
    return next(line for line in answered.signatures if (line.name, line.key_id) == place)
