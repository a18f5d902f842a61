"""What a witness decides, without I/O: a request, the log's key and the last checkpoint in, an answer out (tlog-witness).

The order of the questions is the specification's: readable (400), a known log (404), its signature (403), sizes that make
sense (400), nothing between (409 with the size), one history (422). Stricter in one point: extension lines are a 400.
"""

from __future__ import annotations

from dataclasses import dataclass

from registry.checkpoint import Checkpoint, decimal, parse_checkpoint
from registry.note import Note, NoteKey, parse_note, print_note, verify_note
from weid import merkle
from weid.codec import b64, unb64
from weid.errors import MalformedError, ProofError, SignatureError, TrustError
from weid.hashes import Hash

__all__ = ["SIZE_TYPE", "Answer", "Request", "Watched", "decide", "parse_request", "print_request"]

MAX_BODY = 1 << 20
MAX_PROOF = 63
SIZE_TYPE = "text/x.tlog.size"
PLAIN = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Request:
    """The body of `POST /add-checkpoint`."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint


@dataclass(frozen=True, slots=True)
class Watched:
    """A log that the witness knows: its keys (the newest last), its hash, and what was cosigned last (size 0: nothing)."""

    origin: str
    keys: tuple[NoteKey, ...]
    hash: Hash
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer; 200 with an empty body means: cosign."""

    status: int
    body: str = ""
    content_type: str = PLAIN


def print_request(old: int, proof: tuple[bytes, ...], note: Note) -> bytes:
    """The body that asks for a cosignature."""
    lines = [f"old {old}", *(b64(node) for node in proof), "", ""]
    return "\n".join(lines).encode() + print_note(note)


def parse_request(data: bytes) -> Request:
    """The request of exactly these bytes; MalformedError otherwise."""
    if len(data) > MAX_BODY:
        raise MalformedError(f"a request is at most {MAX_BODY} bytes", code="too-large")
    head, gap, rest = data.partition(b"\n\n")
    try:
        first, *proof = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise MalformedError("the lines before the checkpoint are ASCII") from error
    if not gap or not first.startswith("old ") or len(proof) > MAX_PROOF:
        raise MalformedError("a request is an old size, at most 63 hashes, an empty line and a checkpoint")
    nodes = tuple(unb64(line) for line in proof)
    if any(len(node) != 32 for node in nodes):
        raise MalformedError("a proof line is a 32-byte hash")
    note = parse_note(rest)
    return Request(decimal(first[4:]), nodes, note, parse_checkpoint(note.text))


def decide(request: Request, log: Watched | None) -> Answer:
    """The answer to a request for a log as the witness knows it; nothing is cosigned unless it is 200."""
    if log is None or request.checkpoint.origin != log.origin:
        return Answer(404, "this witness does not know the log\n")
    if not _signed(request.note, log):
        return Answer(403, "no signature of the log\n")
    old, new = request.old, request.checkpoint
    if old > new.size:
        return Answer(400, "the old size is above the checkpoint's\n")
    if old != log.size:
        return conflict(log.size)
    if new.size == 0 and new.root != merkle.empty_root(hash=log.hash):
        return Answer(422, "an empty log has the hash of nothing as its root\n")
    try:
        merkle.verify_consistency(old, log.root, new.size, new.root, request.proof, hash=log.hash)
    except ProofError as error:
        return Answer(422, f"{error}\n")
    return Answer(200)


def conflict(size: int) -> Answer:
    """409: the size of the last checkpoint that was cosigned."""
    return Answer(409, f"{size}\n", SIZE_TYPE)


def _signed(note: Note, log: Watched) -> bool:
    """Whether the log has signed, with no line of its keys that is wrong (signed-note: such a note is malformed)."""
    lines = {(line.name, line.key_id) for line in note.signatures}
    ours = [key for key in log.keys if (key.name, key.key_id) in lines]
    # A key that was replaced signs nothing any more: its thief must not be cosigned (R21).
    if log.keys[-1] not in ours:
        return False
    try:
        for key in ours:
            verify_note(note, key, "log")
    except (SignatureError, TrustError):
        return False
    return True
