"""`weid registry witness …`, `cosign`, `evidence`: who watches a log, and what they found (R7, R20, R21)."""

from __future__ import annotations

import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.keys import make_key
from wallet_cli.options import FILE, FOLDER, NEW_FILE, OUTPUT, PASS, PORT, SIGNING_NAME
from wallet_cli.state import echo, passphrase, read_input, write_atomic
from weid.errors import MalformedError, RegistryError, WeidError

if TYPE_CHECKING:
    from registry.log import Registry
    from registry.witness.client import Asked
    from registry.witness.core import Answer
    from registry.witness.service import WitnessService
    from registry.witness.store import WitnessStore
    from weid.keys import LocalSigner


@click.group()
def witness() -> None:
    """Be a witness: init, add, follow, list, sign, approve, serve. It cosigns a log only if that continues what it saw."""


@witness.command()
@FOLDER
@PASS
@SIGNING_NAME
@click.option("--suite", type=click.Choice(["ed25519", "ml-dsa-44", "sm2"]), default="ed25519", show_default=True)
def init(folder: Path, passphrase_file: str | None, name: str, suite: str) -> None:
    """Make a witness in FOLDER: a key and an empty memory. Prints the verifier key for policy files."""
    from registry.cosignature import CosignerKey
    from registry.witness.store import WitnessStore

    if (folder / "witness.json").exists():
        raise WeidError(f"{folder} holds a witness already", code="exists")
    words = passphrase(passphrase_file, confirm=True)
    WitnessStore(folder).close()
    key = make_key(folder / "witness.json", suite, name, "witness", words, random=secrets.token_bytes)
    click.echo(CosignerKey(name, key).text())
    click.echo("Give this line to the registries that are to name you in their policy.", err=True)


@witness.command()
@FOLDER
@click.argument("genesis")
def add(folder: Path, genesis: str) -> None:
    """Watch the log of a GENESIS file. Compare its fingerprint with one from another channel."""
    from registry.genesis import fingerprint

    store = _store(folder)
    known = store.watch(read_input(genesis))
    echo(f"{known.origin}  {fingerprint(known.digest)}")
    store.close()


@witness.command()
@FOLDER
@click.argument("chain")
def follow(folder: Path, chain: str) -> None:
    """Take over the keys of a CHAIN file (`weid registry rotate-key` writes it): old and new keys have signed it (R21)."""
    store = _store(folder)
    authority = store.follow(read_input(chain))
    echo(f"{authority.genesis.origin}: {len(authority.links)} changes")
    store.close()


@witness.command("list")
@FOLDER
def list_(folder: Path) -> None:
    """The logs that are watched, how far each was cosigned, and the evidence kept."""
    store = _store(folder)
    for log in store.logs():
        echo(f"{log.origin}  {log.size} entries  {log.root.hex() if log.size else '-'}")
    for path in store.evidence():
        echo(f"EVIDENCE {path}", err=True)
    store.close()


@witness.command()
@FOLDER
@PASS
@click.argument("checkpoint", type=FILE)
@OUTPUT
def sign(folder: Path, passphrase_file: str | None, checkpoint: Path, output: Path) -> None:
    """Cosign a request that was carried here as a file (`weid registry cosign --request`)."""
    service = _service(folder, passphrase_file)
    answer = service.add_checkpoint(checkpoint.read_bytes())
    if answer.status != 200:
        raise RegistryError(_refused(answer), code=f"refused-{answer.status}")
    write_atomic(output, answer.body.encode())
    click.echo(str(output))
    service.store.close()


