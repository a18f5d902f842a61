"""What W3C credentials refer to, brought here beforehand: status lists and schemas, read out of files into a policy.

Reading says only what a file is and what it is called; whether it counts for a credential is asked when one is checked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from credentials.bitstring import LIST_TYPE, read_list
from credentials.case import Case
from credentials.checks_schema import CREDENTIAL
from credentials.companion import signed_at, unproven
from credentials.data_model import is_url, texts
from credentials.json_schema import read_json_schema
from credentials.policy import Policy
from credentials.vcdm_file import FileCredential
from weid.canon import JSON, parse_json
from weid.errors import MalformedError, WeidError
from weid.facts import Facts, NoFacts

__all__ = ["SCHEMA", "STATUS_LIST", "Reference", "read_reference", "with_references"]

STATUS_LIST: Final = "status-list"
SCHEMA: Final = "schema"


@dataclass(frozen=True, slots=True)
class Reference:
    """A status list or schema under its URL. Times are UTC minutes; a plain JSON Schema has neither issuer nor time."""

    kind: str
    url: str
    data: bytes
    issuer: str = ""
    as_of: int | None = None
    until: int | None = None
    credential: FileCredential | None = None

    def unproven(self, facts: Facts) -> str | None:
        """Why it is not its issuer's word as far as we know the issuer's keys; None if it is, or has no issuer."""
        if self.credential is None:
            return None
        return unproven(self.credential, facts, "status" if self.kind == STATUS_LIST else "assert")


def read_reference(data: bytes, *, name: str) -> Reference:
    """The status list, schema or schema credential in bytes; MalformedError `bad-reference` with `name` and the reason."""
    try:
        return _schema(data) if _plain(data) else _credential(data)
    except WeidError as error:
        raise MalformedError(f"{name}: {error}", code="bad-reference") from None


def with_references(policy: Policy, found: Iterable[Reference]) -> Policy:
    """The policy with these lists and schemas at hand, the preferred ones first.

    Of several by one signer under one URL the newest counts, and of those without a date the first: nobody takes the place
    of another signer's, nor of what stands before it.
    """
    held: dict[str, dict[str, dict[str, Reference]]] = {STATUS_LIST: {}, SCHEMA: {}}
    for item in found:
        by_signer = held[item.kind].setdefault(item.url, {})
        before = by_signer.get(item.issuer)
        if before is None or (item.as_of or 0) > (before.as_of or 0):
            by_signer[item.issuer] = item
    return replace(policy, lists_held=_bytes_of(held[STATUS_LIST]), schemas_held=_bytes_of(held[SCHEMA]))


def _bytes_of(held: Mapping[str, Mapping[str, Reference]]) -> Mapping[str, Mapping[str, bytes]]:
    return MappingProxyType({
        url: MappingProxyType({signer: item.data for signer, item in by_signer.items()}) for url, by_signer in held.items()
    })  # fmt: skip


def _plain(data: bytes) -> bool:
    """Whether it calls itself a JSON Schema: credentials have contexts instead."""
    if data.lstrip(b" \t\r\n")[:1] != b"{":
        return False
    value: JSON = parse_json(data)
    return isinstance(value, Mapping) and "$schema" in value


def _schema(data: bytes) -> Reference:
    return Reference(SCHEMA, read_json_schema(data)[1], data)


def _credential(data: bytes) -> Reference:
    case = Case(data, NoFacts(), Policy(), 0)
    case.parse()
    file = case.file
    types = () if file is None else texts(file.document.get("type"))
    if file is None or file.own is not None or not {LIST_TYPE, CREDENTIAL} & set(types):
        raise MalformedError(f"neither a {LIST_TYPE} nor a schema")
    if LIST_TYPE in types:
        read_list(file.document)
    if file.id is None or not is_url(file.id):
        raise MalformedError("without an id nobody can say which list or schema it is")
    kind = STATUS_LIST if LIST_TYPE in types else SCHEMA
    return Reference(kind, file.id, data, file.issuer, signed_at(file), file.valid_until, file)
