"""The bytes of every example in docs/spec, made from fixed keys and randomness: the same on every machine.

    python -m tests.spec_examples      # writes the examples into the pages and docs/spec/examples anew

A fence of a page whose opening line ends in a known name (```hex compact) holds that example and nothing else.
`tests/test_docs.py` compares every one with what the code prints now.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from credentials import bbs_2023, carrier, compact
from credentials.bbs import LocalBbsSigner, key_gen
from credentials.data_integrity import read_proof
from credentials.issue import Issued, Slot, issue
from credentials.issue import Registry as Home
from credentials.presentation import Challenge
from credentials.report import Report
from credentials.schema import Schema, read_schema
from credentials.verify import verify
from registry import operations as ops
from registry.bundle import open_bundle, parse_bundle
from registry.engines import etcd, evm_abi
from registry.engines.framing import frame
from registry.genesis import FLOORS, Genesis, Member, fingerprint, print_genesis
from registry.log import Registry
from registry.node.resolver import resolver_blueprint
from registry.signer import OperatorKeys
from registry.snapshot import parse_snapshot
from tests import spec_tables
from tests.spec_uses import use_examples
from tests.spec_verifier import verifier_examples
from weid import cbor, merkle
from weid.canon import jcs, parse_json
from weid.codec import from_minutes, minutes, parse_rfc3339
from weid.did import DID, did_key, key_id, weid_did
from weid.document import resolve
from weid.facts import NoFacts
from weid.hashes import SHA256
from weid.keys import LocalSigner, PublicKey
from weid.records import RegisterLeaf, StatusEntries, status_digest, status_list_id
from weid.resolver import Resolver
from weid.suites import suite

PAGES = Path(__file__).resolve().parents[1] / "docs" / "spec"
FILES = PAGES / "examples"
FENCE = re.compile(r"^```([a-z]+) ([a-z0-9-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ORIGIN, CHAIN = "registry.example.org/library/1", 8601
START = minutes(parse_rfc3339("2026-03-01T08:00:00Z"))
YEAR = 525_600
CLAIMS = {"reader": "Ana Lau", "since": "2024-05-01"}
APPROVAL, ATTEMPT = 4, 6  # entries of the log that the pages show


class Counted:
    """Bytes that depend on a name and a count alone; for examples, never for keys."""

    def __init__(self, name: str) -> None:
        self.name, self.count = name, 0

    def __call__(self, size: int) -> bytes:
        self.count += 1
        return hashlib.sha256(f"{self.name}/{self.count}".encode()).digest()[:size]


def signer(number: int, kid: str, role: str) -> LocalSigner:
    """An Ed25519 key whose secret is 32 times the byte `number`."""
    return LocalSigner(bytes([number]) * 32, "ed25519", kid, role)


def public(number: int) -> PublicKey:
    """The public part of such a key."""
    return PublicKey("ed25519", suite("ed25519").public(bytes([number]) * 32))


@dataclass(frozen=True)
class Library:
    """One small registry and what came out of it."""

    genesis: Genesis
    schema: Schema
    did: DID
    entries: tuple[bytes, ...]
    views: tuple[dict[str, Any], ...]
    inclusion: tuple[bytes, ...]
    mark: bytes
    bundle: bytes
    card: Issued
    report: Report


def founded() -> Genesis:
    """The genesis: log key 1, state key 2, operator key 3, one committee member with key 4."""
    member = Member(str(weid_did(CHAIN, public(4))), "committee", 1, public(4))
    return Genesis(
        origin=ORIGIN, chain=CHAIN, profile="intl", log=public(1), state=public(2), operator=public(3),
        committee=(member,), floors=dict.fromkeys(FLOORS, 1), witnesses="quorum none\n", first_tick=START,
    )  # fmt: skip


def card_schema() -> bytes:
    """The schema that docs/spec/schema.md prints, in its canonical bytes."""
    return jcs(parse_json(blocks(PAGES / "schema.md")["schema"].encode()))


@lru_cache(maxsize=1)
def library() -> Library:
    """The registry of the pages: nine entries, one institution, one schema, one card."""
    genesis, document = founded(), card_schema()
    with tempfile.TemporaryDirectory() as folder:
        keys = OperatorKeys(
            genesis, log=signer(1, f"{ORIGIN}#log", "log"), state=signer(2, f"{ORIGIN}#state", "state"),
            operator=signer(3, genesis.operator_kid, "log-op"), mark=Path(folder) / "high-water",
        )  # fmt: skip
        registry = Registry.create(Path(folder) / "registry.db", print_genesis(genesis), keys, random=Counted("operator"))
        try:
            return _filled(registry, genesis, document, Path(folder) / "high-water")
        finally:
            registry.close()


def _filled(registry: Registry, genesis: Genesis, document: bytes, mark: Path) -> Library:
    did = weid_did(CHAIN, public(5))
    own = ops.Author.of(genesis, signer(5, key_id(did, 1), "log-op"), Counted("library"))
    committee = ops.Author.of(genesis, signer(4, key_id(genesis.committee[0].did, 1), "log-op"), Counted("committee"))
    schema = read_schema(document, SHA256(document))
    asserting = signer(6, key_id(did, 2), "assert")
    card = issue(
        schema, CLAIMS, issuer=asserting, registry=Home(ORIGIN, genesis.digest), issued=START,
        valid_until=START + YEAR, random=lambda size: bytes([7]) * size, slot=Slot(1, 4711),
    )  # fmt: skip
    names = (("en", "City library"), ("pt", "Biblioteca municipal"), ("zh-Hans", "市图书馆"), ("zh-Hant", "市圖書館"))
    registry.tick(START).require()
    made = [
        ops.schema_publish(committee, document),
        ops.did_create(own, [own.signer, asserting]),
        ops.issuer_apply(own, names, [schema.digest]),
        ops.issuer_approve(committee, did, schema.digest, level=1, until=START + 5 * YEAR),
        _publication(own, schema, card),
        ops.issuer_approve(own, did, schema.digest, level=9, until=START + 9 * YEAR),  # nobody gives itself a right
    ]
    for entry in made:
        registry.submit([entry.data])
    registry.tick(START + 10).require()
    assert card.list_id is not None and card.leaf is not None
    registry.put_register(card.list_id, [card.leaf])
    registry.commit().require()
    bundle = registry.bundle()
    facts = open_bundle(bundle, pin=genesis.digest, at=START + 15)
    report = verify(card.compact, facts=facts, at=from_minutes(START + 15))
    entries = tuple(registry.entry(index) for index in range(registry.size))
    views = tuple(registry.view(index) for index in range(registry.size))
    inclusion = registry.inclusion(APPROVAL)
    return Library(genesis, schema, did, entries, views, inclusion, mark.read_bytes(), bundle, card, report)


def _publication(own: ops.Author, schema: Schema, card: Issued) -> ops.SignedOperation:
    assert card.list_id is not None and card.leaf is not None
    from registry.registers import register_root

    leaves: list[RegisterLeaf] = [card.leaf]
    return ops.status_publish(
        own, None, number=1, seq=1, schemas=[schema.digest], changed=StatusEntries(),
        digest=status_digest(SHA256, status_list_id(str(own.did), 1), 1, StatusEntries()),
        register_root=register_root(card.list_id, leaves, hash=SHA256), register_size=1,
        this_update=START, next_update=START + 10_080,
    )  # fmt: skip


def blocks(page: Path) -> dict[str, str]:
    """The named examples of a page: name → content."""
    return {name: content for _, name, content in FENCE.findall(page.read_text("utf-8"))}


def _resolved(part: str, accept: str) -> str:
    """What the resolver answers about the did:key of key 1."""
    from flask import Flask

    app = Flask("examples")
    app.register_blueprint(resolver_blueprint(Resolver(NoFacts)))
    answer = app.test_client().get(f"/1.0/identifiers/{did_key(public(1))}{part}", headers={"Accept": accept})
    return pretty(json.loads(answer.data))


def hexed(data: bytes) -> str:
    """Hex in lines of 48 bytes."""
    return "\n".join(textwrap.wrap(data.hex(), 96)) + "\n"


def edn(item: Any, *, full: bool = False) -> str:
    """Diagnostic notation (RFC 8949, 8) on one line; unless `full`, bytes over 20 show their ends and length."""
    if isinstance(item, bytes):
        text = item.hex()
        return f"h'{text}'" if full or len(item) <= 20 else f"h'{text[:8]}…{text[-8:]}' ({len(item)})"
    if isinstance(item, tuple | list):
        return "[" + ", ".join(edn(part, full=full) for part in item) + "]"
    return json.dumps(item, ensure_ascii=False)


def notes(rows: Sequence[tuple[Any, str]]) -> str:
    """An array, one item a line, each with what it is."""
    printed = [edn(item) + ("," if place < len(rows) else "]") for place, (item, _) in enumerate(rows, 1)]
    wide = min(52, max(map(len, printed)) + 1)
    lines = [
        f"{'[' if not place else ' '}{text:<{wide}} {note}".rstrip()
        for place, (text, (_, note)) in enumerate(zip(printed, rows, strict=True))
    ]
    return "\n".join(lines) + "\n"


def pretty(value: Any) -> str:
    """JSON for people."""
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"


def _items(data: bytes, names: Sequence[str]) -> str:
    item = cbor.decode(data)
    assert isinstance(item, tuple)
    return notes(list(zip(item, names, strict=True)))


def examples() -> dict[str, str]:
    """Every example by name, as its fence holds it."""
    made = library()
    uses = use_examples(ORIGIN, str(made.did), founded().committee[0].did)
    checks = verifier_examples(made.report, made.card.file, made.genesis.digest, ORIGIN)
    return {**_log(made), **_bundle(made), **_card(made), **_verification(made), **_shown(), **_engines(made), **uses, **checks}


def _shown() -> dict[str, str]:
    """A part of a credential, unlinkably; its signer is the BBS key of 32 times the byte 7."""
    secret = key_gen(bytes([7]) * 32)
    multikey = LocalBbsSigner(secret, "", "assert").public_key.multikey()
    card: dict[str, Any] = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"], "issuer": f"did:key:{multikey}", "validFrom": "2026-03-01T08:00:00Z",
        "credentialSubject": {"type": "Reader", **CLAIMS},
    }  # fmt: skip
    counted = iter(range(1000))
    base = bbs_2023.sign(
        card, LocalBbsSigner(secret, f"did:key:{multikey}#{multikey}", "assert"), created="2026-03-01T08:00:00Z",
        mandatory=["/issuer", "/validFrom"], random=Counted("hmac"),
    )  # fmt: skip
    shown = bbs_2023.derive(
        base, read_proof(base), ["/credentialSubject/since"], presentation_header=b"nonce",
        random=lambda size: hashlib.sha512(f"shown/{next(counted)}".encode()).digest()[:size],
    )  # fmt: skip
    return {"shown": pretty(shown)}


def _log(made: Library) -> dict[str, str]:
    entry = ops.read_entry(made.entries[APPROVAL], hash=SHA256)
    operation = _items(entry.signed, (
        "version", "registry: origin and genesis digest", "type", "subject", "prev: the op_id it follows, or null",
        "body: schema, level, since (null: log time), until", "nonce, 16 bytes", "nbf, a log minute, or null",
        "key id of the author", "suite of that key",
    ))  # fmt: skip
    parts = parse_bundle(made.bundle)
    create = ops.read_entry(made.entries[2], hash=SHA256).operation.body
    payload = ops.key_proof_payload(ORIGIN, made.genesis.digest, str(made.did), 2, "assert")
    assert create.keys[1].proof
    return {
        "genesis": pretty(json.loads(print_genesis(made.genesis))),
        "genesis-digest": f"{made.genesis.digest.hex()}\n{fingerprint(made.genesis.digest)}\n",
        "entry": hexed(entry.data),
        "operation": operation,
        "op-id": f"{entry.id.hex()}\n",
        "leaf": f"{merkle.leaf_hash(entry.data, hash=SHA256).hex()}\n",
        "key-proof": hexed(payload),
        "log": "".join(
            f"{view['index']}  {view['operation']['type']:<15} {view['result']:<11} {_who(view)}\n" for view in made.views
        ),
        "checkpoint": parts.checkpoint.decode(),
        "statement": parts.statement.decode(),
        "mark": made.mark.decode(),
        "inclusion": "".join(f"{node.hex()}\n" for node in made.inclusion),
        "refused": pretty({name: made.views[ATTEMPT][name] for name in ("index", "leaf", "result")}),
    }


def _engines(made: Library) -> dict[str, str]:
    """Two entries of three and two bytes as the first batch of the library's log, on a chain and in etcd."""
    data, genesis = frame([b"one", b"2b"]), made.genesis.digest
    chained, clustered = evm_abi.link(genesis, 0, 2, data), etcd.link(genesis, 0, 2, data)
    return {
        "engine-frames": hexed(data),
        "engine-call": hexed(evm_abi.append_call(0, 2, data)),
        "engine-topic": f"{evm_abi.batch_topic()}\n",
        "engine-heads": f"{genesis.hex()}  before\n{chained.hex()}  after, on a chain\n{clustered.hex()}  after, in etcd\n",
        "engine-etcd": hexed(clustered + (2).to_bytes(4, "big") + data),
    }


