"""An import from upload to report, in steps that each can be cut short anywhere and begun again.

    mapping → checking → checked → signing → publishing → proving → done

Until the end of `signing` nothing exists but drafts, and cancelling leaves nothing. Then all become certificates in one
transaction, one publication a list tells the registry, and one anchored tree dates every file. One import at a time works in a
folder, across processes; a killed one is seen by its lock being free.
"""

from __future__ import annotations

import fcntl
import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from credentials.schema import Schema
from issuer_app.depending.judging import CODES as BASE_CODES
from issuer_app.depending.judging import Base, judged, least
from issuer_app.desk import Desk
from issuer_app.forms import Fault
from issuer_app.importing import columns, drafts, proving
from issuer_app.importing.before import Before
from issuer_app.importing.beside import base_of, faults_beside, index_beside
from issuer_app.importing.boxes import Boxes
from issuer_app.importing.checking import Checked, Checker, Wrong
from issuer_app.importing.records import BUSY, Import, Imports, Line
from issuer_app.importing.tables import read_table
from issuer_app.making import Maker
from issuer_app.publish import publish_list
from issuer_app.store import private_file
from issuer_app.two_people import Approval, require
from weid.codec import from_minutes
from weid.errors import IssueError, MalformedError, RejectedError, WeidError
from weid.records import REASONS
from weid.suites import Random

__all__ = ["Importer", "Progress"]

