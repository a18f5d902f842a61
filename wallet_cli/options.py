"""Arguments and options that several commands share, each with the bounds of what it can mean.

What is out of bounds is a usage error (exit 2) before anything is opened: it never becomes an overflow further in.
"""

from __future__ import annotations

from pathlib import Path

import click

__all__ = [
    "CERTIFICATE", "DAYS", "FILE", "FOLDER", "HELD", "HELD_FOLDER", "NEW_FILE", "NODE", "OUTPUT", "PASS", "PLACE", "PORT",
    "SIGNING_NAME",
]  # fmt: skip

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""A file that is there."""
NEW_FILE = click.Path(dir_okay=False, path_type=Path)
"""A file to write."""
HELD = click.Path(exists=True, file_okay=False, path_type=Path)
"""A folder that is there."""
PLACE = click.Path(file_okay=False, path_type=Path)
"""A folder that may have to be made."""
PORT = click.IntRange(0, 65_535)
"""A TCP port; 0 for any that is free."""


def _node(_context: click.Context, _option: click.Parameter, url: str) -> str:
    """A node's address; MalformedError `bad-url` before a key is opened or made."""
    from registry.engines.straight import web_url

    return web_url(url, who="a node")


def _signing(_context: click.Context, _option: click.Parameter, name: str) -> str:
    """A name that can stand in a signature line, and so in policy files; BadParameter before a key is made under it."""
    from registry.cosignature import check_cosigner
    from weid.errors import MalformedError

    try:
        check_cosigner(name)
    except MalformedError as error:
        raise click.BadParameter(f"{error}: no blanks, no plus sign, at most 255 bytes") from None
    return name


FOLDER = click.argument("folder", type=PLACE)
HELD_FOLDER = click.argument("folder", type=HELD)
PASS = click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
OUTPUT = click.option("-o", "--output", type=NEW_FILE, required=True, help="The file to write.")
NODE = click.option(
    "--node", default="http://127.0.0.1:8440", show_default=True, callback=_node, help="URL of the registry's node."
)
SIGNING_NAME = click.option(
    "--name", required=True, callback=_signing, help="Name to sign under, as policy files have it, e.g. witness.example.org/1."
)
DAYS = click.option("--days", type=click.IntRange(min=1), default=365, show_default=True, help="For how long.")
CERTIFICATE = click.option("--ca", type=FILE, help="Trust this certificate (PEM) instead of the system's, e.g. a desk's own.")