def _who(view: Mapping[str, Any]) -> str:
    kid = str(view["operation"]["kid"])
    return "operator" if kid.endswith("#operator") else "committee" if str(founded().committee[0].did) in kid else "library"


def _bundle(made: Library) -> dict[str, str]:
    names = (
        "head", "genesis file", "snapshot", "state statement, a signed note", "checkpoint, a signed note",
        "consistency path, statement size → checkpoint size", "the state.commit entry", "its inclusion path",
        "operator key chain (empty in this version)", "registers: [list id, leaves]", "histories: [size, path]",
    )  # fmt: skip
    snapshot = parse_bundle(made.bundle).snapshot
    item = cbor.decode(snapshot)
    assert isinstance(item, tuple) and isinstance(item[5], tuple)
    head = notes([(item[0], "head"), (item[1], "origin"), (item[2], "genesis digest"), (item[3], "size"), (item[4], "log time")])
    kinds = "".join(
        f"  [{edn(kind)}, {edn(whole)}, …]".ljust(30) + f"{len(rows)} record{'' if len(rows) == 1 else 's'}\n"
        for kind, whole, rows in item[5]  # type: ignore[misc]
    )
    records = parse_snapshot(snapshot).records
    from weid.records import encode_record

    return {
        "bundle": _items(made.bundle, names),
        "snapshot": head.rstrip("\n").removesuffix("]") + "\n" + kinds,
        "record": edn(encode_record(records["accreditation"][0])) + "\n",
        "bundle-digest": f"{len(made.bundle)} bytes, SHA-256 {hashlib.sha256(made.bundle).hexdigest()}\n",
    }


