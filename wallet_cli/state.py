"""Where the command keeps its state, and how it asks for secrets: the only place with the clock and the folder."""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from weid.codec import parse_rfc3339
from weid.errors import MalformedError

if TYPE_CHECKING:
    from weid.sealed import Passphrase

MAX_INPUT = 8 << 20
FILE_NAMES = (".bin", ".bmp", ".bundle", ".cbor", ".gif", ".jpeg", ".jpg", ".json", ".png", ".txt", ".webp")


def home() -> Path:
    """The state folder: WEID_HOME, or ~/.weid; made private on first use."""
    folder = Path(os.environ.get("WEID_HOME") or Path.home() / ".weid")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def now(text: str | None = None) -> datetime:
    """The clock, or the moment given with --at; UsageError for anything that is not one."""
    try:
        return parse_rfc3339(text) if text else datetime.now(UTC)
    except MalformedError as error:
        raise click.UsageError(str(error)) from error


def echo(text: str, *, err: bool = False) -> None:
    """One line. What strangers signed or published is shown, never obeyed: no escape sequence reaches the terminal."""
    from credentials.text import escaped

    click.echo(escaped(text), err=err)


def echo_json(value: object, *, indent: int | None = None) -> None:
    """A value as JSON on standard output, with the same care."""
    from credentials.text import escaped

    click.echo(escaped(json.dumps(value, ensure_ascii=False, indent=indent), keep="\n"))


def node_key() -> str | None:
    """The reader's key of a private group, from WEID_NODE_KEY: sent to the node that is asked, and to nobody else."""
    return os.environ.get("WEID_NODE_KEY") or None


def passphrase(file: str | None, *, confirm: bool = False, prompt: str = "Passphrase") -> Passphrase:
    """From --passphrase-file, WEID_PASSPHRASE_FILE or the terminal; never from the command line."""
    from weid.sealed import Passphrase

    name = file or os.environ.get("WEID_PASSPHRASE_FILE")
    if name:
        try:
            return Passphrase(Path(name).read_text(encoding="utf-8").rstrip("\n"))
        except UnicodeDecodeError:
            raise click.UsageError("the passphrase file is not UTF-8 text") from None
    if not sys.stdin.isatty():
        raise click.UsageError("no terminal to ask for the passphrase: use --passphrase-file")
    return Passphrase(str(click.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True)))


def read_input(what: str) -> bytes:
    """A file's bytes, standard input for `-`, else the text itself (a code is never fetched).

    UsageError for what looks like the name of a file but is none; OSError for a file that cannot be read.
    """
    if what == "-":
        return _capped(sys.stdin.buffer.read(MAX_INPUT + 1))
    path = _path(what)
    if path is None:
        return _capped(what.encode("utf-8", "surrogateescape"))
    with path.open("rb") as stream:
        return _capped(stream.read(MAX_INPUT + 1))


def _path(what: str) -> Path | None:
    """The path that is meant, or None for a text; a misspelled file name must not be judged as a credential."""
    if len(what) >= 1024 or what.startswith(("https://", "{")):
        return None
    path = Path(what)
    if os.path.exists(what):  # False for what can be no path at all, such as a long code
        return path
    from credentials.foreign.reading import is_other

    if is_other(what.encode("utf-8", "surrogateescape")):
        return None  # letters of base45 and shc:/ look like folders
    if path.suffix.lower() in FILE_NAMES or path.parent != Path():
        raise click.UsageError(f"there is no file {what}")
    return None


def _capped(data: bytes) -> bytes:
    if len(data) > MAX_INPUT:
        raise click.UsageError(f"input is over {MAX_INPUT} bytes")
    return data


def write_atomic(path: Path, data: bytes, *, private: bool = False) -> None:
    """All or nothing: a temporary file beside it, fsync, rename. UsageError for a path that names no file."""
    if not path.name:
        raise click.UsageError("a file to write has a name")
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    handle = os.open(temporary, flags, 0o600 if private else 0o644)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
