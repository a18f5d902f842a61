"""`weid trust prove-issue`: proof that a certificate was issued while its issuer was in good standing, to keep beside it (R8)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.holder import AT
from wallet_cli.options import NODE, OUTPUT
from wallet_cli.state import echo, node_key, now, read_input
from weid.errors import MalformedError, TrustError

if TYPE_CHECKING:
    from weid.facts import Facts

__all__ = ["prove_issue", "with_issue_proofs"]


@click.command("prove-issue")
@AT
@click.argument("certificate")
@NODE
@OUTPUT
def prove_issue(at: str | None, certificate: str, node: str, output: Path) -> None:
    """Fetch proof that CERTIFICATE (a file, a code's text, or -) is in its issuer's published register.

    Do it while all is well. If the issuer's key is stolen or its right ends, a checker who is given the proof
    (`weid verify --issue-proof`) sees that yours is older. The node is asked for the whole list: it does not learn
    which certificate is yours.
    """
    from credentials.policy import Policy
    from credentials.verify import verify
    from registry.node.client import RegistryClient
    from wallet_cli.state import write_atomic
    from wallet_cli.trust import trust_folder
    from weid.codec import minutes, rfc3339
    from weid.records import RegisterLeaf

    moment, folder = now(at), trust_folder()
    facts = folder.facts(at=minutes(moment))
    shown = verify(read_input(certificate).strip(), facts=facts, policy=Policy(), at=moment).presented
    store = folder.load()
    if store is None or shown is None or shown.status is None or shown.index is None or shown.cid is None:
        raise MalformedError("nothing here knows of a status list with this certificate", code="no-status")
    known = store.registry_of(shown.issuer, at=minutes(moment))
    if known is None:
        raise TrustError("there is no bundle here of its issuer's registry", code="no-home")
    client = RegistryClient.http(known.genesis, node, key=node_key())
    client.follow(at=minutes(moment))
    data = client.issue_proof(shown.status, RegisterLeaf(shown.index, shown.cid))
    write_atomic(output, data)
    found, _ = store.proven_issue(data, at=minutes(moment))
    echo(str(output))
    click.echo(f"It is in the register published at {rfc3339(found.published)}. Keep this beside the certificate.", err=True)


def with_issue_proofs(facts: Facts, files: tuple[Path, ...], *, at: int) -> Facts:
    """The facts with what these proofs of issue show; the error names the file of one that does not hold."""
    from wallet_cli.trust import trust_folder
    from weid.errors import WeidError
    from weid.issuance import WithIssuances

    if not files:
        return facts
    store, found = trust_folder().load(), []
    if store is None:
        return facts
    for file in files:
        try:
            found.append(store.proven_issue(file.read_bytes(), at=at))
        except WeidError as error:
            raise MalformedError(f"{file}: {error}", code=error.code) from error
    return WithIssuances(facts, found)
