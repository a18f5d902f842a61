"""One client, two transports: a registry over HTTP, or one in this process.

Nothing it brings back is believed: a checkpoint must carry the log key's signature, proofs are checked, and
bundles go through `registry.trust`. The genesis is the caller's pin, never fetched.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any, Protocol
from urllib.parse import quote, urlencode

from registry.authority import Authority
from registry.bundle import open_bundle
from registry.checkpoint import Checkpoint
from registry.delta import apply_delta, is_delta, state_of
from registry.engines.straight import open_straight, reader_head, web_url
from registry.genesis import Genesis
from registry.issue_proof import print_issue_proof, prove_issue, read_issue_proof
from registry.log import Receipt, Registry
from registry.packed import unpack
from registry.proof_file import ProvenEntry, ProvenRecord, check_proof, read_checkpoint, read_statement, witnessed
from registry.registers import pack_leaves, register_root, unpack_leaves
from registry.state_map import read_proof
from registry.statement import Statement
from registry.twin import Twin, read_twin
from weid import cbor, merkle
from weid.canon import jcs
from weid.codec import unb64
from weid.document import Resolution, resolve
from weid.errors import ConflictError, ProofError, RegistryError, RollbackError, TrustError, WeidError
from weid.facts import RecordFacts, Source
from weid.governance import ProposalRecord
from weid.records import RegisterLeaf, StatusRecord, decode_record

__all__ = ["Closed", "HttpTransport", "LocalTransport", "RegistryClient", "Transport"]

MAX_ANSWER = 64 << 20


@dataclass(frozen=True, slots=True)
class Closed:
    """A proposal that is over, as a node tells it: executed, cancelled or expired, at a minute of log time."""

    record: ProposalRecord
    outcome: str
    at: int


class Transport(Protocol):
    """Bytes to and from a node; an HTTP status below 400, or RegistryError with the problem's code."""

    def get(self, path: str) -> bytes:
        """GET a path below /v1."""

    def post(self, path: str, data: bytes) -> bytes:
        """POST bytes to a path below /v1."""


class HttpTransport:
    """A node at a base URL, http or https, no redirects; `timeout` in seconds, `key` where only readers are answered."""

    def __init__(self, base: str, *, timeout: float = 10.0, key: str | None = None) -> None:
        self._base, self._timeout = web_url(base, who="a node"), timeout
        self._head = reader_head(key)

    def get(self, path: str) -> bytes:
        """GET a path below /v1."""
        return self._send(urllib.request.Request(f"{self._base}/v1/{path}", headers=self._head))

    def post(self, path: str, data: bytes) -> bytes:
        """POST bytes to a path below /v1."""
        head = {"Content-Type": "application/octet-stream", **self._head}
        return self._send(urllib.request.Request(f"{self._base}/v1/{path}", data=data, headers=head))

    def _send(self, message: urllib.request.Request) -> bytes:
        try:
            with open_straight(message, timeout=self._timeout) as answer:
                return _capped(answer.read(MAX_ANSWER + 1))
        except urllib.error.HTTPError as error:
            with error:
                raise _refused(error.read(1 << 16)) from error
        except (OSError, HTTPException) as error:
            raise RegistryError(f"no answer from {self._base}", code="unreachable") from error


class LocalTransport:
    """A registry in this process, through the same service code and the same strictness."""

    def __init__(self, registry: Registry) -> None:
        from registry.node.service import create_node

        self._client = create_node(registry, rate="1000000 per minute").test_client()

    def get(self, path: str) -> bytes:
        """GET a path below /v1."""
        return self._checked(self._client.get(f"/v1/{path}"))

    def post(self, path: str, data: bytes) -> bytes:
        """POST bytes to a path below /v1."""
        return self._checked(self._client.post(f"/v1/{path}", data=data))

    def _checked(self, answer: Any) -> bytes:
        data = bytes(answer.get_data())
        if answer.status_code >= 400:
            raise _refused(data)
        return data


