"""`weid vc-api`: a bench for conformance suites. Throw-away did:key issuers, a verifier and a resolver on one address."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from wallet_cli.options import PLACE, PORT

if TYPE_CHECKING:
    from issuer_app.status_book import StatusBook
    from issuer_app.vc_api import Instance

__all__ = ["bench_app", "throw_away", "vc_api"]

# instance name → (suite of its key, cryptosuite or form of envelope)
INSTANCES: Final = {
    "eddsa-rdfc-2022": ("ed25519", "eddsa-rdfc-2022"),
    "eddsa-jcs-2022": ("ed25519", "eddsa-jcs-2022"),
    "ecdsa-rdfc-2019-p256": ("p256", "ecdsa-rdfc-2019"),
    "ecdsa-rdfc-2019-p384": ("p384", "ecdsa-rdfc-2019"),
    "ecdsa-jcs-2019-p256": ("p256", "ecdsa-jcs-2019"),
    "ecdsa-jcs-2019-p384": ("p384", "ecdsa-jcs-2019"),
    "ecdsa-sd-2023": ("p256", "ecdsa-sd-2023"),
    "bbs-2023": ("bbs", "bbs-2023"),
    "sm2-sm3-jcs-2026": ("sm2", "sm2-sm3-jcs-2026"),
    "mldsa44-jcs-2024": ("ml-dsa-44", "mldsa44-jcs-2024"),
    "vc-jwt": ("p256", "vc+jwt"),
    "vc-jwt-ed25519": ("ed25519", "vc+jwt"),
    "vc-sd-jwt": ("p256", "vc+sd-jwt"),
    "vc-cose": ("p256", "vc+cose"),
}
# instances whose credentials have a place in status lists
LISTED: Final = {"status-list": ("ed25519", "eddsa-rdfc-2022"), "status-message": ("ed25519", "eddsa-rdfc-2022")}


@click.command("vc-api")
@click.option("--port", type=PORT, default=8443, show_default=True, help="Port to listen on; 0 for any.")
@click.option("--tls", is_flag=True, help="Serve over HTTPS with a self-signed certificate, as the suites want.")
@click.option("--folder", default="demo/vc-api", show_default=True, type=PLACE,
              help="Where the certificate is kept.")  # fmt: skip
def vc_api(port: int, tls: bool, folder: Path) -> None:
    """Serve the W3C VC-API with keys that are forgotten at the end: for test suites on this machine, nothing else.

    The addresses and issuers go to standard output as JSON.
    """
    from registry.node.serving import certificate, serve

    made = throw_away()
    files = certificate(folder, ("localhost", "127.0.0.1")) if tls else None
    scheme = "https" if tls else "http"
    click.echo("Nothing here is kept, and anybody on this machine may sign with these keys.", err=True)

    def ready(opened: int) -> None:
        click.echo(json.dumps(endpoints(made, f"{scheme}://localhost:{opened}"), indent=1))

    serve(bench_app(made), "127.0.0.1", port, tls=None if files is None else files[:2], ready=ready)


def throw_away() -> dict[str, Instance]:
    """One issuer for each instance, with a fresh did:key."""
    from issuer_app.vc_api import Instance

    made = {name: Instance(_signer(suite), cryptosuite) for name, (suite, cryptosuite) in INSTANCES.items()}
    for name, (suite, cryptosuite) in LISTED.items():
        made[name] = Instance(_signer(suite), cryptosuite, _book(name))
    return made


def _book(name: str) -> StatusBook:
    """Status lists that are forgotten at the end: revocation and suspension, or messages of two bits."""
    from issuer_app.status_book import Kind, StatusBook

    if name == "status-list":
        return StatusBook(None)
    messages = ("pending_review", "accepted", "rejected", "undefined")
    return StatusBook(None, (Kind("message", 2, messages, ("https://example.org/status-dictionary/",)),))


def endpoints(made: Mapping[str, Instance], base: str) -> dict[str, Any]:
    """What a suite's configuration needs: addresses, issuers, cryptosuites."""
    return {
        "issuers": [
            {"id": instance.issuer, "endpoint": f"{base}/vc-api/{name}/credentials/issue", "cryptosuite": instance.cryptosuite}
            for name, instance in made.items()
        ],
        "statusServices": [
            {
                "id": item.issuer,
                "endpoint": f"{base}/vc-api/{name}/credentials/status",
                "statusPurposes": [*item.book.kinds],
            }
            for name, item in made.items()
            if item.book is not None
        ],
        "holders": [
            {"endpoint": f"{base}/vc-api/{name}/credentials/derive", "cryptosuite": instance.cryptosuite}
            for name, instance in made.items()
            if instance.cryptosuite in ("ecdsa-sd-2023", "bbs-2023", "vc+sd-jwt")
        ],
        "verifiers": [{"endpoint": f"{base}/vc-api/credentials/verify"}],
        "presentationVerifiers": [{"endpoint": f"{base}/vc-api/presentations/verify"}],
        "didResolvers": [{"endpoint": f"{base}/1.0/identifiers"}],
    }


def bench_app(made: Mapping[str, Instance]) -> Any:
    """The WSGI application: the same blueprints that the apps register."""
    from flask import Flask, request

    from issuer_app import vc_api as issuing
    from registry.node.resolver import resolver_blueprint
    from verifier_app import vc_api as verifying
    from verifier_app.memory import Memory
    from weid.facts import NoFacts
    from weid.resolver import Resolver

    app = Flask(__name__)

    def clock() -> datetime:
        return datetime.now(UTC)

    def here() -> str:
        return request.host_url.rstrip("/")

    app.register_blueprint(issuing.blueprint(made, clock=clock, random=secrets.token_bytes, allowed=lambda: True, public=here))
    app.register_blueprint(verifying.blueprint(verifying.VerifierApi(NoFacts, clock, Memory())))
    app.register_blueprint(resolver_blueprint(Resolver(NoFacts)))
    return app


def _signer(suite: str) -> Any:
    from credentials.bbs import LocalBbsSigner, key_gen
    from weid.did import did_key
    from weid.keys import LocalSigner
    from weid.suites import suite as suite_named

    if suite == "bbs":
        secret = key_gen(secrets.token_bytes(32))
        name = LocalBbsSigner(secret, "did:key:z#z", "assert").public_key.multikey()
        return LocalBbsSigner(secret, f"did:key:{name}#{name}", "assert")
    drawn = suite_named(suite).generate(secrets.token_bytes)
    key = LocalSigner(drawn, suite, "did:key:z#z", "assert").public_key
    return LocalSigner(drawn, suite, f"{did_key(key)}#{key.multikey()}", "assert")