def _card(made: Library) -> dict[str, str]:
    value = compact.read_compact(made.card.compact)
    signed = compact.preimage(
        value, compact.tree_root(value), origin=ORIGIN, genesis=made.genesis.digest, issuer=str(made.did),
        key_hash=public(6).hash32(), schema=made.schema.digest, mandatory=made.schema.mandatory,
        status_list=made.card.list_id,
    )  # fmt: skip
    cut = compact.disclose(made.card.compact, 0b01, mandatory=made.schema.mandatory)
    head = (
        "form: 0 full, with the seed", "suite: 1 Ed25519, 2 P-256, 3 SM2, 4 secp256k1",
        "issuer hint: first 8 bytes of the DID's address", "key number", "schema hint: first 4 bytes of its digest",
        "issued, minutes since 1970", "from − issued", "until − from", "status list number, or null",
        "status index, or null", "binding kind", "binding bytes", "flags: 1 specimen, 2 nodes of 32 bytes",
    )  # fmt: skip
    asked = Challenge("gate-1", "Reading room", "entry", made.schema.digest, 0b01, bytes(range(16)), START + 20).to_bytes()
    return {
        "carrier": "\n".join(textwrap.wrap(carrier.to_text(made.card.compact, "weid.app"), 96)) + "\n",
        "compact": hexed(made.card.compact),
        "compact-read": _items(made.card.compact, (*head, "seed, 16 bytes", "every value, in the schema's order", "signature")),
        "preimage": hexed(signed),
        "preimage-read": _items(
            signed,
            (
                "suite",
                "node width",
                "origin",
                "genesis digest",
                "issuer",
                "key number",
                "H(public key)",
                "schema digest",
                "mask of the mandatory claims",
                "issued",
                "from",
                "until",
                "status list",
                "index",
                "binding",
                "flags",
                "n, the number of claims",
                "root of the tree",
            ),
        ),
        "cid": f"{made.card.cid.hex()}\n",
        "disclosed": hexed(cut),
        "disclosed-read": _items(
            cut,
            (
                "form: 1 disclosed",
                *head[1:],
                "n, the number of claims",
                "mask: bit i, claim i is shown",
                "values shown",
                "their salts",
                "nodes of the hidden subtrees",
                "the same signature",
            ),
        ),
        "challenge": hexed(asked),
        "file": pretty(json.loads(made.card.file)),
    }