@witness.command()
@FOLDER
@PASS
@click.argument("genesis", type=FILE)
@click.argument("policy", type=FILE)
@OUTPUT
def approve(folder: Path, passphrase_file: str | None, genesis: Path, policy: Path, output: Path) -> None:
    """Approve a new witness POLICY of the watched log of this GENESIS: be sure who is to watch it from then on."""
    from registry.cosignature import cosign as line_of
    from registry.genesis import parse_genesis
    from registry.note import Note, print_note

    service, origin = _service(folder, passphrase_file), parse_genesis(genesis.read_bytes()).origin
    try:
        authority = service.store.authority(origin)
        if authority is None:
            raise RegistryError(f"{origin} is not watched here: add its genesis first", code="unknown-log")
        text = authority.witness_text(read_policy(policy))
        lines = tuple(line_of(text, signer.kid, signer, at=int(time.time())) for signer in service.signers)
    finally:
        service.store.close()
    write_atomic(output, print_note(Note(text, lines)))
    click.echo(str(output))
    click.echo("Give it to a member of the committee: weid registry change-witnesses FOLDER POLICY FILE…", err=True)


@witness.command()
@FOLDER
@PASS
@click.option("--port", type=PORT, default=8450, show_default=True)
@click.option("--host", default="127.0.0.1", show_default=True)
def serve(folder: Path, passphrase_file: str | None, port: int, host: str) -> None:
    """Serve POST /add-checkpoint (C2SP tlog-witness)."""
    from registry.node.serving import serve as run
    from registry.witness.service import create_witness

    service = _service(folder, passphrase_file)

    def ready(at: int) -> None:
        click.echo(f"Witness {service.name} at http://{host}:{at}/add-checkpoint; stop with Ctrl-C.", err=True)

    try:
        run(create_witness(service), host, port, ready=ready, body=1 << 20)
    finally:
        service.store.close()


@click.command()
@FOLDER
@PASS
@click.option(
    "--request",
    "request_",
    type=NEW_FILE,
    help="Write the request for witnesses reached by file.",
)
@click.option(
    "--old",
    type=click.IntRange(0, (1 << 63) - 1),
    default=0,
    show_default=True,
    help="With --request: the size that the witness knows (`witness list`); 0 the first time.",
)
@click.option(
    "--answer",
    "answers",
    multiple=True,
    type=FILE,
    help="Answers brought back.",
)
def cosign(folder: Path, passphrase_file: str | None, request_: Path | None, old: int, answers: tuple[Path, ...]) -> None:
    """Ask the witnesses of the policy to cosign the log as it is; exit 1 without a quorum."""
    from registry.note import parse_note
    from registry.witness.client import cosign_registry
    from registry.witness.core import print_request
    from wallet_cli.registry_folder import open_registry

    opened = open_registry(folder, passphrase(passphrase_file), random=secrets.token_bytes)
    try:
        if request_ is not None:
            opened.commit_if_stale()
            if old > opened.size:
                raise click.UsageError(
                    f"--old {old}: the log has {opened.size} entries, so a witness that knows more saw another"
                )
            proof = opened.consistency(old, opened.size) if old else ()
            write_atomic(request_, print_request(old, proof, parse_note(opened.checkpoint())))
            click.echo(str(request_))
            return
        asked = cosign_registry(opened, answers=[path.read_bytes() for path in answers])
    finally:
        opened.close()
    report(asked)
    if not asked.met:
        raise RegistryError("no quorum of witnesses", code="no-quorum")
    click.echo(" ".join(asked.cosigned) or "-")


