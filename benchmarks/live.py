"""A live code of three claims (a colour, a time, a masked name), as a health code would carry."""

from __future__ import annotations

import secrets

from benchmarks.stage import FOUR, NOW, Stage
from credentials import issue as issuing
from credentials.binding import Binding
from credentials.issue import Registry, Slot
from credentials.schema import Schema, read_schema, schema_digest
from weid import codec
from weid.canon import jcs


def _schema(made: Stage, bind: str) -> Schema:
    label = dict.fromkeys(FOUR, "label")
    properties = {
        "colour": {"type": "string", "enum": ["GREEN", "YELLOW", "RED"], "x-class": "public", "x-label": label},
        "tested": {"type": "string", "format": "date-time", "x-class": "public", "x-label": label},
        "name": {"type": "string", "maxLength": 40, "x-label": label},
    }
    own = {"name": "live", "version": 1, "order": list(properties), "title": label, "lifetime": 1440, "bind": bind,
           "status": True, "width": 20}  # fmt: skip
    document = jcs({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "urn:weid:schema:live:1", "title": "LiveCode",
        "type": "object", "additionalProperties": False, "properties": properties, "required": ["colour", "tested"],
        "x-weid": own,
    })  # fmt: skip
    return read_schema(document, schema_digest(document, made.registry.genesis.hash))


def digest(made: Stage, bind: str) -> bytes:
    """The digest of the live schema."""
    return _schema(made, bind).digest


def issue(made: Stage, bind: str, binding: Binding, minutes: int) -> bytes:
    """The compact full form of a live code."""
    now, genesis = codec.minutes(NOW), made.registry.genesis
    done = issuing.issue(
        _schema(made, bind), {"colour": "GREEN", "tested": "2026-03-01T02:00:00Z", "name": "陈*文"}, issuer=made.signer,
        registry=Registry(genesis.origin, genesis.digest), issued=now, valid_until=now + minutes,
        random=secrets.token_bytes, bind=binding, slot=Slot(1, 77_777),
    )  # fmt: skip
    return done.compact