def _verification(made: Library) -> dict[str, str]:
    facts = open_bundle(made.bundle, pin=made.genesis.digest, at=START + 15)
    resolution = resolve(str(made.did), facts)
    checks = "".join(f"{check.outcome.value:<8} {check.id:<22} {check.code}\n" for check in made.report.checks)
    return {
        "report": pretty(made.report.to_json()),
        "checks": checks,
        "did": f"{made.did}\n",
        "did-document": pretty(resolution.document),
        "resolution": _resolved("", "application/did-resolution"),
        "dereferencing": _resolved("%23x", "application/did-url-dereferencing"),
    }


def files() -> dict[str, bytes]:
    """The example files, for other implementations to test against."""
    made = library()
    return {
        "genesis.json": print_genesis(made.genesis), "library.bundle": made.bundle, "schema.json": made.schema.document,
        "card.txt": carrier.to_text(made.card.compact, "weid.app").encode() + b"\n", "card.json": made.card.file,
        "report.json": pretty(made.report.to_json()).encode(),
    }  # fmt: skip


def _fenced(match: re.Match[str], known: Mapping[str, str]) -> str:
    kind, name, content = match.groups()
    return f"```{kind} {name}\n{known.get(name, content)}```"


def _tabled(match: re.Match[str], drawn: Mapping[str, str]) -> str:
    name, content = match.groups()
    return f"<!-- table {name} -->\n{drawn.get(name, content)}<!-- end -->"


def pages() -> Iterator[Path]:
    """The pages that hold examples or tables."""
    yield from sorted(PAGES.glob("*.md"))
    yield PAGES.parent / "conformance.md"


def main() -> None:
    """Write everything anew."""
    known, drawn = examples(), spec_tables.tables()
    for page in pages():
        text = FENCE.sub(lambda match: _fenced(match, known), page.read_text("utf-8"))
        page.write_text(spec_tables.TABLE.sub(lambda match: _tabled(match, drawn), text), "utf-8")
    FILES.mkdir(exist_ok=True)
    for name, data in files().items():
        (FILES / name).write_bytes(data)
    print(f"{len(known)} examples, {len(files())} files")


if __name__ == "__main__":
    main()
