"""etcd gives the order: one organisation, several machines (Raft), through the JSON gateway of etcd 3.4 and newer.

A batch is one key under the prefix; `head` names size, last batch and the chain's head. One transaction compares the
head with what was read and writes both, so two writers cannot interleave and nothing is ever overwritten. Reads are
linearizable. A request without an answer may have arrived: the same transaction again is refused, and then the batch
that stands there tells whose it was.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from registry.engines import EngineInfo, Entry, GapError, Head, Journal, Placed, Refused, Ticket, Wait
from registry.engines.calls import bad_answer, post_json
from registry.engines.chain import Batch, Chain
from registry.engines.framing import check_batch, frame
from registry.engines.straight import web_url
from weid.canon import JSON, jcs
from weid.codec import b64, unb64
from weid.errors import MalformedError, RegistryError
from weid.hashes import SHA256

__all__ = ["EtcdCluster", "EtcdEngine", "link"]

_MAX_ENTRY = 65_535
_MAX_BYTES = 512 << 10  # etcd takes requests up to 1.5 MiB, and base64 is a third more
_PAGE_BYTES = 1 << 20
_TRIES = 8  # appends without `expect` that another writer came before


@dataclass(frozen=True, slots=True)
class _End:
    """The value of `head`: 48 bytes."""

    size: int
    last: int
    head: bytes

    def to_bytes(self) -> bytes:
        return self.size.to_bytes(8, "big") + self.last.to_bytes(8, "big") + self.head


class EtcdCluster:
    """Several endpoints of one cluster; the one that answered last is asked first."""

    def __init__(self, endpoints: Sequence[str], *, timeout: float = 3.0, tls: ssl.SSLContext | None = None) -> None:
        if not endpoints:
            raise MalformedError("an etcd cluster needs an endpoint", code="bad-url")
        self._endpoints = [web_url(text, who="an engine") for text in endpoints]
        self._timeout, self._tls = timeout, tls

    def call(self, path: str, value: JSON) -> dict[str, JSON]:
        """The answer of the first endpoint that gives one; RegistryError `unreachable` when none does."""
        problem: RegistryError | None = None
        for base in list(self._endpoints):
            try:
                answer = post_json(f"{base}/v3/kv/{path}", value, timeout=self._timeout, tls=self._tls)
            except RegistryError as error:
                if error.code == "engine-refused":
                    raise
                problem = error
                self._endpoints.append(self._endpoints.pop(0))
                continue
            if not isinstance(answer, dict):
                raise bad_answer()
            return answer
        raise problem or bad_answer()


class EtcdEngine:
    """A LogEngine under one key prefix of a cluster."""

    info = EngineInfo("etcd", "cft", max_entry=_MAX_ENTRY, max_batch=1_000, max_bytes=_MAX_BYTES)

    def __init__(self, cluster: EtcdCluster, prefix: str, genesis: bytes, *, journal: Journal | None = None) -> None:
        self._cluster, self._prefix = cluster, prefix.rstrip("/")
        self._chain = Chain(f"etcd {self._prefix}", genesis, link, journal)
        self._page = 16

    def head(self) -> Head:
        """The size of the log; the block is the head of its chain."""
        end = self._end()
        return Head(end.size, end.head.hex())

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        """One transaction: it is in the log when this returns a placed ticket."""
        check_batch(entries, self.info)
        for _ in range(_TRIES):
            end = self._end()
            if expect not in (None, end.size):
                return Ticket("stale", len(entries))
            if self._write(end, entries):
                return Ticket(str(end.size), len(entries), end.size)
        return Ticket("stale", len(entries))

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        """Immediate: a transaction that etcd answered is committed by its majority."""
        return Refused("stale") if ticket.first is None else Placed(ticket.first, ticket.count)

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        """Entries from `start`; GapError rather than a hole, ContradictionError for changed history."""
        end = self._end()
        stop = min(start + limit, end.size)
        if start >= stop:
            return
        for batch in self._batches(self._locate(start), stop, end):
            for index, data in enumerate(batch.entries(), batch.first):
                if start <= index < stop:
                    yield Entry(index, data)

    def evidence(self, index: int) -> bytes | None:
        """The revision at which etcd committed an entry's batch, as JSON."""
        end = self._end()
        if not 0 <= index < end.size:
            return None
        for batch in self._batches(self._locate(index), index + 1, end):
            if batch.first <= index < batch.end:
                return jcs({"prefix": self._prefix, **batch.to_json()})
        return None

    def _key(self, first: int) -> str:
        return b64(f"{self._prefix}/batch/{first:016x}".encode())

    @property
    def _head_key(self) -> str:
        return b64(f"{self._prefix}/head".encode())

    def _end(self) -> _End:
        """The end of the log, checked against what was final before."""
        rows = _rows(self._cluster.call("range", {"key": self._head_key}))
        if rows and len(rows[0].value) != 48:
            raise bad_answer("the value of the log's head is not ours")
        value = rows[0].value if rows else bytes(16) + self._chain.genesis
        end = _End(int.from_bytes(value[:8], "big"), int.from_bytes(value[8:16], "big"), value[16:])
        self._chain.check_end(end.size, end.head)
        return end

    def _write(self, end: _End, entries: Sequence[bytes]) -> bool:
        data, count = frame(entries), len(entries)
        head = link(end.head, end.size, count, data)
        value = head + count.to_bytes(4, "big") + data
        after = _End(end.size + count, end.size, head)
        compare: list[JSON] = [{"key": self._key(end.size), "target": "VERSION", "result": "EQUAL", "version": "0"}]
        if end.size:
            compare.append({"key": self._head_key, "target": "VALUE", "result": "EQUAL", "value": b64(end.to_bytes())})
            compare.append({"key": self._key(end.last), "target": "VERSION", "result": "EQUAL", "version": "1"})
        else:
            compare.append({"key": self._head_key, "target": "VERSION", "result": "EQUAL", "version": "0"})
        puts: list[JSON] = [
            {"requestPut": {"key": self._key(end.size), "value": b64(value)}},
            {"requestPut": {"key": self._head_key, "value": b64(after.to_bytes())}},
        ]
        answer = self._cluster.call("txn", {"compare": compare, "success": puts})
        if answer.get("succeeded") is True:
            return True
        # Refused. If an earlier endpoint took the same request before it failed to answer, ours stands there.
        rows = _rows(self._cluster.call("range", {"key": self._key(end.size)}))
        return bool(rows) and rows[0].value == value

    def _locate(self, start: int) -> int:
        """Where the batch begins that holds an entry; the last batch shown before is read again, to compare."""
        last = self._chain.last
        if start == last.end:
            return last.first
        first = max(start - self.info.max_batch + 1, 0)
        asked: JSON = {"key": self._key(first), "range_end": self._key(start + 1), "keys_only": True}
        rows = _rows(self._cluster.call("range", asked))
        if not rows:
            raise GapError(f"entry {start} is missing")
        return self._first(rows[-1].key)

    def _batches(self, first: int, stop: int, end: _End) -> Iterator[Batch]:
        """The batches from the one that begins at `first` until entry `stop`, each checked to continue the last."""
        head = self._chain.genesis if first == 0 else None
        while first < stop:
            rows = self._rows_from(first, stop)
            if not rows:
                raise GapError(f"entry {first} is missing")
            for row in rows:
                batch = self._batch(row)
                if batch.first != first:
                    raise GapError(f"entry {first} is missing")
                self._chain.follow(batch, head)
                if batch.end == end.size and batch.head != end.head:
                    raise GapError("the batches do not give the head of the log")
                yield batch
                head, first = batch.head, batch.end

    def _rows_from(self, first: int, stop: int) -> list[_Row]:
        """A page of batches: few when they are large, as the gateway has a limit of its own."""
        asked = {"key": self._key(first), "range_end": self._key(stop)}
        while True:
            try:
                rows = _rows(self._cluster.call("range", {**asked, "limit": str(self._page)}))
                break
            except RegistryError as error:
                if error.code != "engine-refused" or self._page == 1:
                    raise
                self._page = max(self._page // 4, 1)
        taken = sum(len(row.value) for row in rows)
        self._page = max(1, min(500, _PAGE_BYTES * max(len(rows), 1) // max(taken, 1), self._page * 4))
        return rows

    def _first(self, key: bytes) -> int:
        head, _, number = key.decode("utf-8", "replace").rpartition("/")
        try:
            first = int(number, 16)
        except ValueError as error:
            raise bad_answer("a key that is not ours") from error
        if head != f"{self._prefix}/batch" or number != f"{first:016x}":
            raise bad_answer("a key that is not ours")
        return first

    def _batch(self, row: _Row) -> Batch:
        if len(row.value) < 36 or row.version != 1:
            raise GapError("a batch was overwritten")
        count = int.from_bytes(row.value[32:36], "big")
        place: dict[str, JSON] = {"revision": row.revision}
        return Batch(self._first(row.key), count, row.value[:32], row.value[36:], MappingProxyType(place))


@dataclass(frozen=True, slots=True)
class _Row:
    key: bytes
    value: bytes
    version: int
    revision: int


def _rows(answer: dict[str, JSON]) -> list[_Row]:
    found = answer.get("kvs", [])
    if not isinstance(found, list):
        raise bad_answer()
    rows = []
    for row in found:
        if not isinstance(row, dict):
            raise bad_answer()
        key, value, version, revision = (row.get(name, "") for name in ("key", "value", "version", "create_revision"))
        if not (isinstance(key, str) and isinstance(value, str)):
            raise bad_answer()
        rows.append(_Row(_octets(key), _octets(value), _number(version), _number(revision)))
    return rows


def _octets(text: str) -> bytes:
    try:
        return unb64(text)
    except MalformedError as error:
        raise bad_answer() from error


def _number(value: JSON) -> int:
    # 64-bit numbers are texts in the gateway's JSON.
    if not isinstance(value, str) or not (value.isascii() and value.isdigit() and len(value) < 20):
        raise bad_answer()
    return int(value)


def link(head: bytes, first: int, count: int, data: bytes) -> bytes:
    """The head after a batch: SHA-256 of the head before, where it begins, how many, and the digest of the data."""
    return SHA256(head + first.to_bytes(8, "big") + count.to_bytes(4, "big") + SHA256(data))
