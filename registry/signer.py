"""The keys of a registry's operator, and the memory that keeps them from signing a fork.

The high-water mark is a small file outside the database: a database restored from an older backup must not
sign a second history. It is written (fsync, rename) before the signature is given out, so a crash can only
make it too careful.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from registry.authority import KEYS, Authority, Link
from registry.checkpoint import Checkpoint, decimal, print_checkpoint
from registry.genesis import Genesis
from registry.note import Note, sign_note
from registry.statement import Statement, print_statement, statement_digest
from registry.twin import Twin, print_twin
from weid.codec import unhex
from weid.errors import KeyMaterialError, MalformedError, RollbackError
from weid.keys import PublicKey, Signer

__all__ = ["HighWater", "OperatorKeys"]

_HEAD = "weid/high-water/v1"
_NONE = bytes(32)


@dataclass(frozen=True, slots=True)
class HighWater:
    """The largest tree and the newest statement ever signed."""

    origin: str
    genesis: bytes
    size: int = 0
    root: bytes = _NONE
    state_size: int = 0
    state: bytes = _NONE

    def to_bytes(self) -> bytes:
        """The file: seven lines."""
        lines = (_HEAD, self.origin, self.genesis.hex(), self.size, self.root.hex(), self.state_size, self.state.hex())
        return ("\n".join(map(str, lines)) + "\n").encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> HighWater:
        """The mark of exactly these bytes; MalformedError otherwise, and then nothing is signed."""
        try:
            lines = data.decode("utf-8").split("\n")
        except UnicodeDecodeError as error:
            raise MalformedError("not a high-water file") from error
        if len(lines) != 8 or lines[0] != _HEAD or lines[7]:
            raise MalformedError("not a high-water file")
        genesis, root, state = unhex(lines[2]), unhex(lines[4]), unhex(lines[6])
        if not len(genesis) == len(root) == len(state) == 32:
            raise MalformedError("not a high-water file")
        return cls(lines[1], genesis, decimal(lines[3]), root, decimal(lines[5]), state)


class OperatorKeys:
    """Signs checkpoints, statements and operator operations of one registry; refuses whatever is older."""

    def __init__(
        self, genesis: Genesis, *, log: Signer, state: Signer, operator: Signer, mark: Path, spare: Sequence[Signer] = (),
        rotated: bool = False, more: Callable[[], Sequence[Signer]] | None = None, twin: Signer | None = None,
    ) -> None:  # fmt: skip
        """`rotated`: the keys may be later ones than the genesis names; opening the log says which of them count.

        `more` gives the keys that are held now: another process may have changed one since (`weid registry rotate-key`).
        """
        held = [("log", log), ("state", state), ("operator", operator)] + ([] if twin is None else [("twin", twin)])
        for what, signer in held:
            if signer.role != KEYS[what]:
                raise KeyMaterialError(f"the {what} key has another role", code="wrong-key")
        self._spare, self._more = [*held, *_named(spare)], more
        self._genesis, self._path = genesis, mark
        self._empty = HighWater(genesis.origin, genesis.digest)
        self.mark = self._read()
        self._log, self._state, self.operator, self._twin = log, state, operator, twin
        if not rotated:
            self.follow(Authority.of(genesis))

    def reload(self) -> None:
        """Read the mark again: another process of this operator may have signed since."""
        self.mark = self._read()

    def holds(self, what: str, key: PublicKey) -> bool:
        """Whether a key is held here: the one in force, or one that may come into force; none that was replaced before."""
        return self._found(what, key) is not None

    def follow(self, authority: Authority) -> None:
        """Sign with the keys in force from here on (R21); KeyMaterialError `wrong-key` if one of them is not here.

        `spare` are keys that may come into force, or were before: a key is chosen by what it is, not by its file.
        """
        self._log, self._state, self.operator = (self._holding(authority, what) for what in ("log", "state", "operator"))
        self._twin = None if authority.twin is None else self._holding(authority, "twin")
        if self.operator.kid != self._genesis.operator_kid:
            raise KeyMaterialError(f"the operator key is called {self._genesis.operator_kid}", code="wrong-key")

    def _holding(self, authority: Authority, what: str) -> Signer:
        found = self._found(what, authority.key(what))
        if found is None:
            raise KeyMaterialError(f"the {what} key in force is not here", code="wrong-key")
        return found

    def _found(self, what: str, key: PublicKey) -> Signer | None:
        for again in (False, True):
            if again and self._more is not None:
                self._spare += _named(self._more())
            for name, signer in self._spare:
                if name == what and signer.public_key == key:
                    return signer
        return None

    def change(self, authority: Authority, what: str, fresh: Signer) -> Link:
        """The link by which the key in force passes to a fresh one: signed by both; the fresh one is held for when it counts."""
        if fresh.role != KEYS[what]:
            raise KeyMaterialError(f"the {what} key has another role", code="wrong-key")
        payload, key = authority.payload(what, fresh.public_key), fresh.public_key
        self._spare.append((what, fresh))
        old, new = (signer.sign("weid/key-change/v1", payload) for signer in (self._holding(authority, what), fresh))
        return Link(len(authority.links) + 1, what, key.suite, key.data, old, new, "", b"")

    def begin(self) -> None:
        """Write the first mark of a new registry; RollbackError if there is one already."""
        self.follow(Authority.of(self._genesis))
        if self._path.exists():
            raise RollbackError(f"{self._path.name} belongs to a registry that signed before", code="mark-exists")
        self._write(self._empty)

    def check(self, size: int, root_at: Callable[[int], bytes]) -> None:
        """RollbackError if a log of this size does not contain everything signed before."""
        mark = self.mark
        if not self._path.exists():
            raise RollbackError("the high-water mark is missing: nothing is signed without it", code="mark-missing")
        if size < mark.size:
            raise RollbackError(f"the log has {size} entries, but {mark.size} were signed", code="older-log")
        if mark.size and root_at(mark.size) != mark.root:
            raise RollbackError(f"the first {mark.size} entries are not those signed before", code="other-history")

    def sign_checkpoint(self, checkpoint: Checkpoint, root_at: Callable[[int], bytes]) -> Note:
        """A checkpoint note, if it continues everything signed before."""
        self.check(checkpoint.size, root_at)
        if (checkpoint.size, checkpoint.root) != (self.mark.size, self.mark.root):
            self._write(replace(self.mark, size=checkpoint.size, root=checkpoint.root))
        return sign_note(print_checkpoint(checkpoint), self._genesis.origin, self._log)

    def sign_twin(self, twin: Twin) -> Note:
        """Both roots of the tree that was signed last: what the log key has not signed, the twin key does not either."""
        if self._twin is None:
            raise KeyMaterialError("the twin key is not here", code="wrong-key")
        if (twin.size, twin.root) != (self.mark.size, self.mark.root):
            raise RollbackError("the two trees are not those whose checkpoint was signed last", code="other-history")
        return sign_note(print_twin(twin), self._genesis.origin, self._twin)

    def sign_statement(self, statement: Statement) -> Note:
        """A state statement note: newer than the last one, or the same one again."""
        digest = statement_digest(statement, hash=self._genesis.hash)
        if statement.size < self.mark.state_size:
            raise RollbackError(f"a state for {self.mark.state_size} entries was signed", code="older-state")
        if statement.size == self.mark.state_size and self.mark.state not in (_NONE, digest):
            raise RollbackError("another state of this size was signed", code="other-state")
        self._write(replace(self.mark, state_size=statement.size, state=digest))
        return sign_note(print_statement(statement), self._genesis.origin, self._state)

    def sign_kept(self, payload: bytes) -> bytes:
        """The signature by which the state key vouches for a state that this operator's own node keeps (`registry.kept`)."""
        return self._state.sign("weid/kept-state/v1", payload)

    def _read(self) -> HighWater:
        try:
            mark = HighWater.from_bytes(self._path.read_bytes())
        except FileNotFoundError:
            return self._empty
        if (mark.origin, mark.genesis) != (self._empty.origin, self._empty.genesis):
            raise RollbackError(f"{self._path.name} belongs to another registry", code="mark-foreign")
        return mark

    def _write(self, mark: HighWater) -> None:
        fresh = self._path.with_name(self._path.name + ".new")
        with fresh.open("wb") as file:
            file.write(mark.to_bytes())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        self.mark = mark


def _named(signers: Sequence[Signer]) -> list[tuple[str, Signer]]:
    """Each with what it signs for, by its role."""
    return [(what, signer) for signer in signers for what, role in KEYS.items() if signer.role == role]
