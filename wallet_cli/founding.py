"""`weid registry founder` and `init`: a registry begins, with the keys of its committee in their own hands."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli import witness
from wallet_cli.committee import NEW_MEMBER
from wallet_cli.options import FILE, FOLDER, HELD, PASS
from wallet_cli.state import now, passphrase

if TYPE_CHECKING:
    from registry.genesis import Genesis, Member
    from registry.pack_committee import Founding

CHAIN = click.IntRange(1, (1 << 53) - 1)
PROFILE = click.Choice(["intl", "gm", "both"])


@click.command()
@FOLDER
@PASS
@click.option("--chain", type=CHAIN, required=True, help="Chain id of the registry that is to be.")
@click.option("--profile", type=PROFILE, default="intl", show_default=True)
@NEW_MEMBER
def founder(folder: Path, passphrase_file: str | None, chain: int, profile: str, member: str) -> None:
    """Make a founding member's key in FOLDER, before there is a registry; prints the public line for whoever founds it.

    The key stays here, sealed. Called again it prints the same line.
    """
    from wallet_cli.registry_folder import Home, member_key
    from weid.did import weid_did

    words = passphrase(passphrase_file, confirm=True)
    key = member_key(folder, Home(chain, profile), member, words, random=secrets.token_bytes).public_key
    click.echo(f"{member} {weid_did(chain, key)} {key.multikey()}")
    click.echo("Hand over this line; it holds nothing secret. Read the last eight characters aloud to compare.", err=True)


@click.command()
@FOLDER
@PASS
@click.option("--origin", help="Name of the log, e.g. registry.example.org/certificates/1.")
@click.option("--chain", type=CHAIN, help="Chain id of its DIDs: a number nobody else uses.")
@click.option("--profile", type=PROFILE, help="gm: SM2 and SM3 only; both: a second tree under SM3, signed with SM2 [intl].")
@NEW_MEMBER
@click.option("--witnesses", type=FILE, help="Witness policy (C2SP tlog-policy).")
@click.option("--founders", type=FILE, help="File with the founding members' lines, each with a weight behind it or 1.")
@click.option("--pack", type=HELD, help="Found a registry of this pack.")
@click.option("--registry", "name", help="Which of the pack's registries [its only one].")
def init(
    folder: Path, passphrase_file: str | None, origin: str | None, chain: int | None, profile: str | None, member: str,
    witnesses: Path | None, founders: Path | None, pack: Path | None, name: str | None,
) -> None:  # fmt: skip
    """Make a new registry in FOLDER: operator keys, genesis, first tick, and a committee.

    The committee is one member whose key is made here, or with --founders those whose lines are in the file. With --pack
    origin, chain, seats and rules are the pack's; it says whose lines are missing before anything is made.
    """
    from registry.genesis import fingerprint
    from wallet_cli.registry_folder import create_registry
    from weid.codec import minutes

    found = None if pack is None else _of_pack(pack, name)
    if found is not None:
        origin, chain, profile = found.origin, found.chain, found.profile
    if origin is None or chain is None:
        raise click.UsageError("name --origin and --chain, or a --pack that has them")
    profile = profile or "intl"
    lines = [] if founders is None else _lines(founders.read_text("utf-8"), chain)
    alone, weight = (member, 1) if found is None else (found.seats[0].party, found.seats[0].weight)
    members = [] if not lines and (found is None or len(found.seats) == 1) else _seated(lines, found, chain, profile)
    made = create_registry(
        folder, origin=origin, chain=chain, profile=profile, members={} if members else {alone: weight},
        passphrase=passphrase(passphrase_file, confirm=True), minute=minutes(now()), random=secrets.token_bytes,
        witnesses="quorum none\n" if witnesses is None else witness.read_policy(witnesses), founders=members,
        floors=None if found is None else found.floors,
    )  # fmt: skip
    click.echo(made.pin.hex())
    click.echo(f"The registry is ready. Its fingerprint, to compare aloud: {fingerprint(made.pin)}", err=True)
    click.echo(f"Give {folder / 'genesis.json'} to everybody who is to trust it (`weid trust add`).", err=True)
    if members:
        click.echo(
            "Each member takes its seat once the node runs: weid registry join FOLDER genesis.json --member NAME", err=True
        )
    _rules(folder, found, made.genesis, [line[0] for line in lines] or [alone])
    made.close()


def _of_pack(folder: Path, name: str | None) -> Founding:
    from registry.pack_committee import read_founding
    from wallet_cli.pack import load_pack

    pack = load_pack(folder)
    names = [*pack.section("trust").get("registries", {})]  # type: ignore[misc]
    if name is None and len(names) != 1:
        raise click.UsageError(f"the pack has the registries {', '.join(names)}: choose with --registry")
    return read_founding(pack, name or names[0])


def _lines(text: str, chain: int) -> list[tuple[str, Member]]:
    """(the name in the line, the member) of each line; UsageError for a key that is not of its DID and chain."""
    from registry.genesis import Member
    from weid.did import weid_did
    from weid.errors import WeidError
    from weid.keys import PublicKey

    found = []
    for line in text.splitlines():
        words = line.split("#")[0].split()
        if not words:
            continue
        if len(words) not in (3, 4) or not (words[3:] or ["1"])[0].isdigit():
            raise click.UsageError(f"a founder's line is NAME DID KEY and perhaps a weight: {line.strip()[:80]}")
        try:
            key = PublicKey.from_multikey(words[2])
        except WeidError as error:
            raise click.UsageError(f"the key of {words[0]} is not one: {error}") from error
        if str(weid_did(chain, key)) != words[1]:
            raise click.UsageError(f"the line of {words[0]} was changed, or is for another chain than {chain}")
        found.append((words[0], Member(words[1], words[0], int((words[3:] or ["1"])[0]), key)))
    if len({name for name, _ in found}) != len(found):
        raise click.UsageError("two lines have one name")
    return found


def _seated(lines: Sequence[tuple[str, Member]], found: Founding | None, chain: int, profile: str) -> list[Member]:
    """The members of the genesis; with a pack its seats, names and weights, each with the line of its party."""
    from dataclasses import replace

    if found is None:
        return [member for _, member in lines]
    held = dict(lines)
    missing = [seat for seat in found.seats if seat.party not in held]
    for seat in missing:
        click.echo(f"{seat.name} has not handed in a line. There:", err=True)
        click.echo(f"  weid registry founder FOLDER --member {seat.party} --chain {chain} --profile {profile}", err=True)
    strangers = sorted(set(held) - {seat.party for seat in found.seats})
    if strangers:
        raise click.UsageError(f"the pack gives no seat to {', '.join(strangers)}")
    if missing:
        raise click.UsageError("nothing was made: put the lines of all members in one file and name it with --founders")
    return [replace(held[seat.party], name=seat.name, weight=seat.weight) for seat in found.seats]


def _rules(folder: Path, found: Founding | None, genesis: Genesis, members: Sequence[str]) -> None:
    """What the pack asks for beyond the genesis is the committee's to set: the commands that do it."""
    rules = {} if found is None else found.rules
    if not rules:
        return
    together = " --propose" if len(genesis.committee) > 1 else ""
    click.echo("The pack's rules are set by the committee, once the node runs (or on its page Committee):", err=True)
    for category, values in rules.items():
        options = " ".join(f"--{name} {value}" for name, value in values.items())
        click.echo(f"weid registry set-rule {folder} --member {members[0]}{together} {category} {options}", err=True)


COMMANDS = (founder, init)
