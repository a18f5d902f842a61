"""Witness policies (C2SP tlog-policy): who may cosign a checkpoint, and which of them together are enough.

A group may hold groups, so each jurisdiction can be asked for its own majority:

    witness mo1 <vkey> https://…      group mo 2 mo1 mo2 mo3
    witness gd1 <vkey>                group gd any gd1 gd2
    group both all mo gd              quorum both

`parse_policy` reads what C2SP allows (comments, blanks); `print_policy` has one spelling, the one a genesis must have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from registry.cosignature import CosignerKey, verify_cosignature
from registry.note import Note, NoteKey, verify_note
from weid.errors import MalformedError, TrustError
from weid.keys import PublicKey

__all__ = ["NO_WITNESSES", "Group", "Log", "Policy", "Witness", "parse_policy", "print_policy", "verify_quorum"]

NONE = "none"
MAX_BYTES = 1 << 18
_LIMIT = 64  # logs, witnesses and groups, each; C2SP asks for 32 at least
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_BLANK = re.compile("[ \t]+")


@dataclass(frozen=True, slots=True)
class Log:
    """A log that is known, and perhaps where it is."""

    key: NoteKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Witness:
    """A witness: its name in this policy, its key, and perhaps the prefix it takes checkpoints under."""

    name: str
    key: CosignerKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """`threshold` of these members, witnesses or groups, are enough for the group."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy whose names are all defined; construct with `parse_policy`, or check with `print_policy`."""

    logs: tuple[Log, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: tuple[Group, ...] = ()
    quorum: str = NONE

    @property
    def needed(self) -> bool:
        """Whether any cosignature is asked for."""
        return self.quorum != NONE

    def met(self, witnesses: Iterable[str]) -> bool:
        """Whether these witnesses together are a quorum; what is no name of a witness counts nothing."""
        have = {witness.name for witness in self.witnesses} & set(witnesses)
        for group in self.groups:  # each refers only to names before it
            if sum(member in have for member in group.members) >= group.threshold:
                have.add(group.name)
        return not self.needed or self.quorum in have

    def time(self, times: Mapping[str, int]) -> int | None:
        """The newest moment that a quorum vouches for: one witness with a wrong clock moves it nowhere; None without one."""
        if not self.needed:
            return None
        for moment in sorted(set(times.values()), reverse=True):
            if self.met(name for name, at in times.items() if at >= moment):
                return moment
        return None


NO_WITNESSES = Policy()


def print_policy(policy: Policy) -> str:
    """The text of a policy; MalformedError `policy` if it breaks a rule."""
    _check(policy)
    lines = [_line("log", log.key.text(), log.url) for log in policy.logs]
    lines += [_line("witness", w.name, w.key.text(), w.url) for w in policy.witnesses]
    lines += [_line("group", g.name, _threshold(g), *g.members) for g in policy.groups]
    return "".join([*lines, f"quorum {policy.quorum}\n"])


def parse_policy(text: str) -> Policy:
    """The policy of a text as C2SP defines it; MalformedError `policy` for anything else."""
    if len(text) > MAX_BYTES or _CONTROL.search(text) or not text.endswith("\n"):
        raise _bad("a policy is text of a limited size, in lines")
    logs: list[Log] = []
    witnesses: list[Witness] = []
    groups: list[Group] = []
    quorum: list[str] = []
    for line in text[:-1].split("\n"):
        words = [word for word in _BLANK.split(line) if word]
        if not words or words[0].startswith("#"):
            continue
        match words:
            case ["log", key] | ["log", key, _]:
                logs.append(Log(NoteKey.parse(key), words[2] if len(words) == 3 else None))
            case ["witness", name, key] | ["witness", name, key, _]:
                witnesses.append(Witness(name, CosignerKey.parse(key), words[3] if len(words) == 4 else None))
            case ["group", name, count, _, *_]:
                _known(words[3:], witnesses, groups)
                groups.append(Group(name, _count(count, len(words) - 3), tuple(words[3:])))
            case ["quorum", name]:
                _known([name] if name != NONE else [], witnesses, groups)
                quorum.append(name)
            case _:
                raise _bad("a line of a policy is log, witness, group or quorum")
    if len(quorum) != 1:
        raise _bad("a policy has exactly one quorum line")
    policy = Policy(tuple(logs), tuple(witnesses), tuple(groups), quorum[0])
    _check(policy)
    return policy


def verify_quorum(note: Note, log: NoteKey, policy: Policy) -> Mapping[str, int]:
    """The times, by witness, of a checkpoint note that has the log's signature and a quorum of cosignatures.

    Every line is checked: the log's first, then witnesses in the policy's order, each once. A line of anybody else is
    refused (`unknown-cosigner`): C2SP ignores it, but what nobody checks, a courier could change at will (R27).
    TrustError `no-signature`, `no-quorum`; SignatureError for a line that is wrong.
    """
    first, *rest = note.signatures
    if (first.name, first.key_id) != (log.name, log.key_id):
        raise TrustError("the first signature of a checkpoint is the log's", code="no-signature")
    verify_note(note, log, "log")
    times: dict[str, int] = {}
    remaining = list(policy.witnesses)
    for line in rest:
        while remaining and (remaining[0].key.name, remaining[0].key.key_id) != (line.name, line.key_id):
            remaining.pop(0)
        if not remaining:
            raise TrustError(f"the policy has no place here for a line of {line.name}", code="unknown-cosigner")
        witness = remaining.pop(0)
        times[witness.name] = verify_cosignature(note.text, line, witness.key)
    if not policy.met(times):
        raise TrustError("the checkpoint has not the witnesses that the policy asks for", code="no-quorum")
    return times


def _check(policy: Policy) -> None:
    if max(len(policy.logs), len(policy.witnesses), len(policy.groups)) > _LIMIT:
        raise _bad(f"a policy has at most {_LIMIT} logs, witnesses and groups each")
    _check_keys([log.key.key for log in policy.logs])
    _check_keys([witness.key.key for witness in policy.witnesses])
    names: set[str] = set()
    for name in [witness.name for witness in policy.witnesses] + [group.name for group in policy.groups]:
        if name == NONE or name in names or not _plain(name):
            raise _bad(f"{name!r} is no new name")
        names.add(name)
    if len({(w.key.name, w.key.key_id) for w in policy.witnesses}) != len(policy.witnesses):
        raise _bad("two witnesses would sign under one name and key id")
    known = {witness.name for witness in policy.witnesses}
    used: set[str] = set()
    for group in policy.groups:
        members = set(group.members)
        # A witness counts in one way only, so no name is a member twice, anywhere.
        if len(members) != len(group.members) or not members <= known or members & used:
            raise _bad(f"a member of {group.name} is unknown or counted twice")
        if not 1 <= group.threshold <= len(members):
            raise _bad(f"the threshold of {group.name} is between 1 and its members")
        used |= members
        known.add(group.name)
    if policy.quorum != NONE and policy.quorum not in known:
        raise _bad(f"the quorum {policy.quorum!r} is not defined")
    urls = [log.url for log in policy.logs] + [witness.url for witness in policy.witnesses]
    if any(not _plain(url) for url in urls if url is not None):
        raise _bad("a URL is one word")


def _check_keys(keys: Sequence[PublicKey]) -> None:
    if len({(key.suite, key.data) for key in keys}) != len(keys):
        raise _bad("one key stands in a policy twice")


def _known(names: Sequence[str], witnesses: Sequence[Witness], groups: Sequence[Group]) -> None:
    defined = {witness.name for witness in witnesses} | {group.name for group in groups}
    if any(name not in defined for name in names):
        raise _bad("a name is used before the line that defines it")


def _count(text: str, members: int) -> int:
    if text in ("all", "any"):
        return members if text == "all" else 1
    if not (text.isascii() and text.isdigit() and len(text) <= 3) or text[0] == "0":
        raise _bad("a threshold is all, any or a number")
    return int(text)


def _threshold(group: Group) -> str:
    if group.threshold == len(group.members):
        return "all"
    return "any" if group.threshold == 1 else str(group.threshold)


def _line(*words: str | None) -> str:
    return " ".join(word for word in words if word is not None) + "\n"


def _plain(word: str) -> bool:
    return bool(word) and not _CONTROL.search(word) and not set(word) & {" ", "\t", "\n"} and not word.startswith("#")


def _bad(message: str) -> MalformedError:
    return MalformedError(message, code="policy")
