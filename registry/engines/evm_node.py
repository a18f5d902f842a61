"""One EVM node: what the engine asks of it, each answer checked. Legacy transactions, signed here, sent raw.

What nodes are known to get wrong in silence, and the answer to it:
- `eth_getLogs` looks at ten blocks and stops (FISCO BCOS): windows of ten blocks, and every batch is expected by name;
- `eth_sendTransaction` answers a hash of zeros: it is never called, and a sent hash must be the one computed here;
- a contract's address computed by the sender is wrong on old chains: the receipt's is taken;
- a log filter minds the case of an address, and answers come in mixed case: lower case is sent, and compared;
- on a chain with national cryptography (SM) a node may take a transaction that its peers then refuse: such a chain
  answers `hashOf` with SM3, and is refused.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

from registry.engines import evm_abi as abi
from registry.engines.calls import JsonRpc, bad_answer
from registry.engines.evm_account import EvmAccount, Transaction
from weid.canon import JSON
from weid.did import keccak256
from weid.errors import MalformedError, RegistryError
from weid.hashes import SM3

__all__ = ["MAX_INPUT", "WINDOW", "EvmNode", "Receipt"]

MAX_INPUT = 49_152  # bytes of a transaction's input on FISCO BCOS; others take more
WINDOW = 10  # blocks one `eth_getLogs` of FISCO BCOS looks at
_PROBE = b"weid"
# What nodes say of a transaction that they have, had, or have already run: what became of it is in its receipt.
_KNOWN = ("already known", "already exists", "known transaction", "nonce too low", "underpriced", "noncecheckfail",
          "alreadyintxpool", "alreadyinchain", "revert")  # fmt: skip
_FISCO = re.compile(r"FISCO-BCOS-Web3RPC/[vV]?(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A mined transaction: whether it succeeded, where, and what it logged or deployed."""

    success: bool
    height: int
    block: bytes
    logs: tuple[JSON, ...]
    contract: str | None