@click.command("change-witnesses")
@FOLDER
@PASS
@click.argument("policy", type=FILE)
@click.argument("approvals", nargs=-1, required=True, type=FILE)
@click.option("--by", default="committee", show_default=True, help="The committee member who decides.")
@click.option("--propose", is_flag=True, help="Put it to the vote instead of doing it.")
def change_witnesses(
    folder: Path, passphrase_file: str | None, policy: Path, approvals: tuple[Path, ...], by: str, propose: bool
) -> None:
    """Put a new witness POLICY in force, with the APPROVALS of a quorum of the witnesses before and one of those after.

    Where one member alone may not decide that: --propose, and the same command again once the proposal is executed.
    """
    from registry import proposals
    from registry.note import Note, parse_note, print_note
    from registry.operations import Author, witness_change
    from wallet_cli.registry_folder import open_registry, open_signer

    words, fresh = passphrase(passphrase_file), read_policy(policy)
    notes = [parse_note(path.read_bytes()) for path in approvals]
    opened = open_registry(folder, words, random=secrets.token_bytes)
    try:
        if opened.state.authority.witnesses == fresh:
            _in_force(folder, opened)
            return
        text = opened.state.authority.witness_text(fresh)
        if any(note.text != text for note in notes):
            raise RegistryError("an approval is of another policy, or of an earlier state of the keys", code="wrong-change")
        lines = {(line.name, line.key_id): line for note in notes for line in note.signatures}
        note = print_note(Note(text, tuple(lines[name] for name in sorted(lines))))
        author = Author.of(opened.genesis, open_signer(folder, f"committee-{by}", words), secrets.token_bytes)
        made = witness_change(author, len(opened.state.authority.links) + 1, fresh, note)
        if propose:
            made = proposals.proposed(author, made.operation)
        opened.submit([made.data])[0].require()
        if propose:
            click.echo(made.id.hex())
            click.echo("Proposed, with your vote for it. When it is executed, run change-witnesses again.", err=True)
        else:
            _in_force(folder, opened)
    finally:
        opened.close()


def _in_force(folder: Path, opened: Registry) -> None:
    """The policy holds: the file by which its witnesses follow."""
    write_atomic(folder / "key-chain", print_chain_of(opened))
    click.echo(f"In force. Give {folder / 'key-chain'} to the witnesses.", err=True)


def print_chain_of(opened: Registry) -> bytes:
    """The key chain of a registry, for witnesses to follow."""
    from registry.authority import print_chain

    return print_chain(opened.state.authority)


@click.command()
@click.argument("file")
@click.option("--genesis", required=True, help="Genesis file of the registry that is accused.")
def evidence(file: str, genesis: str) -> None:
    """Check an evidence FILE: does it prove that the registry signed two histories? Exit 0 if it does."""
    from registry.evidence import check_evidence, parse_evidence
    from registry.genesis import fingerprint, parse_genesis

    data, pinned = read_input(file), parse_genesis(read_input(genesis))
    kind = check_evidence(data, pin=pinned.digest)
    echo(f"{kind}: {pinned.origin} ({fingerprint(pinned.digest)})")
    for note in (parse_evidence(data).first, parse_evidence(data).second):
        echo(note.decode().partition("\n\n")[0].replace("\n", "  "))
    click.echo("Both were signed by this registry, and cannot both be of one log.", err=True)


def report(asked: Asked) -> None:
    """What witnesses did not do, on standard error."""
    for name, problem in asked.problems.items():
        echo(f"witness {name}: {problem}", err=True)


def read_policy(path: Path) -> str:
    """A policy file in the one spelling that a genesis has."""
    from registry.policy import parse_policy, print_policy

    try:
        return print_policy(parse_policy(path.read_text("utf-8")))
    except UnicodeDecodeError as error:
        raise MalformedError("a policy file is UTF-8 text", code="policy") from error


def _refused(answer: Answer) -> str:
    """Why a witness did not cosign, and what helps; 409 carries the size that it knows (tlog-witness)."""
    said = f"refused: {answer.status} {answer.body.strip()}"
    if answer.status != 409:
        return said
    known = answer.body.strip()
    return (
        f"{said}: this witness has cosigned {known} entries. Make the request again with: weid registry cosign FOLDER --request "
        f"FILE --old {known}. If the log has fewer, it is an older copy, and nothing may be signed with it"
    )


def _store(folder: Path) -> WitnessStore:
    from registry.witness.store import WitnessStore, require_folder

    require_folder(folder)
    return WitnessStore(folder)


def _signer(folder: Path, passphrase_file: str | None) -> LocalSigner:
    from weid.keyfile import open_key

    return open_key((folder / "witness.json").read_bytes(), passphrase(passphrase_file))


def _service(folder: Path, passphrase_file: str | None) -> WitnessService:
    from registry.witness.service import WitnessService

    store = _store(folder)
    signer = _signer(folder, passphrase_file)
    return WitnessService(signer.kid, (signer,), store, lambda: int(time.time()))


COMMANDS = (witness, cosign, change_witnesses, evidence)
