"""`weid issuer import`: a spreadsheet checked, and its good rows issued, with a bar that says how long it still takes."""

from __future__ import annotations

import secrets
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from issuer_app.premises import Premises
from weid.errors import WeidError

if TYPE_CHECKING:
    from issuer_app.importing.job import Importer
    from issuer_app.importing.records import Import

__all__ = ["import_"]


@click.command("import")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path), required=False)
@click.option("--schema", help="Kind of certificate, by name.")
@click.option("--map", "maps", multiple=True, metavar="COLUMN=CLAIM", help="Where the guess is wrong; COLUMN= leaves one out.")
@click.option("--key", help="The claim that numbers certificates [guessed].")
@click.option("--document", help="Kind of the document numbers, e.g. cn-id [guessed].")
@click.option("--corrects", metavar="IMPORT", help="The import whose wrong rows this file holds.")
@click.option("--dry-run", is_flag=True, help="Check every row and issue nothing.")
@click.option("--resume", metavar="IMPORT", help="Go on with an import that was cut short.")
@click.option("--wrong", type=click.Path(dir_okay=False, path_type=Path), help="Write the rows to be corrected (.csv or .xlsx).")
@click.option("--report", "report_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the signed report.")
@click.option("--timezone", default="UTC", show_default=True, help="Time zone of times in the file.")
@click.option("--passphrase-file", help="File with the passphrase of the keys (or WEID_PASSPHRASE_FILE).")
def import_(
    folder: Path, file: Path | None, schema: str | None, maps: tuple[str, ...], key: str | None, document: str | None,
    corrects: str | None, dry_run: bool, resume: str | None, wrong: Path | None, report_file: Path | None, timezone: str,
    passphrase_file: str | None,
) -> None:  # fmt: skip
    """Issue a certificate for every good row of FILE (CSV or XLSX); wrong rows are named and left out."""
    from zoneinfo import ZoneInfo

    from issuer_app.cli import _digest, _now, _passphrase
    from issuer_app.importing.job import Importer

    if (file is None) == (resume is None) or (file is not None and schema is None):
        raise click.UsageError("name FILE and --schema, or --resume IMPORT")
    with (place := Premises.open(folder)).opened:
        desk = place.desk(_passphrase(passphrase_file))
        work = Importer(desk, clock=_now, random=secrets.token_bytes, zone=ZoneInfo(timezone))
        if file is None or schema is None:
            job = work.records.get(str(resume))
        else:
            job = work.upload(_read(file), file.name, _digest(desk, schema), by="cli", parent=corrects)
            columns = _columns(job, maps)
            with _bar(work, job.id, "Checking"):
                kind = job.mapped.kind if document is None else document
                chosen = job.mapped.key if key is None else key
                work.check(job.id, columns, chosen if chosen in columns else "", kind, wait=True)
        _go_on(work, job.id, issue=not dry_run)
        _tell(work, job.id, wrong, report_file)


def _go_on(work: Importer, id_: str, *, issue: bool) -> None:
    from issuer_app.importing.records import BUSY

    if issue and (job := work.records.get(id_)).state == "checked" and job.good:
        with _bar(work, id_, "Issuing"):
            work.start(id_, wait=True)
    elif work.records.get(id_).state in BUSY:
        with _bar(work, id_, "Going on"):
            work.work(id_, wait=True)
        if work.records.get(id_).state == "checked":
            _go_on(work, id_, issue=issue)


def _tell(work: Importer, id_: str, wrong: Path | None, report_file: Path | None) -> None:
    """The rows that are wrong, the counts, and the files asked for; exit code 1 where something stopped it."""
    from issuer_app.importing import report
    from issuer_app.texts import Speaker

    t, job = Speaker("en", UTC), work.records.get(id_)
    for line in work.records.all_lines(id_, "bad"):
        click.echo(f"row {line.number}: {' '.join(report.reasons(line, t))}", err=True)
    if wrong is not None and job.bad:
        write = report.wrong_xlsx if wrong.suffix == ".xlsx" else report.wrong_csv
        wrong.write_bytes(write(job, work.records.all_lines(id_, "bad"), t))
    if report_file is not None and job.state == "done":
        now = int(datetime.now(UTC).timestamp() // 60)
        report_file.write_bytes(report.batch_report(work.desk, work.records, job, now))
    issued = work.records.counts(id_).get("issued", 0)
    click.echo(f"{id_}  {job.state}: {issued} issued, {job.good} good, {job.bad} wrong, {job.same} issued before")
    if job.code is not None:
        raise WeidError(f"{t.problem(job.code)} Then: weid issuer import FOLDER --resume {id_}", code=job.code)


def _columns(job: Import, maps: tuple[str, ...]) -> list[str]:
    columns = list(job.mapped.columns)
    for text in maps:
        label, equals, target = text.rpartition("=")
        if not equals or label not in job.header:
            raise click.UsageError(f"--map COLUMN=CLAIM: the file has the columns {', '.join(job.header)}")
        columns[job.header.index(label)] = target
    for label, target in zip(job.header, columns, strict=True):
        click.echo(f"{label} -> {target or '(left out)'}", err=True)
    return columns


def _read(path: Path) -> bytes:
    from issuer_app.importing.cells import MAX_BYTES

    with path.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)


@contextmanager
def _bar(work: Importer, id_: str, label: str) -> Iterator[None]:
    """A bar on a terminal while the block works, and nothing where nobody looks."""
    over = threading.Event()
    if not sys.stderr.isatty():
        yield
        return

    def draw() -> None:
        with click.progressbar(length=100, label=label, file=sys.stderr, show_eta=False, item_show_func=str) as bar:
            shown = 0
            while not over.wait(0.3):
                found = work.progress(work.records.get(id_))
                left = "" if found.seconds is None else f"{found.seconds} s left"
                bar.update(max(0, found.percent - shown), left)
                shown = max(shown, found.percent)

    drawing = threading.Thread(target=draw, daemon=True)
    drawing.start()
    try:
        yield
    finally:
        over.set()
        drawing.join()