class EvmNode:
    """The calls of one node; `price` fixes the gas price, else the node is asked."""

    def __init__(self, rpc: JsonRpc, *, chain: int, price: int | None = None) -> None:
        self.rpc, self.chain, self._price = rpc, chain, price

    def check(self) -> None:
        """RegistryError unless this is a node of the configured chain, in a version that is known to be right."""
        found = abi.number_of(self.rpc.call("eth_chainId"))
        if found != self.chain:
            raise RegistryError(f"the node is of chain {found}, not {self.chain}", code="wrong-chain")
        version = _FISCO.match(str(self.rpc.call("web3_clientVersion")))
        if version and (int(version[1]), int(version[2])) < (3, 12):
            raise RegistryError("FISCO BCOS before 3.12 gives contracts and blocks other numbers", code="wrong-chain")

    def check_contract(self, contract: str, genesis: bytes) -> None:
        """RegistryError unless the contract is the log of this registry on a chain with Keccak."""
        if not abi.octets(self.rpc.call("eth_getCode", contract, "latest")):
            raise RegistryError(f"there is no contract at {contract}", code="no-contract")
        said = self.view(contract, abi.call_data("hashOf", tail=_PROBE))
        if said == SM3(_PROBE):
            raise RegistryError("a chain with national cryptography takes no transactions of this kind", code="sm-chain")
        if said != keccak256(_PROBE):
            raise RegistryError(f"the contract at {contract} is not a log of this kind", code="no-contract")
        if self.view(contract, abi.call_data("genesis")) != genesis:
            raise RegistryError("the contract is the log of another registry", code="wrong-registry")

    def view(self, contract: str, data: bytes, tag: str = "latest") -> bytes:
        """The answer of a view function as of a block."""
        return abi.octets(self.rpc.call("eth_call", {"to": contract, "data": "0x" + data.hex()}, tag))

    def height(self) -> int:
        """The newest block the node has."""
        return abi.number_of(self.rpc.call("eth_blockNumber"))

    def block(self, tag: str) -> tuple[int, bytes] | None:
        """Number and hash of a block, or None if the node has none such."""
        found = self.rpc.call("eth_getBlockByNumber", tag, False)
        if found is None:
            return None
        if not isinstance(found, dict):
            raise bad_answer()
        return abi.number_of(found.get("number")), abi.data_of(found.get("hash"), 32)

    def logs(self, contract: str, start: int, end: int) -> list[JSON]:
        """The `Batch` events of blocks `start … end`, both included: at most `WINDOW` blocks."""
        if not 0 <= end - start < WINDOW:
            raise ValueError("a window of logs is at most ten blocks")
        wanted: JSON = {
            "address": contract, "fromBlock": abi.quantity(start), "toBlock": abi.quantity(end), "topics": [abi.batch_topic()],
        }  # fmt: skip
        found = self.rpc.call("eth_getLogs", wanted)
        if not isinstance(found, list):
            raise bad_answer()
        return found

    def receipt(self, transaction: str) -> Receipt | None:
        """What became of a transaction, or None while it is in no block."""
        found = self.rpc.call("eth_getTransactionReceipt", transaction)
        if found is None:
            return None
        if not isinstance(found, dict) or found.get("transactionHash") != transaction:
            raise bad_answer("a receipt of another transaction")
        logs, contract = found.get("logs"), found.get("contractAddress")
        if not isinstance(logs, list) or not (contract is None or isinstance(contract, str)):
            raise bad_answer()
        success = abi.number_of(found.get("status")) == 1
        height, block = abi.number_of(found.get("blockNumber")), abi.data_of(found.get("blockHash"), 32)
        return Receipt(success, height, block, tuple(logs), contract and contract.lower())

    def nonce(self, account: EvmAccount) -> int:
        """How many transactions of an account are in blocks."""
        return abi.number_of(self.rpc.call("eth_getTransactionCount", account.address, "latest"))

    def sign(self, account: EvmAccount, to: str | None, data: bytes) -> Transaction:
        """A transaction with the account's next nonce."""
        nonce = self.nonce(account)
        price = self._price
        if price is None:
            # Never more than asked: nodes answer with what was paid last, so a surcharge would feed on itself.
            price = abi.number_of(self.rpc.call("eth_gasPrice"))
        # Generous for every rule set: 40 gas a byte of input is the floor of newer ones. What is not used is not paid.
        gas = 500_000 + 64 * len(data) + (200 * len(data) if to is None else 0)
        return account.sign(nonce=nonce, price=price, gas=gas, to=to, data=data, chain=self.chain)

    def send(self, transaction: Transaction) -> None:
        """Hand in a signed transaction; one that is known already is no error, the receipt will tell."""
        try:
            said = self.rpc.call("eth_sendRawTransaction", "0x" + transaction.raw.hex())
        except RegistryError as error:
            if error.code == "engine-refused" and any(text in str(error).lower() for text in _KNOWN):
                return
            raise
        if said != "0x" + transaction.hash.hex():
            raise bad_answer("the node answers with another transaction's hash")

    def deploy(self, account: EvmAccount, genesis: bytes, *, timeout: float = 60.0) -> str:
        """A fresh contract for one registry; its address is the receipt's."""
        self.check()
        receipt = self._done(self.sign(account, None, abi.bytecode(genesis)), timeout)
        if receipt.contract is None:
            raise RegistryError("the chain made no contract", code="engine-refused")
        address = contract_address(receipt.contract)
        self.check_contract(address, genesis)
        return address

    def allow(self, owner: EvmAccount, contract: str, address: str, *, allowed: bool, timeout: float = 60.0) -> None:
        """Say who may append; only the contract's owner can."""
        self.check()
        data = abi.call_data("setWriter", abi.word(bytes.fromhex(contract_address(address)[2:])), abi.word(int(allowed)))
        self._done(self.sign(owner, contract, data), timeout)

    def _done(self, transaction: Transaction, timeout: float) -> Receipt:
        """The receipt of a transaction that succeeded."""
        self.send(transaction)
        until = time.monotonic() + timeout
        while time.monotonic() < until:
            receipt = self.receipt("0x" + transaction.hash.hex())
            if receipt is not None:
                if not receipt.success:
                    raise RegistryError("the chain refused the transaction", code="engine-refused")
                return receipt
            time.sleep(0.02)
        raise RegistryError("the transaction is in no block yet: try again", code="pending")


def contract_address(text: str) -> str:
    """An address in lower case; MalformedError for anything else."""
    if not re.fullmatch(r"0x[0-9a-fA-F]{40}", text):
        raise MalformedError(f"{text!r} is no contract address", code="bad-address")
    return text.lower()
