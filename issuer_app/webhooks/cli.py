"""`weid issuer webhook …`: what the administrator's pages do, the networks that only the operator may open, and one round."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issuer_app.access.cli import RecordedGroup, looked, made
from issuer_app.premises import Premises

if TYPE_CHECKING:
    from issuer_app.webhooks.hooks import Hooks

__all__ = ["webhook"]

_FOLDER = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
_PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
_ID = click.argument("id_", metavar="ID")


@click.group(cls=RecordedGroup)
def webhook() -> None:
    """Other programs that are told what happens at the desk."""


@webhook.command()
@_FOLDER
@click.argument("url")
@click.argument("label")
@_PASS
@click.option("--event", "events", multiple=True, help="What it is told, e.g. certificate.issued; may be repeated [all].")
def add(folder: Path, url: str, label: str, passphrase_file: str | None, events: tuple[str, ...]) -> None:
    """Tell another address what happens; its secret is printed once."""
    from issuer_app.webhooks.outbox import EVENTS

    with _opened(folder, passphrase_file) as hooks:
        item, secret = hooks.add(url, label, events or EVENTS, at=_now(), random=secrets.token_bytes)
        made(item.id)
        click.echo(secret)
        click.echo(f"{item.id} is told {', '.join(name for name in EVENTS if name in item.events)}.", err=True)


@webhook.command("list")
@_FOLDER
@click.option("--deliveries", metavar="ID", help="What was last told to this one instead.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True)
def list_(folder: Path, deliveries: str | None, limit: int) -> None:
    """The addresses, or what was last told to one; one JSON object a line. It opens no key."""
    from issuer_app.webhooks.endpoints import Endpoints
    from issuer_app.webhooks.hooks import FILE

    looked()
    file = Premises.open(folder).folder / "desk" / FILE
    if not file.exists():
        return
    held = Endpoints(file, None)
    try:
        if deliveries is not None:
            held.get(deliveries)
            for one in held.deliveries(deliveries, limit=limit):
                _print({"event": one.event, "type": one.kind, "state": one.state, "tries": one.tries, "outcome": one.outcome,
                        "made": one.made, "last": one.last})  # fmt: skip
            return
        for item in held.all():
            _print({"id": item.id, "url": item.url, "label": item.label, "events": sorted(item.events), "state": item.state,
                    "why": item.why, "failingSince": item.failing, **held.counts(item.id)})  # fmt: skip
    finally:
        held.close()


@webhook.command()
@_FOLDER
@_ID
@_PASS
def rotate(folder: Path, id_: str, passphrase_file: str | None) -> None:
    """Change a secret: the new one is printed, the old one signs beside it for a day."""
    with _opened(folder, passphrase_file) as hooks:
        click.echo(hooks.endpoints.rotate(id_, at=_now(), random=secrets.token_bytes))


@webhook.command()
@_FOLDER
@_ID
@_PASS
def settle(folder: Path, id_: str, passphrase_file: str | None) -> None:
    """End the old secret now."""
    with _opened(folder, passphrase_file) as hooks:
        hooks.endpoints.settle(id_)


@webhook.command()
@_FOLDER
@_ID
@_PASS
def on(folder: Path, id_: str, passphrase_file: str | None) -> None:
    """Switch one on."""
    with _opened(folder, passphrase_file) as hooks:
        hooks.endpoints.switch(id_, on=True)


@webhook.command()
@_FOLDER
@_ID
@_PASS
def off(folder: Path, id_: str, passphrase_file: str | None) -> None:
    """Switch one off; what happens meanwhile is not kept for it."""
    with _opened(folder, passphrase_file) as hooks:
        hooks.endpoints.switch(id_, on=False)


@webhook.command()
@_FOLDER
@_ID
@_PASS
def remove(folder: Path, id_: str, passphrase_file: str | None) -> None:
    """Forget one, with what waits for it."""
    with _opened(folder, passphrase_file) as hooks:
        hooks.remove(id_)


@webhook.command()
@_FOLDER
@_ID
@_PASS
def test(folder: Path, id_: str, passphrase_file: str | None) -> None:
    """Send one a test event, and say what came of it."""
    with _opened(folder, passphrase_file) as hooks:
        hooks.endpoints.test(id_, hooks.desk.did, at=_now(), random=secrets.token_bytes)
        hooks.courier(clock=_now, random=secrets.token_bytes).round()
        told = next(item for item in hooks.endpoints.deliveries(id_, limit=10) if item.kind == "endpoint.test")
    click.echo(told.outcome or "It waits: the desk is being served and sends it, or an earlier attempt has failed just now.")


@webhook.command()
@_FOLDER
@_PASS
def send(folder: Path, passphrase_file: str | None) -> None:
    """Send what is due, once; `serve` does it every few seconds."""
    with _opened(folder, passphrase_file) as hooks:
        tried = hooks.courier(clock=_now, random=secrets.token_bytes).round()
        left = sum(hooks.endpoints.counts(item.id).get("waiting", 0) for item in hooks.endpoints.all())
    click.echo(f"{tried} attempts; {left} wait.", err=True)


@webhook.command()
@_FOLDER
@click.argument("nets", nargs=-1)
@click.option("--none", "empty", is_flag=True, help="No networks from now on: the public internet alone.")
def nets(folder: Path, nets: tuple[str, ...], empty: bool) -> None:
    """Let webhooks reach these NETS (10.20.0.0/16, 127.0.0.1) too, there also by http; without any, show them."""
    place = Premises.open(folder)
    if nets or empty:
        place.set_webhook_nets(nets)
        click.echo("`weid issuer serve` goes by it when it starts again.", err=True)
    else:
        looked()
    for net in place.webhook_nets:
        click.echo(str(net))


@contextmanager
def _opened(folder: Path, passphrase_file: str | None) -> Iterator[Hooks]:
    from issuer_app.cli import _passphrase
    from issuer_app.webhooks.hooks import Hooks

    with (place := Premises.open(folder)).opened:
        hooks = Hooks.open(place.desk(_passphrase(passphrase_file)), place.app, nets=place.webhook_nets)
        place.opened.callback(hooks.close)
        yield hooks


def _print(value: dict[str, object]) -> None:
    click.echo(json.dumps(value, ensure_ascii=False))


def _now() -> int:
    return int(time.time())
