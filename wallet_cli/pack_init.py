"""`weid pack init`: a pack folder from an example, a table of fields or a file of answers; what is missing is asked for."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wallet_cli.options import FILE, PLACE
from weid.pack import LANGUAGES

if TYPE_CHECKING:
    from issuer_app.design.plan import Plan

Ask = Callable[[str, str, str | None], str]


@click.command()
@click.argument("name")
@click.option("--from", "source", type=FILE, help="fields.csv or answers.json.")
@click.option("--like", "like", help="An example: skill, training, award, membership or licence.")
@click.option("--logo", type=FILE, help="A picture: SVG, PNG or JPEG.")
@click.option("--seal", type=FILE, help="The same for the seal.")
@click.option(
    "--template",
    "templates",
    multiple=True,
    metavar="FORM=FILE",
    help="sheet, card or poster, or sheet.pt for one language; an SVG, or ready:frame, side, across, card or poster.",
)
@click.option("--folder", type=PLACE, help="Where the pack goes; else a folder of the pack's name.")
def init(
    name: str, source: Path | None, like: str | None, logo: Path | None, seal: Path | None, templates: tuple[str, ...],
    folder: Path | None,
) -> None:  # fmt: skip
    """Make the folder of a pack for one kind of certificate, without a line of code.

    Labels that are missing in a language are asked for; the other Chinese script is suggested, and has to be confirmed.
    """
    from issuer_app.design.checking import faults
    from issuer_app.design.making import pack_files

    plan = _begun(name, source, like)
    place = folder or Path(name)
    if place.exists():
        raise click.UsageError(f"{place} is there already")
    plan = _worded(plan, _asking if sys.stdin.isatty() else _refusing)
    images = {key: path.read_bytes() for key, path in (("logo", logo), ("seal", seal)) if path is not None}
    images |= dict(_template(plan, text) for text in templates)
    wrong = faults(plan, images)
    if wrong:
        raise click.UsageError("; ".join(f"{fault.place}: {fault.key.removeprefix('design.fault-')}" for fault in wrong))
    _write(place, pack_files(plan, images))
    click.echo(f"{place}: {len(plan.fields)} fields. Next: `weid pack test {place}`.", err=True)


def _template(plan: Plan, text: str) -> tuple[str, bytes]:
    """(the key, the SVG) of one `--template`."""
    from issuer_app.design import ready
    from issuer_app.design.templates import key_of

    key, _, source = text.partition("=")
    form, _, language = key.partition(".")
    like = source.removeprefix("ready:")
    if key_of(form, language) is None or not source:
        raise click.UsageError(f"--template {text}: sheet, card or poster (or with a language, sheet.pt) = a file")
    if like == source:
        if not Path(source).is_file():
            raise click.UsageError(f"--template {text}: there is no such file")
        return key, Path(source).read_bytes()
    if like not in ready.READY or ready.form_of(like) != form:
        raise click.UsageError(
            f"--template {text}: ready ones are {', '.join(f'{ready.form_of(n)}=ready:{n}' for n in ready.READY)}"
        )
    return key, ready.made(like, plan)


def _begun(name: str, source: Path | None, like: str | None) -> Plan:
    from issuer_app.design.examples import EXAMPLES, example
    from issuer_app.design.plan import NAME, Plan, read_plan
    from issuer_app.design.table import fields_of_csv

    if not NAME.fullmatch(name):
        raise click.UsageError("a name has small letters, digits and hyphens")
    if like is not None and like not in EXAMPLES:
        raise click.UsageError(f"--like is one of {', '.join(EXAMPLES)}")
    if source is not None and source.suffix == ".json":
        return replace(read_plan(source.read_bytes()), name=name)
    plan = Plan(name) if like is None else replace(example(like), name=name)
    if source is None:
        return plan
    fields = fields_of_csv(source.read_bytes())
    kept = replace(plan.page, large=(fields[0].name,) if fields else (), rows=())
    person = next((item.name for item in fields if item.type == "text"), "")
    return replace(plan, fields=fields, page=kept, finding=replace(plan.finding, person=person, number=""))


def _worded(plan: Plan, ask: Ask) -> Plan:
    """With every label in four languages; suggestions are offered, not taken."""
    title = _words(plan.title, "title", ask)
    fields = []
    for item in plan.fields:
        choices = tuple((value, _words(label, f"{item.name}: {value}", ask) if label else label) for value, label in item.choices)
        fields.append(replace(item, label=_words(item.label, item.name, ask), choices=choices))
    return replace(plan, title=title, fields=tuple(fields), suggested=frozenset())


def _words(words: Mapping[str, str], what: str, ask: Ask) -> dict[str, str]:
    from issuer_app.design.words import suggestion

    made = dict(words)
    for language in LANGUAGES:
        if not made.get(language, "").strip():
            made[language] = ask(what, language, suggestion(made, language))
    return made


def _asking(what: str, language: str, suggested: str | None) -> str:
    return str(click.prompt(f"{what} ({language})", default=suggested, err=True))


def _refusing(what: str, language: str, suggested: str | None) -> str:
    hint = "" if suggested is None else f"; perhaps {suggested}"
    raise click.UsageError(f"{what} has no text in {language}{hint}")


def _write(place: Path, files: Mapping[str, bytes]) -> None:
    """All of it or nothing: written beside, then renamed."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent, prefix=".pack-") as work:
        built = Path(work) / "pack"
        for path, data in files.items():
            (built / path).parent.mkdir(parents=True, exist_ok=True)
            (built / path).write_bytes(data)
        os.rename(built, place)