class RegistryClient:
    """Talks to the registry of one pinned genesis."""

    def __init__(self, genesis: Genesis, transport: Transport) -> None:
        self.genesis, self._transport = genesis, transport
        self.authority = Authority.of(genesis)
        self._newest: Statement | None = None
        self.witnessed: bool | None = None  # of the checkpoint that was read last; None: the policy asks for nobody

    @classmethod
    def http(cls, genesis: Genesis, base: str, *, timeout: float = 10.0, key: str | None = None) -> RegistryClient:
        """A client of a node at a base URL; `key` is a reader's key of a private group."""
        return cls(genesis, HttpTransport(base, timeout=timeout, key=key))

    @classmethod
    def local(cls, registry: Registry) -> RegistryClient:
        """A client of a registry in this process."""
        return cls(registry.genesis, LocalTransport(registry))

    def submit(self, entry: bytes) -> Receipt:
        """Send a signed operation. A refused one comes back as a receipt too; RegistryError `unreachable` is safe
        to retry with the same bytes: the second time is a duplicate."""
        try:
            answer = _object(self._transport.post("operations", entry))
        except RegistryError as error:
            if error.code in ("unreachable", "bad-answer"):
                raise
            return Receipt(None, error.code, str(error))
        index, code, detail = answer.get("index"), answer.get("code"), answer.get("detail")
        if type(index) is not int or not isinstance(code, str) or not isinstance(detail, str):
            raise _bad_answer()
        return Receipt(index, code, detail)

    def follow(self, *, at: int) -> None:
        """Ask for the bundle and go on with the keys it proves; `at` is the clock in minutes (R21)."""
        fresh = open_bundle(self.bundle(), pin=self.genesis.digest, at=at).authority
        if fresh.links[: len(self.authority.links)] != self.authority.links:
            raise RollbackError("the node's key changes are fewer than, or other than, those known here", code="older-chain")
        self.authority = fresh

    def checkpoint(self) -> Checkpoint:
        """The node's checkpoint, signed by the log key in force; TrustError or SignatureError otherwise.

        `witnessed` then says whether a quorum has cosigned it too: the newest one often has to wait for that.
        """
        data = self._transport.get("checkpoint")
        found = read_checkpoint(data, self.authority)
        self.witnessed = witnessed(data, self.authority)
        return found

    def twin(self) -> Twin:
        """Both roots of a log with two trees, signed by the twin key; ConflictError `forked` where the checkpoint says another.

        RegistryError `no-twin` for a log with one tree.
        """
        found, newest = read_twin(self._transport.get("twin"), self.authority), self.checkpoint()
        if found.size == newest.size and found.root != newest.root:
            raise ConflictError("the two trees are of different logs", code="forked")
        return found

    def bundle(self, *, since: Sequence[int] = (), have: bytes | None = None) -> bytes:
        """The trust bundle, unchecked: give it to `TrustStore.accept`.

        With `have`, an older bundle, only what changed since then comes over the wire where the node can tell.
        """
        asked: list[tuple[str, object]] = [("packed", 1), *(("since", size) for size in since)]
        base = [] if have is None else [("base", state_of(have).map.hex())]
        data = unpack(self._transport.get("bundle?" + urlencode([*asked, *base])))
        if have is None or not is_delta(data):
            return data
        try:
            return apply_delta(have, data)
        except TrustError:
            return unpack(self._transport.get("bundle?" + urlencode(asked)))

    def refresh(self) -> None:
        """Ask the node to sign its state as it is now, so that the next bundle holds what was just done."""
        self._transport.post("state", b"")

    def entry(self, index: int) -> dict[str, Any]:
        """One entry as JSON, checked to be in the log of a signed checkpoint.

        Its member `witnessed` is ours: whether a quorum of the policy's witnesses has cosigned a log with it, None where the
        policy asks for nobody. False rests on the log key alone, and may be how a node hides a second history.
        """
        view = _object(self._transport.get(f"entries/{index}"))
        try:
            data = bytes.fromhex(view["entry"])
        except (KeyError, TypeError, ValueError) as error:
            raise _bad_answer() from error
        if self._in_witnessed_log(index, data):
            return {**view, "witnessed": True}
        checkpoint, leaf = self.checkpoint(), merkle.leaf_hash(data, hash=self.genesis.hash)
        path = self._path(f"proofs/inclusion?index={index}&size={checkpoint.size}")
        merkle.verify_inclusion(leaf, index, checkpoint.size, path, checkpoint.root, hash=self.genesis.hash)
        return {**view, "witnessed": False if self.authority.policy.needed else None}

    def _in_witnessed_log(self, index: int, data: bytes) -> bool:
        """Whether the node can show this entry in a log that a quorum has cosigned; ProofError if it shows another one."""
        if not self.authority.policy.needed:
            return False
        try:
            proof = self._transport.get(f"entries/{index}/proof")
        except RegistryError as error:
            if error.code != "not-witnessed":
                raise
            return False
        found = check_proof(proof, self.genesis, self.authority)
        if not isinstance(found, ProvenEntry) or (found.index, found.operation.data) != (index, data):
            raise ProofError("the node proves another entry than the one it shows")
        return True

    def check_continues(self, old: Checkpoint) -> Checkpoint:
        """The node's checkpoint, proven to continue an older one; ProofError if it does not."""
        new = self.checkpoint()
        path = self._path(f"proofs/consistency?old={old.size}&size={new.size}")
        merkle.verify_consistency(old.size, old.root, new.size, new.root, path, hash=self.genesis.hash)
        return new

    def record(self, kind: str, key: str) -> Any | None:
        """A record of the newest signed state, or None if that state has none: proven, present or absent (R20).

        ProofError for a proof that shows something else, SignatureError or TrustError for a statement that is not the
        registry's, RollbackError `older-state` for one older than this client has seen.
        """
        return self._record(kind, key)[0]

    def _record(self, kind: str, key: str) -> tuple[Any | None, Statement]:
        answer = _object(self._transport.get(f"records/{quote(kind)}/{quote(key)}"))
        record, proof, note = answer.get("record"), answer.get("proof"), answer.get("statement")
        if not (isinstance(proof, str) and isinstance(note, str) and (record is None or isinstance(record, str))):
            raise _bad_answer()
        statement = self._statement(note.encode())
        data = None if record is None else unb64(record)
        return read_proof(unb64(proof), statement.map, kind, key, data, hash=self.genesis.hash), statement

    def did(self, did: str, *, version: int | None = None, at: int | None = None) -> Resolution:
        """A DID of this registry, resolved here from its proven record; errors as `weid.document.resolve`."""
        found, state = self._record("did", did)
        source = Source(state.origin, state.genesis, state.origin, state.size, state.log_time)
        facts = RecordFacts([] if found is None else [found], source=source, complete={"did": True})
        return resolve(did, facts, version=version, at=at)

    def _statement(self, data: bytes) -> Statement:
        statement = read_statement(data, self.authority)
        seen = self._newest
        if seen is not None and statement.size < seen.size:
            raise RollbackError("this state is older than one this node has shown before", code="older-state")
        if seen is not None and statement.size == seen.size and statement != seen:
            raise ConflictError("two states of one log size", code="forked")
        self._newest = statement
        return statement

    def closed(self) -> tuple[Closed, ...]:
        """The newest proposals that are over, the latest first: what the node says, for people; the log is the record."""
        found = _object(self._transport.get("decisions")).get("closed")
        if not isinstance(found, list):
            raise _bad_answer()
        return tuple(_closed(item) for item in found)

    def put_register(self, list_id: str, leaves: Sequence[RegisterLeaf]) -> None:
        """Hand the node the leaves of a published issuance register."""
        self._transport.post(f"registers/{quote(list_id)}", pack_leaves(leaves))

    def register(self, list_id: str) -> tuple[bytes, tuple[RegisterLeaf, ...]]:
        """(newest operation, leaves) of a list's issuance register, as the signed state proves it.

        RegistryError `no-entry` for a list that is not there, `bad-answer` for leaves that are not the ones published.
        """
        return self._leaves(list_id, self.record("status", list_id))

    def _leaves(self, list_id: str, record: StatusRecord | None) -> tuple[bytes, tuple[RegisterLeaf, ...]]:
        answer = _object(self._transport.get(f"registers/{quote(list_id)}"))
        try:
            last, leaves = bytes.fromhex(answer["last"]), unpack_leaves(unb64(answer["leaves"]))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise _bad_answer() from error
        if record is None or register_root(list_id, leaves, hash=self.genesis.hash) != record.register_root:
            raise _bad_answer()
        return last, leaves

    def issue_proof(self, list_id: str, leaf: RegisterLeaf) -> bytes:
        """Proof that this place of a list is in its register as published (R8). The node learns which list, and no certificate.

        ProofError `not-in-register` while it was not published; RegistryError `no-entry`, `not-witnessed` (ask again once the
        witnesses have cosigned), `bad-answer`; else as `read_issue_proof`, by which the answer was checked.
        """
        state = self._transport.get(f"records/status/{quote(list_id)}")
        found = check_proof(jcs(_object(state)), self.genesis, self.authority)
        if not isinstance(found, ProvenRecord) or (found.kind, found.key) != ("status", list_id):
            raise _bad_answer()
        leaves = self._leaves(list_id, found.record)[1]
        commit = self._transport.get(f"entries/{found.statement.size}/proof").decode("utf-8", "replace")
        made = prove_issue(leaf, leaves, list_id, jcs(_object(state)), commit, hash=self.genesis.hash)
        data = print_issue_proof(made)
        read_issue_proof(data, self.genesis, self.authority)
        return data

    def health(self) -> dict[str, Any]:
        """What the node says about itself (GET /v1/health)."""
        return _object(self._transport.get("health"))

    def _path(self, query: str) -> tuple[bytes, ...]:
        path = _object(self._transport.get(query)).get("path")
        if not isinstance(path, list) or any(not isinstance(node, str) for node in path):
            raise _bad_answer()
        return tuple(unb64(node) for node in path)


def _closed(item: Any) -> Closed:
    match item:
        case {"proposal": str(data), "outcome": ("executed" | "cancelled" | "expired") as outcome, "at": int(at)}:
            return Closed(decode_record(ProposalRecord, cbor.decode(unb64(data), max_depth=8)), outcome, at)
    raise _bad_answer()


def _object(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _bad_answer() from error
    if not isinstance(value, dict):
        raise _bad_answer()
    return value


def _bad_answer() -> RegistryError:
    return RegistryError("the node's answer is not understood", code="bad-answer")


def _refused(data: bytes) -> WeidError:
    try:
        value = _object(data)
    except RegistryError as error:
        return error
    if "didResolutionMetadata" in value:
        value = {"title": "not-registered", "detail": "the DID does not resolve"}
    title, detail = value.get("title"), value.get("detail")
    return RegistryError(str(detail), code=title if isinstance(title, str) else "bad-answer")


def _capped(data: bytes) -> bytes:
    if len(data) > MAX_ANSWER:
        raise RegistryError(f"an answer over {MAX_ANSWER} bytes", code="bad-answer")
    return data
