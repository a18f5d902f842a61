"""What an import gives back: the wrong lines as a file to correct, and a report of the batch that the institution signs.

    signature = assert key over frame "weid/batch-report/v1" ‖ JCS of the report without `signature`

The report names numbers, digests and places on the log, no person: it can be filed and shown to an auditor.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from issuer_app.desk import Desk
from issuer_app.importing import drafts
from issuer_app.importing.cells import column_name
from issuer_app.importing.records import Import, Imports, Line
from issuer_app.texts import Speaker, table
from weid.canon import JSON, jcs, parse_json
from weid.codec import b64u, rfc3339, unb64u
from weid.did import parse_key_id
from weid.errors import MalformedError, SignatureError
from weid.facts import Facts, Found
from weid.keys import PublicKey
from weid.pack import LANGUAGES
from weid.records import DidRecord, status_list_id
from weid.signing import verify

__all__ = ["CONTEXT", "batch_report", "check_report", "reasons", "wrong_csv", "wrong_xlsx"]

CONTEXT: Final = "weid/batch-report/v1"
MAX_REPORT: Final = 64 << 10
_RISKY: Final = ("=", "+", "-", "@", "\t", "\r")


def reasons(line: Line, t: Speaker) -> list[str]:
    """What is wrong with a line, each with the name of its cell where it has one: "C17: …"."""
    found = []
    for column, key, values in line.wrong:
        if not key.startswith("import.notice"):
            words = t(key, **values) if "{" not in key else key
            found.append(words if column < 0 else f"{column_name(column)}{line.number}{t('app.colon')}{words}")
    return found


def wrong_csv(job: Import, lines: Iterator[Line], t: Speaker) -> bytes:
    """The wrong lines as CSV that spreadsheet programs open: nothing in it can run."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    for row in _rows(job, lines, t):
        writer.writerow([f"'{text}" if text.startswith(_RISKY) else text for text in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode("utf-8")


def wrong_xlsx(job: Import, lines: Iterator[Line], t: Speaker) -> bytes:
    """The same as a workbook, every cell text: zeros and long numbers stay as they are."""
    import openpyxl
    from openpyxl.cell import WriteOnlyCell

    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    for row in _rows(job, lines, t):
        made = []
        for text in row:
            cell = WriteOnlyCell(sheet, value=f"'{text}" if text.startswith(_RISKY) else text)
            cell.data_type, cell.number_format = "s", "@"
            made.append(cell)
        sheet.append(made)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def report_columns() -> frozenset[str]:
    """The names of the two columns that reports of wrong lines add, in every language: never a claim."""
    return frozenset(table(language)[key] for language in LANGUAGES for key in ("import.report-row", "import.report-reason"))


def _rows(job: Import, lines: Iterator[Line], t: Speaker) -> Iterator[list[str]]:
    spare = [place for place, name in enumerate(job.header) if name not in report_columns()]
    yield [*(job.header[place] for place in spare), t("import.report-row"), t("import.report-reason")]
    for line in lines:
        cells = [line.cells[place] if place < len(line.cells) else "" for place in spare]
        yield [*cells, str(line.number), " ".join(reasons(line, t))]


def batch_report(desk: Desk, records: Imports, job: Import, now: int) -> bytes:
    """The signed report of an import that is done."""
    genesis, counts, signer = desk.client.genesis, records.counts(job.id), desk.party.signer("assert")
    lists = [desk.ledger.list_row(number) for number in drafts.lists_of(desk.ledger, job.id)]
    told: list[JSON] = [
        {"list": status_list_id(desk.did, row.number), "seq": row.seq, "operation": None if row.last is None else row.last.hex()}
        for row in lists
    ]
    document: dict[str, JSON] = {
        "type": CONTEXT, "origin": genesis.origin, "genesis": genesis.digest.hex(), "issuer": desk.did, "import": job.id,
        "schema": job.schema.hex(), "source": {"sha256": job.digest.hex(), "rows": job.total, "corrects": job.parent},
        "counts": {"issued": counts.get("issued", 0), "refused": counts.get("refused", 0), "wrong": job.bad, "before": job.same},
        "issued": None if job.at is None else rfc3339(job.at), "made": rfc3339(now),
        "batch": None if job.root is None or job.op is None else {
            "root": job.root.hex(), "size": job.size, "operation": job.op.hex()},
        "status": told, "key": signer.kid,
    }  # fmt: skip
    return jcs({**document, "signature": b64u(signer.sign(CONTEXT, jcs(document)))})


def check_report(data: bytes, facts: Facts) -> Mapping[str, Any]:
    """The report in these bytes, if its issuer signed it with a key of its DID; MalformedError or SignatureError.

    A key that has ended is accepted: the report tells what was, and the log it points to has the last word.
    """
    value = parse_json(data, max_bytes=MAX_REPORT)
    if not isinstance(value, dict) or value.get("type") != CONTEXT or jcs(value) != data:
        raise MalformedError("not a report of a batch")
    kid, signature = value.get("key"), value.get("signature")
    if not isinstance(kid, str) or not isinstance(signature, str):
        raise MalformedError("not a report of a batch")
    did, number = parse_key_id(kid)
    answer = facts.fact("did", str(did))
    record: DidRecord | None = answer.record if isinstance(answer, Found) else None
    key = None if record is None else record.key_number(number)
    if key is None or str(did) != value.get("issuer") or key.role != "assert":
        raise SignatureError("the report's key is not one of its issuer's", code="unknown-key")
    unsigned = {name: item for name, item in value.items() if name != "signature"}
    verify(PublicKey(key.suite, key.public), key.role, CONTEXT, jcs(unsigned), unb64u(signature))
    return value
