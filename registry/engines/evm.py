"""An existing EVM chain gives the order: FISCO BCOS (Web3 RPC), Besu, geth, through one small contract.

Final is what the chain calls final: `latest` where blocks are final at once (PBFT, QBFT), `safe` or `finalized` where
the chain says so, or a depth in blocks. Only final entries are read; a transaction that a reorganisation threw out is
sent again, the same bytes. Nothing the node says is believed alone: each batch stands where the contract says it is,
continues the one before it, and the last one read makes the contract's own head.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import pairwise

from registry.engines import EngineInfo, Entry, GapError, Head, Journal, Pending, Placed, Refused, Ticket, Wait
from registry.engines import evm_abi as abi
from registry.engines.chain import Batch, Chain
from registry.engines.evm_account import EvmAccount, Transaction
from registry.engines.evm_node import MAX_INPUT, WINDOW, EvmNode, Receipt, contract_address
from registry.engines.framing import check_batch, frame
from weid.canon import JSON, jcs
from weid.errors import MalformedError, RegistryError

__all__ = ["EvmEngine"]

_MAX_DATA = (MAX_INPUT - 4 - 4 * 32) // 32 * 32
_MARKS = 500  # batches looked up at a time
_POLL = (0.01, 0.5)  # seconds between two looks for a receipt: first, longest
_TAGS = {"latest": "bft", "safe": "safe", "finalized": "finalized"}


def check_finality(finality: str | int) -> None:
    """MalformedError `bad-config` for what is no finality of a chain."""
    if finality not in _TAGS and not (type(finality) is int and 0 < finality < 100_000):
        raise MalformedError("finality is latest, safe, finalized or a number of blocks", code="bad-config")


class EvmEngine:
    """A LogEngine over one `WeidLog` contract; without an account it reads alone."""

    def __init__(
        self,
        node: EvmNode,
        contract: str,
        genesis: bytes,
        *,
        finality: str | int = "latest",
        account: EvmAccount | None = None,
        journal: Journal | None = None,
    ) -> None:
        check_finality(finality)
        self._node, self._contract, self._account, self._finality = node, contract_address(contract), account, finality
        promise = f"depth:{finality}" if isinstance(finality, int) else _TAGS[finality]
        self.info = EngineInfo("evm", promise, max_entry=_MAX_DATA - 2, max_batch=120, max_bytes=_MAX_DATA)
        self._chain = Chain(f"evm {node.chain} {self._contract}", genesis, abi.link, journal)
        self._checked = False
        self._sent: dict[bytes, Transaction] = {}
        self._next = (0, 0)  # entry index and batch number where the last read ended

    def head(self) -> Head:
        """The final size; the block is the contract's head, which commits to every entry."""
        state = self._state()
        return Head(state.size, state.head.hex())

    def append(self, entries: Sequence[bytes], *, expect: int | None = None) -> Ticket:
        """Send one transaction. The same entries at the same place again send the same bytes again."""
        check_batch(entries, self.info)
        self._check()
        account = self._writer()
        data = abi.append_call(expect, len(entries), frame(entries))
        made = self._sent.get(data)
        if made is None or not self._stands(made, account, guarded=expect is not None):
            made = self._node.sign(account, self._contract, data)
            self._sent = {**dict(list(self._sent.items())[-7:]), data: made}
        self._node.send(made)
        return Ticket(_name(made), len(entries))

    def wait(self, ticket: Ticket, timeout: float) -> Wait:
        """Until the transaction is in a final block, or time is up."""
        until, pause = time.monotonic() + timeout, _POLL[0]
        while True:
            receipt = self._node.receipt(ticket.reference)
            if receipt is not None and self._is_final(receipt):
                return self._outcome(receipt, ticket)
            if time.monotonic() + pause >= until:
                return Pending()
            time.sleep(pause)
            pause = min(pause * 2, _POLL[1])

    def read(self, start: int, limit: int) -> Iterator[Entry]:
        """Final entries from `start`; GapError rather than a hole, ContradictionError for changed history."""
        state = self._state()
        end = min(start + limit, state.size)
        if start >= end:
            return
        for number, batch in self._batches(start, end, state):
            if batch.end <= start:
                continue
            for index, data in enumerate(batch.entries(), batch.first):
                if start <= index < end:
                    yield Entry(index, data)
            self._next = (batch.end, number + 1)

    def evidence(self, index: int) -> bytes | None:
        """Chain, contract, block and transaction of an entry, as JSON."""
        state = self._state()
        if not 0 <= index < state.size:
            return None
        for _, batch in self._batches(index, index + 1, state):
            if batch.first <= index < batch.end:
                found: dict[str, JSON] = {"chain": self._node.chain, "contract": self._contract, **batch.to_json()}
                return jcs(found)
        return None

    def _stands(self, made: Transaction, account: EvmAccount, *, guarded: bool) -> bool:
        """Whether a transaction sent before is still the one for these entries: waiting, thrown out, or a success.

        A guarded one cannot succeed twice; without the guard a success is over, and the caller asks for another.
        """
        receipt = self._node.receipt(_name(made))
        if receipt is None and self._node.nonce(account) > made.nonce:
            receipt = self._node.receipt(_name(made))  # mined in between, or another took its place
            return receipt is not None and receipt.success and guarded
        return receipt is None or (receipt.success and guarded)

    def _writer(self) -> EvmAccount:
        if self._account is None:
            raise RegistryError("this engine was opened without an account: it reads alone", code="no-account")
        return self._account

    def _check(self) -> None:
        if self._checked:
            return
        self._node.check()
        self._node.check_contract(self._contract, self._chain.genesis)
        account = self._account
        if account is not None and not self._may_write(account):
            raise RegistryError(f"{account.address} is not a writer of this contract", code="not-writer")
        self._checked = True

    def _may_write(self, account: EvmAccount) -> bool:
        address = abi.word(bytes.fromhex(account.address[2:]))
        return any(self._node.view(self._contract, abi.call_data("writers", address)))

    def _tag(self) -> str:
        if isinstance(self._finality, int):
            return abi.quantity(max(self._node.height() - self._finality, 0))
        return self._finality

    def _state(self) -> abi.LogState:
        """The contract as of the newest final block, checked against what was final before."""
        self._check()
        data = self._node.view(self._contract, abi.call_data("state"), self._tag())
        # No final block has the contract yet.
        young = not data and self._finality != "latest"
        state = abi.LogState(0, self._chain.genesis, 0) if young else abi.read_state(data)
        last = self._chain.last
        height = last.place.get("height")
        if isinstance(height, int):
            block = self._node.block(abi.quantity(height))
            if block is None:
                raise RegistryError("this node has not reached the blocks read before", code="engine-behind")
            if block[1].hex() != last.place.get("block"):
                found: JSON = {"height": height, "block": block[1].hex(), "size": state.size, "head": state.head.hex()}
                raise self._chain.contradiction(f"block {height} was final and is another one now", found)
            if state.size < last.end:
                # The same block is there, so what it holds is: this answer came from a node behind the other.
                raise RegistryError("the node answers from before the blocks it has", code="engine-behind")
        self._chain.check_end(state.size, state.head)
        return state

    def _is_final(self, receipt: Receipt) -> bool:
        final = self._node.block(self._tag())
        if final is None or receipt.height > final[0]:
            return False
        block = self._node.block(abi.quantity(receipt.height))
        return block is not None and block[1] == receipt.block

    def _outcome(self, receipt: Receipt, ticket: Ticket) -> Wait:
        if not receipt.success:
            if self._account is not None and not self._may_write(self._account):
                raise RegistryError(f"{self._account.address} is not a writer of this contract", code="not-writer")
            return Refused("stale")
        batches = [abi.read_log(log, self._contract) for log in receipt.logs]
        if len(batches) != 1 or batches[0].count != ticket.count:
            raise RegistryError("the receipt shows another append", code="bad-answer")
        return Placed(batches[0].first, ticket.count)

    def _locate(self, start: int, state: abi.LogState) -> int:
        """The number of the batch that holds an entry, by bisection on the contract."""
        if self._next[0] == start:
            return self._next[1]
        low, high = 0, state.batches
        while high - low > 1:
            middle = (low + high) // 2
            if self._marks(middle, 1)[0][0] <= start:
                low = middle
            else:
                high = middle
        return low

    def _marks(self, first: int, limit: int) -> tuple[tuple[int, int], ...]:
        data = self._node.view(self._contract, abi.call_data("marks", abi.word(first), abi.word(limit)))
        marks = abi.read_marks(data)
        if not marks or len(marks) > limit or any(a[0] >= b[0] or a[1] > b[1] for a, b in pairwise(marks)):
            raise GapError("the contract's batches are not in order")
        return marks

    def _batches(self, start: int, end: int, state: abi.LogState) -> Iterator[tuple[int, Batch]]:
        """The batches of entries `start … end-1`, each checked to continue the one before it."""
        number = self._locate(start, state)
        head = self._head_before(start, number)
        if head is None:
            number -= 1  # the batch before says what this one continues
        expected: int | None = None
        while expected is None or expected < end:
            for batch in self._windows(self._marks(number, min(_MARKS, state.batches - number))):
                if expected is not None and batch.first != expected:
                    raise GapError(f"entry {expected} is missing from the chain's logs")
                self._chain.follow(batch, head)
                if batch.end == state.size and batch.head != state.head:
                    raise GapError("the chain's logs do not give the contract's head")
                yield number, batch
                head, expected, number = batch.head, batch.end, number + 1
                if expected >= end:
                    return

    def _head_before(self, start: int, number: int) -> bytes | None:
        if number == 0:
            return self._chain.genesis
        return self._chain.last.head if start == self._chain.last.end else None

    def _windows(self, marks: Sequence[tuple[int, int]]) -> Iterator[Batch]:
        """The batches of these marks, in order, from log windows that no node cuts short unseen."""
        done = 0
        while done < len(marks):
            low = marks[done][1]
            window = [mark for mark in marks[done:] if mark[1] < low + WINDOW]
            logs = [abi.read_log(log, self._contract) for log in self._node.logs(self._contract, low, window[-1][1])]
            found = {(batch.first, batch.place["height"]): batch for batch in logs}
            for mark in window:
                batch = found.get(mark)
                if batch is None:
                    raise GapError(f"the node's logs of block {mark[1]} lack entry {mark[0]}")
                yield batch
            done += len(window)


def _name(transaction: Transaction) -> str:
    return "0x" + transaction.hash.hex()
