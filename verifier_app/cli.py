"""`weid verifier serve`: the verifier's page on this machine, or over TLS for the officer's own phone."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from weid.sealed import Passphrase

__all__ = ["verifier"]


@click.group()
def verifier() -> None:
    """The verifier's page."""


@verifier.command()
@click.option("--home", type=click.Path(file_okay=False, path_type=Path), help="State folder [WEID_HOME or ~/.weid].")
@click.option("--pack", "packs", multiple=True, type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A pack with requests and rules; may be given again.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65_535), default=8310, show_default=True, help="Port to listen on.")
@click.option("--bind", help="Address to listen on [127.0.0.1; 0.0.0.0 with --tls].")
@click.option("--tls", is_flag=True, help="Serve over HTTPS with a self-signed certificate, for a phone's camera.")
@click.option("--name", "names", multiple=True, help="Host name or address the phone opens; may be given again.")
@click.option("--verifier", "identity", default="verifier", show_default=True, help="Who asks, as wallets show it.")
@click.option("--title", help="The name of this checkpoint, as wallets show it.")
@click.option("--gate", help="The gate name that gate codes must be made for.")
@click.option("--request", "chosen", help="The request chosen at first: PACK/NAME.")
@click.option("--vc-api", "vc_api", is_flag=True, help="Serve the W3C VC-API for programs too, below /vc-api.")
@click.option("--status-list", "lists", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="A status list credential of others, or a folder of them; may be given again.")  # fmt: skip
@click.option("--schema", "schemas", multiple=True, type=click.Path(exists=True, path_type=Path),
              help="A JSON Schema or schema credential, or a folder of them; may be given again.")  # fmt: skip
@click.option("--request-log", type=click.Path(dir_okay=False, path_type=Path), help="A line a request goes here (- for stderr).")
@click.option("--metrics-token-file", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="A file with the word that opens /metrics from other machines.")  # fmt: skip
@click.option("--resolver", is_flag=True, help="Answer DID Resolution too, below /1.0/identifiers, from what is here.")
@click.option("--trust-issuer", "issuers", multiple=True, metavar="DID", help="An issuer trusted without a registry.")
@click.option("--timezone", help="Time zone of the pages, such as Asia/Hong_Kong [this machine's].")
@click.option(
    "--passphrase-file", help="File with the passphrase of this verifier's own key, for signed reports (or WEID_PASSPHRASE_FILE)."
)
@click.option(
    "--keep-undecided",
    "hours",
    type=click.IntRange(0, 720),
    default=0,
    show_default=True,
    help="Hours a certificate that cannot be decided is kept, sealed, and judged again when trust data arrive.",
)
@click.option("--trust-url", metavar="URL", help="Where a button on the page of trust data fetches a bundle; else none does.")
@click.option("--kiosk", is_flag=True, help="Serve the self-service pages alone.")
def serve(
    home: Path | None, packs: tuple[Path, ...], port: int, bind: str | None, tls: bool, names: tuple[str, ...],
    identity: str, title: str | None, gate: str | None, chosen: str | None, vc_api: bool, resolver: bool,
    request_log: Path | None, metrics_token_file: Path | None,
    issuers: tuple[str, ...], timezone: str | None, lists: tuple[Path, ...], schemas: tuple[Path, ...],
    passphrase_file: str | None, hours: int, trust_url: str | None, kiosk: bool,
) -> None:  # fmt: skip
    """Serve the page until interrupted. Nothing is fetched while checking."""
    from registry.node.answered import log_to
    from registry.node.serving import certificate
    from registry.node.serving import serve as run
    from verifier_app.app import create_app
    from weid.errors import WeidError

    log_to(request_log)
    folder = home or Path(os.environ.get("WEID_HOME") or Path.home() / ".weid")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    hosts = _hosts(names, tls)
    config = {
        "STATUS_LISTS": lists, "SCHEMAS": schemas,
        "TRUST_FOLDER": folder, "PACKS": packs, "VERIFIER": identity, "NAME": title, "GATE": gate, "REQUEST": chosen,
        "METRICS_TOKEN": None if metrics_token_file is None else metrics_token_file.read_text("utf-8").strip(),
        "TIMEZONE": timezone, "VC_API": vc_api, "RESOLVER": resolver, "TRUSTED_ISSUERS": issuers,
        "PASSPHRASE": _passphrase(passphrase_file), "KEEP_UNDECIDED": hours, "TRUST_URL": trust_url, "KIOSK": kiosk,
        "TLS": tls, "HOSTS": [f"[{host}]" if ":" in host else host for host in hosts],
    }  # fmt: skip
    try:
        app = create_app(config)
    except WeidError as error:
        raise click.UsageError(str(error)) from error
    address = bind or ("0.0.0.0" if tls else "127.0.0.1")  # noqa: S104 (asked for by --tls, printed below)
    files = certificate(folder / "verifier-tls", hosts) if tls else None
    if files is not None:
        click.echo(f"certificate SHA-256 {files[2]}", err=True)
        click.echo("Compare this with what the phone shows before you accept it.", err=True)
    scheme = "https" if tls else "http"

    def ready(opened: int) -> None:
        for host in hosts:
            click.echo(f"{scheme}://{f'[{host}]' if ':' in host else host}:{opened}/", err=True)

    run(app, address, port, tls=None if files is None else files[:2], ready=ready, body=65 << 20)


def _passphrase(file: str | None) -> Passphrase | None:
    """From the file, or the one WEID_PASSPHRASE_FILE names; none asked for is none."""
    from weid.sealed import Passphrase

    name = file or os.environ.get("WEID_PASSPHRASE_FILE")
    if not name:
        return None
    try:
        return Passphrase(Path(name).read_text("utf-8").rstrip("\n"))
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"the passphrase file cannot be read: {error}") from None


def _hosts(names: tuple[str, ...], tls: bool) -> tuple[str, ...]:
    """The names this service answers to: loopback, and with TLS those given or this machine's own address."""
    own = names or ((_address(),) if tls else ())
    return tuple(dict.fromkeys(host for host in (*own, "localhost", "127.0.0.1") if host))


def _address() -> str:
    """This machine's address on its network; connecting a datagram socket sends nothing."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return ""
        return str(probe.getsockname()[0])
