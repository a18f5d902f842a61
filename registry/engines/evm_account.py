"""The engine's own account: a secp256k1 key in a sealed file, never a DID key (rule R1).

Transactions are signed here and sent raw: the `eth_sendTransaction` of some nodes answers success and sends nothing.
Needs the extra `weid[evm]`, imported when an account is used and not before: reading a chain needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from weid.errors import MalformedError, RegistryError
from weid.sealed import Passphrase, seal, unseal
from weid.suites import Random

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

__all__ = ["EvmAccount", "Transaction"]

_KIND = "engine-account"
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@dataclass(frozen=True, slots=True)
class Transaction:
    """A signed transaction, its hash and the nonce it uses up."""

    raw: bytes
    hash: bytes
    nonce: int


class EvmAccount:
    """Signs legacy transactions with a gas price: every chain this adapter is for takes those."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) != 32 or not 0 < int.from_bytes(secret, "big") < _ORDER:
            raise MalformedError("an account's key is 32 bytes below the order of secp256k1")
        try:
            from eth_account import Account
        except ImportError as error:
            raise RegistryError("an EVM engine needs more: pip install 'weid[evm]'", code="missing-extra") from error
        self._secret = secret
        self._account: LocalAccount = Account.from_key(secret)
        self.address = self._account.address.lower()

    @classmethod
    def open(cls, sealed: bytes, passphrase: str | Passphrase) -> EvmAccount:
        """The account of a sealed file; errors as `weid.sealed.unseal`."""
        return cls(unseal(sealed, passphrase, kind=_KIND))

    def sealed(self, passphrase: str | Passphrase, *, random: Random, cost: int | None = None) -> bytes:
        """The sealed file; its address stays readable."""
        return seal(self._secret, passphrase, kind=_KIND, random=random, meta={"address": self.address}, cost=cost)

    def sign(self, *, nonce: int, price: int, gas: int, to: str | None, data: bytes, chain: int) -> Transaction:
        """A signed transaction to a contract, or one that deploys (`to` None)."""
        fields: dict[str, int | bytes] = {
            "nonce": nonce, "gasPrice": price, "gas": gas, "value": 0, "data": data, "chainId": chain,
        }  # fmt: skip
        if to is not None:
            fields["to"] = bytes.fromhex(to[2:])
        made = self._account.sign_transaction(fields)  # type: ignore[arg-type]  # dict is invariant
        return Transaction(bytes(made.raw_transaction), bytes(made.hash), nonce)
