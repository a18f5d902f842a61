"""`weid registry vote …`: how a committee decides together, and how it changes itself (R24)."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wallet_cli.committee import NEW_MEMBER, decides, say, signs
from wallet_cli.options import FILE, FOLDER, HELD_FOLDER, NODE, OUTPUT, PASS
from wallet_cli.state import node_key, now, passphrase, write_atomic

if TYPE_CHECKING:
    from issuer_app.office import Office
    from weid.governance import ProposalRecord, RuleRecord

YEAR = 366 * 24 * 60
CATEGORY = click.Choice(["issuer", "key", "membership", "recognition", "recovery", "role", "rules", "schema"])


@click.command()
@FOLDER
@click.argument("genesis", type=FILE)
@PASS
@NODE
@NEW_MEMBER
def join(folder: Path, genesis: Path, passphrase_file: str | None, node: str, member: str) -> None:
    """Make a key and a DID in FOLDER for a future committee member; prints the DID, which the others admit.

    If it breaks off, the same command goes on with the key that it made.
    """
    from registry import operations as ops
    from registry.genesis import parse_genesis
    from registry.node.client import RegistryClient
    from wallet_cli.registry_folder import member_key
    from weid.errors import WeidError

    data, held = genesis.read_bytes(), folder / "genesis.json"
    parsed = parse_genesis(data)
    if held.exists() and held.read_bytes() != data:
        raise WeidError(f"{folder} is of another registry: join from a folder of its own", code="exists")
    words = passphrase(passphrase_file, confirm=True)
    signer = member_key(folder, parsed, member, words, random=secrets.token_bytes)
    if not held.exists():
        write_atomic(held, data)
    author, client = ops.Author.of(parsed, signer, secrets.token_bytes), RegistryClient.http(parsed, node, key=node_key())
    done = client.submit(ops.did_create(author, [signer]).data)
    if done.code != "already-exists":  # an earlier run's answer was lost: nobody else can register this key's DID
        done.require()
    click.echo(author.did)
    click.echo(f"Registered. A member admits it with: weid registry set-member FOLDER {author.did} NAME WEIGHT", err=True)


@click.command("set-member")
@decides
@click.argument("did")
@click.argument("name")
@click.argument("weight", type=click.IntRange(0, 1_000_000))
def set_member(office: Office, did: str, name: str, weight: int) -> None:
    """Admit a registered DID to the committee under NAME with a voting WEIGHT, change its weight, or remove it (0)."""
    office.set_member(did, name, weight)
    say(office, f"{did} has a voting weight of {weight}." if weight else f"{did} is no longer a member.")


@click.command("set-rule")
@decides
@click.argument("category", type=CATEGORY)
@click.option("--agree", type=click.IntRange(1, 1_000_000_000), help="Least weight in favour.")
@click.option("--participates", type=click.IntRange(0, 100), help="Least percent of all weight that has voted; 0: any.")
@click.option("--win", type=click.IntRange(0, 100), help="Least percent of the voted weight in favour; 0: any.")
@click.option("--delay", type=click.IntRange(0, YEAR), help="Timelock in minutes of log time.")
@click.option("--period", type=click.IntRange(1, YEAR), help="Minutes for which a vote is open.")
def set_rule(office: Office, category: str, **changed: int | None) -> None:
    """Change how decisions of a CATEGORY pass; what is not named stays as it is. Open proposals keep their rule."""
    from weid.codec import minutes

    held: RuleRecord = _record(office, "rule", category, minutes(now()))
    asked = {name: value for name, value in changed.items() if value is not None}
    values = {name: getattr(held, name) for name in ("agree", "participates", "win", "delay", "period")} | asked
    office.set_rule(category, **values)
    say(office, f"decisions about {category} pass by the new rule.")


@click.command()
@signs
def members(office: Office) -> None:
    """Who decides, with which weight, and by which rules."""
    from weid.codec import minutes, rfc3339

    facts = office.facts(minutes(now()))
    for found in facts.find("member", ""):
        item = found.record
        click.echo(f"{item.did}  weight {item.weight}  {item.name}  since {rfc3339(item.since)}")
    for found in facts.find("rule", ""):
        rule = found.record
        click.echo(
            f"{rule.category}: at least {rule.agree} in favour, {rule.participates}% voting, {rule.win}% of the votes; "
            f"waits {rule.delay} minutes; open for {rule.period} minutes"
        )


@click.command()
@signs
def proposals(office: Office) -> None:
    """What is being voted on: id, operation, votes, and what is missing."""
    from weid.codec import minutes

    at = minutes(now())
    found = [item.record for item in office.facts(at).find("proposal", "")]
    for record in sorted(found, key=lambda item: item.opened):
        click.echo(f"{record.id.hex()}  {record.type}  {record.sub}")
        for line in _told(record, at):
            click.echo(f"  {line}")
    if not found:
        click.echo("Nothing is being voted on.", err=True)


@click.command()
@signs
@click.argument("proposal")
@click.argument("word", type=click.Choice(["yes", "no"]))
def vote(office: Office, proposal: str, word: str) -> None:
    """Vote on a PROPOSAL; voting again replaces your vote while it is open."""
    office.vote(_id(proposal), word == "yes")
    click.echo(f"Your vote counts: {word}.", err=True)


@click.command()
@signs
@click.argument("proposal")
def execute(office: Office, proposal: str) -> None:
    """Do what a PROPOSAL says, once it has passed and waited its time."""
    office.execute(_id(proposal))
    click.echo("Done: the proposal is executed.", err=True)


@click.command()
@signs
@click.argument("proposal")
def cancel(office: Office, proposal: str) -> None:
    """Take your own PROPOSAL back."""
    office.cancel(_id(proposal))
    click.echo("The proposal is withdrawn.", err=True)


@click.command("ask-recovery")
@HELD_FOLDER
@PASS
@NODE
@NEW_MEMBER
@click.argument("did")
@OUTPUT
def ask_recovery(folder: Path, passphrase_file: str | None, node: str, member: str, did: str, output: Path) -> None:
    """Make a new key in FOLDER for a DID whose keys are lost, and a request that the committee decides about."""
    from registry import bodies
    from registry import operations as ops
    from registry import proposals as builders
    from registry.genesis import parse_genesis
    from registry.node.client import RegistryClient
    from wallet_cli.registry_folder import member_key
    from weid import cbor
    from weid.did import key_id
    from weid.errors import NotRegisteredError
    from weid.records import encode_record

    genesis, words = parse_genesis((folder / "genesis.json").read_bytes()), passphrase(passphrase_file)
    client = RegistryClient.http(genesis, node, key=node_key())
    client.refresh()
    record = client.record("did", did)
    if record is None:
        raise NotRegisteredError(f"{did} is not registered here")
    number = max(key.number for key in record.keys) + 1
    signer = member_key(folder, genesis, member, words, random=secrets.token_bytes, kid=key_id(did, number))
    author = ops.Author.of(genesis, signer, secrets.token_bytes)
    ends = [bodies.KeyEnd(key.number, "retired", None) for key in record.keys if key.end is None and key.role == "log-op"]
    body = builders.recovery(author, did, record.last_op, add=[signer], end=ends)
    write_atomic(output, cbor.encode([_REQUEST, did, encode_record(body)]))
    click.echo(str(output))
    click.echo("Give it to a member of the committee: weid registry recover FOLDER FILE --propose", err=True)


@click.command()
@decides
@click.argument("request", type=FILE)
def recover(office: Office, request: Path) -> None:
    """Give a DID whose keys are lost the new key its holder asks for in the REQUEST file. Be sure who asks."""
    from registry.bodies import DidRecover
    from weid import cbor
    from weid.errors import MalformedError
    from weid.records import decode_record

    match cbor.decode(request.read_bytes(), max_bytes=1 << 16):
        case (str(head), str(did), tuple(body)) if head == _REQUEST:
            office.recover(did, decode_record(DidRecover, body))
        case _:
            raise MalformedError(f"{request.name} is not a recovery request")
    say(office, f"{did} has its new key; the lost ones sign nothing more.")


_REQUEST = "weid/recovery-request/v1"


def _told(record: ProposalRecord, at: int) -> list[str]:
    from weid.codec import rfc3339

    total = sum(seat.weight for seat in record.electorate)
    agree = sum(record.weight(word.did) for word in record.votes if word.agree)
    against = sum(record.weight(word.did) for word in record.votes if not word.agree)
    lines = [f"{agree} for, {against} against, of {total}; open until {rfc3339(record.closes)}"]
    if record.due is None:
        lines.append("not enough votes yet")
    elif at < record.due:
        lines.append(f"passed; may be executed from {rfc3339(record.due)}")
    else:
        lines.append("passed; execute it now")
    return lines


def _record(office: Office, kind: str, key: str, at: int) -> Any:
    from weid.errors import ResolutionError
    from weid.facts import Found

    answer = office.facts(at).fact(kind, key)
    if not isinstance(answer, Found):
        raise ResolutionError(f"the registry has no {kind} {key}", code="not-registered")
    return answer.record


def _id(text: str) -> bytes:
    from weid.codec import unhex
    from weid.errors import MalformedError

    found = unhex(text)
    if len(found) != 32:
        raise MalformedError("a proposal is named by 64 hex digits")
    return found


COMMANDS = (
    join, members, set_member, set_rule, proposals, vote, execute, cancel, ask_recovery, recover,
)  # fmt: skip
