"""From whatever a person has (picture, code text, file) to the bytes or credential inside. No judgement here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from credentials import carrier, compact, vcdm
from credentials.compact import Compact
from credentials.schema import Schema, read_schema
from weid.codec import unhex
from weid.errors import MalformedError, SchemaError
from weid.facts import Facts, Found
from weid.records import DidRecord, SchemaRecord

__all__ = ["Full", "is_picture", "read_full", "texts_in"]

_PICTURES: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


@dataclass(frozen=True, slots=True)
class Full:
    """A credential in its full form, as a holder keeps it: `data` the compact bytes, `file` the JSON if it came as one."""

    data: bytes
    file: bytes
    compact: Compact
    schema: Schema
    cid: bytes


def is_picture(data: bytes) -> bool:
    """Whether the bytes begin like a picture file."""
    return data.startswith(_PICTURES)


def texts_in(data: bytes) -> tuple[str, ...]:
    """The code texts in a picture, or the text itself; MalformedError for bytes that are neither."""
    if is_picture(data):
        from credentials.picture import read

        return read(data)
    try:
        return (data.decode("utf-8").strip(),)
    except UnicodeDecodeError:
        raise MalformedError("neither a picture nor text", code="not-a-credential") from None


def read_full(data: bytes, facts: Facts, *, document: bytes | None = None) -> Full:
    """The full credential in a file, a code's text or a picture of one code.

    A file can be read with its schema `document` handed along, since it names the schema by digest and its own id;
    a code needs trust data, since it carries hints only. This reads, it does not verify.
    MalformedError when there is none; a code that shows only a part is MalformedError
    `not-the-full-form`. SchemaError `schema-unknown` when the trust data lack its schema.
    """
    if not is_picture(data) and data.lstrip()[:1] == b"{":
        file = vcdm.read_file(data.strip())
        if file.own is None:
            raise MalformedError("not a credential of this toolkit", code="unsupported")
        schema = _schema(facts, file.own.schema) if document is None else read_schema(document, file.own.schema)
        value = vcdm.compact_of(file, file.own, schema)
        return Full(compact.encode_compact(value), data.strip(), value, schema, _named(file.id))
    texts = texts_in(data)
    if len(texts) != 1:
        raise MalformedError(f"{len(texts)} codes where one was expected", code="not-a-credential")
    carried = carrier.from_text(texts[0]).data
    value = compact.read_compact(carried)
    if value.seed is None:
        raise MalformedError("this code shows only a part; ask for the full credential", code="not-the-full-form")
    schema = _schema(facts, value.schema_hint)
    return Full(carried, b"", value, schema, _cid(value, schema, facts))


def _named(credential_id: str | None) -> bytes:
    """The cid a file names itself by; a verifier recomputes it (R17)."""
    cid = unhex((credential_id or "").rpartition("/credentials/")[2])
    if len(cid) != 16:
        raise MalformedError("the file does not name itself by a credential id", code="id-mismatch")
    return cid


def _schema(facts: Facts, start: bytes) -> Schema:
    found = facts.find("schema", start.hex())
    if len(found) != 1:
        raise SchemaError("your trust data do not have the schema of this credential", code="schema-unknown")
    record: SchemaRecord = found[0].record
    return read_schema(record.document, record.digest)


def _cid(value: Compact, schema: Schema, facts: Facts) -> bytes:
    """The credential's id, by the first issuer in the trust data that its hint fits."""
    for found in facts.find("address", value.issuer_hint.hex()):
        signed = _preimage(value, schema, found)
        if signed is not None:
            return compact.cid_of(signed, value.hash)
    raise MalformedError("your trust data do not have the issuer of this credential", code="issuer-unknown")


def _preimage(value: Compact, schema: Schema, found: Found) -> bytes | None:
    from weid.records import status_list_id

    record: DidRecord = found.record
    key = record.key_number(value.key_number)
    if key is None:
        return None
    listed = None if value.list_number is None else status_list_id(record.did, value.list_number)
    return compact.preimage(
        value,
        compact.tree_root(value),
        origin=found.source.origin,
        genesis=found.source.genesis,
        issuer=record.did,
        key_hash=key.key.hash32(),
        schema=schema.digest,
        mandatory=schema.mandatory,
        status_list=listed,
    )
