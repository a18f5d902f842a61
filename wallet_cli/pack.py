"""`weid pack …`: packs are whole systems as data; this tests them and tells their story."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.options import HELD_FOLDER
from wallet_cli.pack_init import init

if TYPE_CHECKING:
    from weid.pack import Pack


def load_pack(folder: Path) -> Pack:
    """The pack in a folder; MalformedError names the file and member that is wrong."""
    from weid.pack import MAX_FILES, read_pack

    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.name.startswith("."):
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
        if len(files) > MAX_FILES:
            break
    return read_pack(files)


@click.group()
def pack() -> None:
    """Packs: whole systems as data. init, test, demo, show."""


pack.add_command(init)


@pack.command()
@HELD_FOLDER
@click.option("--case", "only", help="Run one case.")
@click.option("--no-flip", is_flag=True, help="Skip the proof that each case can fail.")
def test(folder: Path, only: str | None, no_flip: bool) -> None:
    """Run every case of a pack in a fresh world, then again with one expectation flipped: that one must fail."""
    from credentials.requests import read_request, request_names
    from issuer_app.lookups import lookup_of
    from registry.pack import read_assets
    from wallet_cli.cases import read_cases, run_case, run_flipped

    loaded = load_pack(folder)
    read_assets(loaded)
    lookup_of(loaded)
    for name in request_names(loaded):  # a rule over a claim that may be hidden is refused before any case (R12)
        read_request(loaded, name)
    cases = {name: case for name, case in read_cases(loaded).items() if only in (None, name)}
    if not cases:
        raise click.UsageError("the pack has no such case")
    failures = 0
    for name, case in cases.items():
        problems = run_case(loaded, case)
        if not problems and not no_flip:
            problems = run_flipped(loaded, case)
        failures += bool(problems)
        click.echo(f"{'FAIL' if problems else 'ok  '} {name}: {case.title['en']}")
        for problem in problems:
            click.echo(f"       {problem}")
    click.echo(f"{len(cases) - failures} passed, {failures} failed", err=True)
    sys.exit(1 if failures else 0)


@pack.command()
@HELD_FOLDER
@click.option("--lang", default="en", show_default=True)
def demo(folder: Path, lang: str) -> None:
    """Tell the golden path of a pack step by step, in this process."""
    from wallet_cli.cases import read_cases, run_case

    loaded = load_pack(folder)
    click.echo(loaded.title[lang])
    problems = run_case(loaded, read_cases(loaded)["golden"], tell=lambda line: click.echo(f"  {line}"))
    for problem in problems:
        click.echo(f"  FAIL {problem}")
    sys.exit(1 if problems else 0)


@pack.command()
@HELD_FOLDER
def show(folder: Path) -> None:
    """Show what a pack holds: parties, schemas, requests, cases."""
    from credentials.requests import request_names, schema_digests
    from registry.pack import read_assets

    loaded = load_pack(folder)
    click.echo(f"{loaded.id} {loaded.version}: {loaded.title['en']}")
    for name, digest in schema_digests(loaded).items():
        click.echo(f"  schema  {name:<24} {digest.hex()[:16]}")
    for name in request_names(loaded):
        click.echo(f"  request {name}")
    held = read_assets(loaded)
    for kind, names in (("machine", held.machines), ("use", held.registers)):
        for name in names:
            click.echo(f"  {kind:<7} {name}")
    for name in loaded.folder("cases"):
        click.echo(f"  case    {name}")