_CHUNK: Final = 500  # certificates in one transaction: few syncs, and little is done again after a crash
_DAY: Final = 1_440  # minutes after which drafts of a killed import are signed anew rather than kept


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the step under way is: of `total` lines `done`, and seconds left as far as they can be told."""

    done: int
    total: int
    seconds: int | None

    @property
    def percent(self) -> int:
        """Whole per cent, for a bar."""
        return 100 * self.done // self.total if self.total else 0


class _Cancelled(Exception):
    """Somebody said stop."""


class Importer:
    """The imports of one desk. `clock` gives UTC minutes, `zone` is that of dates with a time in the file."""

    def __init__(self, desk: Desk, *, clock: Callable[[], int], random: Random, zone: tzinfo) -> None:
        self.desk, self.records = desk, Imports(desk.ledger.store, _boxes(desk, random))
        self._clock, self._random, self._zone = clock, random, zone
        self._paces: dict[str, tuple[float, int]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self.records.tidy(clock())

    def upload(
        self, data: bytes, name: str, schema: bytes, *, by: str, parent: str | None = None, request: str | None = None
    ) -> Import:
        """A new import of this file, with the mapping its labels suggest. MalformedError `sheet-…` for an unreadable file;
        IssueError `not-accredited`, `import-bound`, or `key-reused` where the request key was used for another file."""
        digest = hashlib.sha256(data).digest()
        held = None if request is None else self.records.by_request(request)
        if held is not None:
            if (held.digest, held.schema) != (digest, schema):
                raise IssueError("this request key was used for other content", code="key-reused")
            return held
        if not self.desk.may_issue(schema, self._clock()):
            raise IssueError("the registry gives no right to this schema today", code="not-accredited")
        kind = self.desk.schema(schema, self._clock())
        if kind.bind != "none":
            raise IssueError("certificates bound to a holder need each holder's request", code="import-bound")
        table = read_table(data)
        before = None if parent is None else self.records.get(parent)
        rules = self.desk.lookups.lookup.of(kind.name)
        mapped = columns.suited(columns.guess(kind, table.header), rules)
        if kind.name not in self.desk.terms.depends:
            mapped = columns.without_base(mapped)
        if before is not None and before.schema == schema and before.header == table.header[: len(before.header)]:
            spare = ("",) * (len(table.header) - len(before.header))
            mapped = replace(before.mapped, columns=(*before.mapped.columns, *spare))
        made = Import(
            self._random(8).hex(), "mapping", schema, _tidy_name(name), by, self._clock(), table.form, table.detail, table.header,
            mapped, table.notices, digest, None if before is None else before.parent or before.id,
            0, 0, 0, 0, 0, None, None, None, False, False, None, None, None, None,
        )  # fmt: skip
        self.records.add(made, data, request)
        return made

    def check(self, id_: str, names: Sequence[str], key: str, kind: str, *, wait: bool = False, issue: bool = False) -> None:
        """Take this mapping and check every line of the file; with `issue`, the good ones are issued without asking again.

        MalformedError `import-…` for a mapping that cannot be.
        """
        job = self._in(id_, "mapping", "checked")
        mapped = columns.read_mapping(self._schema(job), names, key, kind)
        if len(mapped.columns) != len(job.header):
            raise MalformedError("a mapping says something of every column", code="import-mapping")
        if (columns.BASE in mapped.columns) != (self._schema(job).name in self.desk.terms.depends):
            raise MalformedError(
                "a kind that depends on another certificate, and no other, has a column of it", code="import-base"
            )
        if columns.CONTACT in mapped.columns and not columns.sends_links(self.desk.lookups.lookup.of(self._schema(job).name)):
            raise MalformedError("no rule of this kind sends links: an address is kept for nothing", code="import-contact")
        self.records.source(id_)
        if not self.records.turn(id_, ("mapping", "checked"), "checking"):
            raise IssueError("this import has gone on meanwhile", code="import-state")
        self.records.set(
            id_, columns=_listed(mapped.columns), key=key, kind=kind, auto=int(issue), code=None, cancel=0,
            done=0, total=0, good=0, bad=0, same=0,
        )  # fmt: skip
        self.work(id_, wait=wait)

    def reopen(self, id_: str) -> None:
        """Back to the columns; what the check found is forgotten."""
        job = self._in(id_, "checked")
        self.records.source(id_)
        if self.records.turn(id_, ("checked",), "mapping"):
            self.records.set(job.id, done=0, total=0, good=0, bad=0, same=0)
            self.records.drop_lines(id_, every=True)

    def start(self, id_: str, *, wait: bool = False, approval: Approval | None = None) -> None:
        """Issue the good lines; the file is destroyed. IssueError `import-nothing` where there are none, `second-person`."""
        require(self.desk.terms.two_people, "import", approval)
        job = self._in(id_, "checked")
        if not job.good:
            raise IssueError("no line is ready to be issued", code="import-nothing")
        self._begin(id_)
        self.work(id_, wait=wait)

    def _begin(self, id_: str) -> None:
        if not self.desk.may_issue(self.records.get(id_).schema, self._clock()):
            raise IssueError("the registry gives no right to this schema today", code="not-accredited")
        if not self.records.turn(id_, ("checked",), "signing"):
            raise IssueError("this import has gone on meanwhile", code="import-state")
        self.records.set(id_, done=0, code=None)
        self.records.drop_source(id_)

    def work(self, id_: str, *, wait: bool = False) -> None:
        """Go on with an import where it stands: after `check`, `start`, a crash, or a registry that did not answer."""
        self.records.get(id_)  # NotFoundError here, and not in a thread where nobody hears it
        if wait:
            self._work(id_)
            return
        held = self._threads.get(id_)
        if held is None or not held.is_alive():
            self._threads[id_] = threading.Thread(target=self._work, args=(id_,), name=f"import-{id_}", daemon=True)
            self._threads[id_].start()

    def resume(self) -> None:
        """Go on with what a crash or a stop of the server cut short, unless something else than that stopped it."""
        for job in reversed(self.records.every()):
            if job.state in BUSY and job.code is None:
                self.work(job.id)

    def cancel(self, id_: str) -> None:
        """Stop an import that is not published yet; nothing of it was issued. IssueError `import-too-late`."""
        job = self.records.get(id_)
        if job.state not in ("mapping", "checking", "checked", "signing"):
            raise IssueError("its certificates are issued: recall them instead", code="import-too-late")
        if self.records.turn(id_, ("mapping", "checked"), "cancelled"):  # or somebody starts it first, but never both
            self._end(id_)
            return
        self.records.set(id_, cancel=1)
        with self._alone() as alone:  # else whoever works at it stops at its next step
            if alone and self.records.get(id_).state in ("checking", "signing"):
                self._end(id_)

    def content(self, id_: str) -> str:
        """A digest of what would be issued now: columns and good lines; empty unless the import is checked."""
        job = self.records.get(id_)
        return self.records.content(job) if job.state == "checked" else ""

    def standing(self, id_: str) -> tuple[str, ...]:
        """The certificates of an import that a recall would revoke."""
        self._in(id_, "done", "proving")
        return self.records.standing(id_)

    def recall(self, id_: str, reason: str, *, approval: Approval | None = None) -> int:
        """Revoke every certificate of an import, for good, with one publication a list; how many were changed.

        RejectedError leaves those the registry did not hear of as they were.
        """
        require(self.desk.terms.two_people, "revoke", approval)
        if reason not in REASONS[1:]:
            raise IssueError("not a reason", code="bad-reason")
        job = self._in(id_, "done", "proving")
        with self.desk.party.locked():
            return proving.recall(self.desk, job, reason, self._clock())

    def running(self, job: Import) -> bool:
        """Whether somebody works at it now; a busy one nobody works at was cut short and waits for `work`."""
        if job.state not in BUSY:
            return False
        held = self._threads.get(job.id)
        if held is not None and held.is_alive():
            return True
        with self._alone() as alone:
            return not alone

    def progress(self, job: Import) -> Progress:
        """How far it is."""
        total = job.good if job.state in ("signing", "publishing", "proving") else job.total
        begun = self._paces.get(job.id)
        if begun is None or job.done <= begun[1] or not total:
            return Progress(job.done, total, None)
        rate = (job.done - begun[1]) / max(time.monotonic() - begun[0], 0.001)
        return Progress(job.done, total, round((total - job.done) / rate))

    def _work(self, id_: str) -> None:
        """Every step from where it stands; what the registry or a file refuses is kept as the import's `code`."""
        with self._alone(wait=True):
            job = self.records.get(id_)
            try:
                while (job := self.records.get(id_)).state in BUSY:
                    self._paces[id_] = (time.monotonic(), job.done)
                    {"checking": self._check, "signing": self._sign, "publishing": self._publish, "proving": self._prove}[
                        job.state
                    ](job)
            except _Cancelled:
                self._end(id_)
            except WeidError as error:
                self.records.set(id_, code=error.code)
                self.records.turn(id_, ("checking",), "mapping")

    def _check(self, job: Import) -> None:
        table, schema = read_table(self.records.source(job.id)), self._schema(job)
        today = from_minutes(self._clock()).astimezone(self._zone).date()
        checker = Checker(schema, job.mapped, self._zone, today, len(job.header))
        before = Before.of(self.desk, self.records, job)
        self.records.drop_lines(job.id, every=True)
        self.records.set(job.id, total=table.about, done=0)
        done, page = 0, list[tuple[Checked, tuple[str, ...]]]()
        for row in table.rows():
            page.append((checker.check(row), tuple(cell.shown or cell.text for cell in row.cells)))
            if len(page) == 2 * _CHUNK:
                done += len(page)
                self._keep_lines(job, page, before, done)
                page = []
        self._keep_lines(job, page, before, done + len(page))
        found = self.records.counts(job.id)
        counts = {name: found.get(name, 0) for name in ("good", "bad", "same")}
        self.records.set(job.id, state="checked", done=sum(counts.values()), total=sum(counts.values()), **counts)
        if job.auto and counts["good"] and "import" not in self.desk.terms.two_people:
            self._begin(job.id)  # where two people are needed it waits, checked, for the second

    def _keep_lines(self, job: Import, page: list[tuple[Checked, tuple[str, ...]]], before: Before, done: int) -> None:
        """Judge lines against what was issued before, and keep them."""
        self._stop_if_asked(job.id)
        rows: list[tuple[Checked, str, str | None, tuple[str, ...]]] = []
        schema, now = self._schema(job), self._clock()
        found = before.judge([(line.mark, line.claims) for line, _ in page])
        for (line, cells), (fault, same) in zip(page, found, strict=True):
            told = replace(line, wrong=(fault,)) if fault is not None and not line.wrong else line
            if not told.wrong and not same:
                told = replace(told, wrong=faults_beside(self.desk, schema, job.mapped, line, now))
            state = "bad" if told.wrong else "same" if same else "good"
            rows.append((told, state, same if state == "same" else None, cells if state == "bad" else ()))
        self.records.put_lines(job.id, rows, done)

    def _sign(self, job: Import) -> None:
        """Drafts of every good line, some hundreds a transaction; then all are certificates at once."""
        ledger, schema = self.desk.ledger, self._schema(job)
        now, kid = self._clock(), self.desk.party.signer("assert").kid
        if job.at is None or job.kid != kid or now - job.at > _DAY:
            drafts.drop(
                ledger, job.id, keep_lines=True, forget=self.desk.lookups.forget
            )  # a key that ended, or a day long past, signs nothing here
            self.records.set(job.id, at=now, kid=kid)
        job = self.records.get(job.id)
        maker = self.desk.maker(schema, job.at or now)
        bases: dict[int, Base] = {}
        index = index_beside(self.desk, schema, bases, at=job.at or now, random=self._random)
        places = drafts.Places(ledger, job.schema, self.desk.terms.list_size, job.id)
        done, before = job.done, Before.of(self.desk, self.records, job)  # much may have happened since the check
        after = 0
        while lines := self.records.lines(job.id, "good", after=after, limit=_CHUNK):
            self._stop_if_asked(job.id)
            after = lines[-1].number
            with self.desk.party.locked():
                done += len(lines)
                drafts.keep(ledger, job.id, self._made(maker, places, before, lines, bases), done, index)
        self._stop_if_asked(job.id)
        with self.desk.party.locked():
            if not self.desk.may_issue(job.schema, self._clock()):
                raise IssueError("the registry gives no right to this schema today", code="not-accredited")
            if self.desk.party.signer("assert").kid == kid:  # else the key has ended: all are signed anew
                drafts.accept(ledger, job.id)

    def _made(
        self, maker: Maker, places: drafts.Places, before: Before, lines: Sequence[Line], bases: dict[int, Base]
    ) -> list[tuple[Line, dict[str, Any]]]:
        """Lines with their rows; a line that cannot be issued after all is marked, and does not stop the others."""
        made = list[tuple[Line, dict[str, Any]]]()
        found = before.judge([(str(line.mark), line.claims) for line in lines])
        for line, (fault, same) in zip(lines, found, strict=True):
            if fault is not None or same is not None:
                self.records.set_aside(before.job.id, line.number, fault, same)
                continue
            slot = places.next(self._random) if maker.schema.status else None
            try:
                base = judged(self.desk, maker.schema, line.claims, base_of(line.extra), maker.at)  # once more: it may have ended
                minutes = least(self.desk, maker.schema, base, None, maker.at)
                request = f"import:{line.mark}"
                row = maker.row(line.claims, slot, self._random, by=before.job.by, request=request, minutes=minutes)
                bases |= {} if base is None else {line.number: base}
            except (IssueError, MalformedError) as error:
                said = f"problem.{error.code}" if error.code in BASE_CODES else "fault.unfit"
                self.records.set_aside(before.job.id, line.number, Wrong(-1, Fault(said)), None)
            else:
                made.append((line, row))
        return made

    def _publish(self, job: Import) -> None:
        """One publication a list; what the registry refuses does not count."""
        ledger = self.desk.ledger
        with self.desk.party.locked():
            try:
                for number in drafts.lists_of(ledger, job.id):
                    publish_list(self.desk.party, ledger, ledger.list_row(number), self._clock(), self.desk.terms.next_update)
            except RejectedError as error:
                drafts.refuse(ledger, job.id)
                self.records.set(job.id, state="refused", code=error.code)
                return
        self.records.set(job.id, state="proving", done=0)

    def _prove(self, job: Import) -> None:
        """The tree over the files, its anchor, and the fingerprints of checks by typing."""
        proving.prove(self.desk, self.records, job, self._random)
        self.desk.anchor_waiting()
        self.records.set(job.id, state="done", code=None, done=job.good)

    def _end(self, id_: str) -> None:
        drafts.drop(self.desk.ledger, id_, keep_lines=False, forget=self.desk.lookups.forget)
        self.records.drop_source(id_)
        self.records.set(id_, state="cancelled", code=None, cancel=0)

    def _stop_if_asked(self, id_: str) -> None:
        if self.records.get(id_).cancel:
            raise _Cancelled

    def _schema(self, job: Import) -> Schema:
        return self.desk.schema(job.schema, self._clock())

    def _in(self, id_: str, *states: str) -> Import:
        job = self.records.get(id_)
        if job.state not in states:
            raise IssueError(f"this import is {job.state}", code="import-state")
        return job

    @contextmanager
    def _alone(self, *, wait: bool = False) -> Iterator[bool]:
        """Hold the folder's lock for imports, which a killed process gives back; False where another holds it."""
        path: Path = self.desk.party.folder / "import.lock"
        private_file(path)
        with path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield False
                return
            yield True


def _boxes(desk: Desk, random: Random) -> Boxes:
    return Boxes(desk.lookups.words("weid/import-boxes/v1"), desk.lookups.profile, random)


def _tidy_name(name: str) -> str:
    """The last part of a file's name, printable and short: it is only shown."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(letter for letter in last if letter.isprintable())[:120] or "-"


def _listed(names: Sequence[str]) -> str:
    import json

    return json.dumps(list(names), ensure_ascii=False)
