"""`weid trust update`: status lists and schemas brought to this machine over HTTPS, before and apart from any check.

Who fetches tells the server which list it is interested in. That is why it is a person's or a timer's step like importing
a bundle, for whole lists, and never follows from a credential that is shown.
"""

from __future__ import annotations

import ssl
import sys
import urllib.error
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import click

from registry.engines.straight import open_straight, web_url
from wallet_cli.holder import AT
from wallet_cli.options import CERTIFICATE
from wallet_cli.state import echo, home, now, read_input
from weid.errors import MalformedError, WeidError

if TYPE_CHECKING:
    from verifier_app.references import ReferenceFolder

__all__ = ["bring", "update"]

MAX_BYTES: Final = 1 << 20
_LOCAL: Final = ("localhost", "127.0.0.1", "::1")
_ACCEPT: Final = "application/vc, application/vc+jwt, application/vc+sd-jwt, application/schema+json, application/json"


def bring(lists: tuple[Path, ...] = (), schemas: tuple[Path, ...] = ()) -> ReferenceFolder:
    """What is kept in the state folder, and these files and folders."""
    from verifier_app.references import ReferenceFolder

    return ReferenceFolder(home() / "references", lists, schemas)


@click.command()
@AT
@click.argument("what", metavar="[URL|FILE]...", nargs=-1)
@CERTIFICATE
def update(at: str | None, what: tuple[str, ...], ca: Path | None) -> None:
    """Bring status lists and schemas here: each URL or FILE, and with none everything kept before, again by its URL.

    One that cannot be had, is not proven by its issuer's key, or is older than what is here is named, and what we have
    stays as it is; the exit code is then 1.
    """
    from wallet_cli.trust import load_facts
    from weid.codec import minutes, rfc3339

    for item in what:  # a mistyped address is told before anything is fetched
        if "://" in item:
            check_address(item)
    moment, place, failed = now(at), bring(), False
    facts = load_facts(moment)
    for item in what or tuple(dict.fromkeys(held.url for held in place.load())):
        try:
            data = fetch(item, ca) if "://" in item else read_input(item)
            found = place.keep(data, name=item, facts=facts, at=minutes(moment))
        except WeidError as error:
            echo(f"{error} [{error.code}]", err=True)
            failed = True
            continue
        echo(f"{found.kind} {found.url}" + ("" if found.as_of is None else f" as of {rfc3339(found.as_of)}"))
    sys.exit(1 if failed else 0)


def check_address(url: str) -> None:
    """MalformedError `bad-url` unless this is an address of https, or of http on this machine."""
    parts = urlsplit(web_url(url, who="what is brought"))
    if parts.scheme != "https" and parts.hostname not in _LOCAL:
        raise MalformedError(f"{url}: only https is fetched", code="bad-url")


def fetch(url: str, ca: Path | None = None) -> bytes:
    """The bytes at a URL: https (http on this machine alone), no redirects, at most a megabyte; MalformedError."""
    check_address(url)
    context = ssl.create_default_context(cafile=None if ca is None else str(ca))
    try:
        with open_straight(urllib.request.Request(url, headers={"Accept": _ACCEPT}), timeout=20, tls=context) as answer:
            data = bytes(answer.read(MAX_BYTES + 1))
    except (urllib.error.URLError, HTTPException, OSError, ValueError) as error:
        raise MalformedError(f"{url}: cannot be had: {error}", code="unreachable") from None
    if len(data) > MAX_BYTES:
        raise MalformedError(f"{url}: more than {MAX_BYTES} bytes", code="too-large")
    return data
