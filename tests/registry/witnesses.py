"""Witnesses for tests: their keys, a policy over them, and a service each with its memory on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from registry.cosignature import CosignerKey
from registry.policy import Group, Policy, Witness, print_policy
from registry.witness.service import WitnessService
from registry.witness.store import WitnessStore
from tests.registry.world import START
from weid.errors import RegistryError
from weid.keys import LocalSigner
from weid.suites import suite


def witness_signer(number: int, name: str = "ed25519") -> LocalSigner:
    """The witness's signer, the same every time."""
    secret = bytes([100 + number]) * suite(name).secret_bytes
    return LocalSigner(secret, name, f"witness.example/{number}", "witness")


def policy_of(signers: list[LocalSigner], threshold: int, *, urls: bool = True) -> str:
    """Policy text: `threshold` of these witnesses."""
    listed = tuple(
        Witness(f"w{n}", CosignerKey(signer.kid, signer.public_key), f"https://w{n}.example" if urls else None)
        for n, signer in enumerate(signers)
    )
    group = Group("enough", threshold, tuple(witness.name for witness in listed))
    return print_policy(Policy(witnesses=listed, groups=(group,), quorum="enough"))


@dataclass
class Witnesses:
    """Services by name in the policy, reached without a network; `down` do not answer."""

    services: dict[str, WitnessService]
    down: tuple[str, ...] = ()
    seconds: int = START * 60

    @classmethod
    def of(cls, folder: Path, signers: list[LocalSigner], *genesis: bytes) -> Witnesses:
        made = cls({})
        for n, signer in enumerate(signers):
            store = WitnessStore(folder / f"w{n}")
            for data in genesis:
                store.watch(data)
            made.services[f"w{n}"] = WitnessService(signer.kid, (signer,), store, lambda: made.seconds)
        return made

    def ask(self, witness: Witness, body: bytes) -> tuple[int, bytes]:
        """What the client asks over HTTP elsewhere."""
        if witness.name in self.down:
            raise RegistryError("down", code="unreachable")
        answer = self.services[witness.name].add_checkpoint(body)
        return answer.status, answer.body.encode()
