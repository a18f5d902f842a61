"""Every decoder of ours under mutated input: only our own errors escape (rules R11, R27)."""

from __future__ import annotations

import io
import json
import random
import secrets
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.stage import NOW, Stage, moment, stage
from credentials import (
    bbs_2023,
    carrier,
    compact,
    cose,
    disclosing,
    ecdsa_sd,
    envelope,
    jose,
    jws,
    presentation,
    sd_jwt,
    status,
    vcdm,
)
from credentials.bbs import BbsPublicKey, LocalBbsSigner, key_gen
from credentials.binding import Binding, read_binding
from credentials.bitstring import read_entry, read_list
from credentials.bitstring_list import BitstringStatusList
from credentials.check_report import read_check_report, sign_check_report
from credentials.cpt import Legacy, keys_in_document, read_cpt
from credentials.data_integrity import read_proof
from credentials.json_schema import read_json_schema
from credentials.jws_json import read_jws_json, read_sd_jwt_json
from credentials.jwt_1_1 import read_jwt_1_1
from credentials.opening import read_envelope
from credentials.picture import draw, png, read
from credentials.policy import Policy
from credentials.reissue import read_reissue, reissue_request
from credentials.report import Outcome
from credentials.rules import Rule
from credentials.schema import read_schema
from credentials.sd_claims import open_claims, read_disclosure
from credentials.sd_jwt_vc import verify_sd_jwt_vc
from credentials.token_status import StatusReference, read_reference, value_in
from credentials.type_metadata import check_integrity, resolve_type
from credentials.verify import verify
from credentials.weidentity import read_weidentity
from credentials.weidentity_proof import prove
from issuer_app.design.examples import example
from issuer_app.design.making import pack_files
from issuer_app.design.parcel import packed as packed_pack
from issuer_app.design.parcel import unpacked
from issuer_app.design.plan import read_plan
from issuer_app.design.table import fields_of_csv
from issuer_app.design.unmaking import plan_of
from issuer_app.lifecycle.joint_many import certificates_in
from issuer_app.papers.svg import read_svg
from registry import cosignature, evidence, genesis, note, operations, policy, proof_file, snapshot, statement, uses
from registry.authority import Authority, open_chain, print_chain, read_chain
from registry.bundle import open_bundle, parse_bundle
from registry.checkpoint import parse_checkpoint
from registry.issue_proof import print_issue_proof, prove_issue, read_issue_proof
from registry.machine import parse_machine
from registry.mirror.paths import entry_path, pack_entries, parse_path, unpack_entries
from registry.node.client import LocalTransport
from registry.pack import read_assets
from registry.signer import HighWater
from registry.trust import TrustStore
from registry.twin import Twin, parse_twin, print_twin
from registry.witness.core import parse_request, print_request
from tests.credentials import old
from tests.credentials.disclosure_cases import credential
from verifier_app.batch.archive import files_in
from verifier_app.papers.sheet import Attachment, Code, Page, Paper
from wallet_cli.wallet import Wallet
from weid import cbor, codec, records
from weid.business_key import BusinessKey
from weid.canon import JSON, jcs, parse_json
from weid.did import DID, parse_key_id
from weid.did_jwk import did_jwk, key_of_did_jwk
from weid.did_web import document_url, read_document
from weid.errors import WeidError
from weid.facts import Facts, NoFacts
from weid.fountain import Sender, frame_of
from weid.hashes import SHA256
from weid.keyfile import key_notes, seal_key
from weid.keys import LocalSigner, PublicKey
from weid.pack import read_pack
from weid.resolver import Resolver, split_did_url

PACK = Path(__file__).resolve().parents[1] / "packs" / "warehouse-pledge"
MINUTE = codec.minutes(NOW)
JSON_SCHEMA: dict[str, JSON] = {
    "$id": "urn:schema", "$schema": "https://json-schema.org/draft/2020-12/schema", "$ref": "#/$defs/a",
    "$defs": {"a": {"type": "object", "properties": {"b": {"pattern": "^(c+)+$", "format": "email"}}}},
}  # fmt: skip


@pytest.fixture(scope="module", params=["intl", "gm"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return stage(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def facts(made: Stage) -> Facts:
    store = TrustStore.pin(genesis.print_genesis(made.registry.genesis))
    return store.accept(made.registry.bundle(), at=MINUTE).facts(at=MINUTE)


def mutants(seed: bytes, count: int, source: random.Random) -> Iterator[bytes]:
    """Bit flips, cuts, insertions, repeats and splices."""
    for _ in range(count):
        data = bytearray(seed)
        for _ in range(source.choice((1, 1, 1, 2, 5))):
            at = source.randrange(len(data) + 1)
            match source.randrange(6):
                case 0 if at < len(data):
                    data[at] ^= 1 << source.randrange(8)
                case 1:
                    del data[at : at + source.randrange(1, 9)]
                case 2:
                    data[at:at] = source.randbytes(source.randrange(1, 9))
                case 3:
                    data[at:at] = data[at : at + source.randrange(1, 40)]
                case 4 if at < len(data):
                    data[at] = source.choice(b'\x00\xff"{}[]:,0-e\\u')
                case _:
                    data = data[:at]
        yield bytes(data)


def texts(decode: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: decode(data.decode("utf-8", "replace"))


def decoders(made: Stage) -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """(name, decoder, a valid seed) for everything that reads bytes from outside."""
    issued = made.issue()
    home, chosen = made.registry, made.registry.genesis.hash
    key = made.signer.public_key
    bundle = parse_bundle(home.bundle())
    request = Binding.to_key(key).to_bytes()
    challenge = presentation.Challenge("v", "name", "p", made.schema.digest, 3, secrets.token_bytes(16), MINUTE + 5)
    sealed = seal_key(bytes([3]) * 32, "ed25519", "k", "assert", "x", random=secrets.token_bytes, cost=10)
    store = TrustStore.pin(genesis.print_genesis(home.genesis)).accept(home.bundle(), at=MINUTE)
    path = home.inclusion(2, parse_checkpoint(note.parse_note(home.checkpoint()).text).size)
    proof = proof_file.print_proof_file(2, home.entry(2), path, home.checkpoint())
    proven = LocalTransport(home).get(f"records/did/{made.did}")
    words = ("a", "b", "c", "d")
    listed, (index,) = BitstringStatusList("urn:list", "message", 2, messages=words).allocate(random=secrets.token_bytes)
    entries = status.encode_bitstring((), "revoked", 131072)
    packed = records.pack_entries(records.StatusEntries([records.StatusEntry(5, "revoked", "fraud", MINUTE)]))
    rule = jcs({"id": "a", "description": dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "x"), "needs": ["a"],
                "logic": {"===": [{"var": "payload.a"}, 1]}})  # fmt: skip
    return [
        *envelopes(),
        ("cbor", cbor.decode, issued.compact),
        ("json", parse_json, issued.file),
        ("base58", texts(codec.unb58), codec.b58(b"hello").encode()),
        ("time", texts(codec.parse_rfc3339), b"2026-01-01T00:00:00Z"),
        ("did", texts(DID), str(made.did).encode()),
        ("key id", texts(parse_key_id), made.signer.kid.encode()),
        ("multikey", texts(PublicKey.from_multikey), key.multikey().encode()),
        ("key file", key_notes, sealed),
        ("packed status", records.unpack_entries, packed),
        ("compact", compact.read_compact, issued.compact),
        ("challenge", presentation.read_challenge, challenge.to_bytes()),
        ("carrier", texts(carrier.from_text), carrier.to_text(issued.compact, "weid.app").encode()),
        ("file", vcdm.read_file, issued.file),
        ("artwork", read_svg, (Path(__file__).parents[1] / "packs/health-code/templates/card.svg").read_bytes()),
        ("design", read_plan, example("skill").to_bytes()),
        ("batch to sign", lambda data: list(certificates_in(data)), _batch()),
        ("packed design", lambda data: plan_of(unpacked(data)), packed_pack(pack_files(example("skill")), "skill")),
        ("table of fields", fields_of_csv, b"en,type,most\nName,text,60\nDay,date,\n"),
        ("proof", lambda data: read_proof(_object(data)), issued.file),
        ("schema", lambda data: read_schema(data, made.schema.digest), made.schema.document),
        ("rule", lambda data: Rule.from_json(parse_json(data)), rule),
        ("binding", lambda data: read_binding(data, "key"), request),
        ("bitstring", texts(status.decode_bitstring), entries.encode()),
        ("status entry", lambda data: read_entry(_object(data)), jcs(listed.entry(index))),
        ("status list", lambda data: read_list(_object(data)), jcs(listed.document("did:example:i", issued=0, until=9))),
        ("json schema", read_json_schema, jcs(JSON_SCHEMA)),
        ("picture", read, png(draw(issued.compact, host="weid.app"), scale=2)),
        ("genesis", genesis.parse_genesis, genesis.print_genesis(home.genesis)),
        ("entry", lambda data: operations.read_entry(data, hash=chosen), home.entry(2)),
        ("note", note.parse_note, bundle.checkpoint),
        ("proof file", proof_file.parse_proof_file, proof),
        ("proof", lambda data: proof_file.check_proof(data, home.genesis), proof),
        ("record proof", lambda data: proof_file.check_proof(data, home.genesis), proven),
        ("issue proof", lambda data: read_issue_proof(data, home.genesis), issue_proof(made)),
        ("two roots", texts(parse_twin), print_twin(Twin("o", 7, bytes(32), bytes(32))).encode()),
        (
            "checkpoint",
            lambda data: parse_checkpoint(data.decode("utf-8", "replace")),
            b"o\n1\n" + codec.b64(bytes(32)).encode() + b"\n",
        ),
        ("statement", lambda data: statement.parse_statement(data.decode("utf-8", "replace")), bundle.statement),
        ("snapshot", snapshot.parse_snapshot, bundle.snapshot),
        ("bundle", lambda data: open_bundle(data, pin=home.genesis.digest, at=MINUTE), home.bundle()),
        ("high water", HighWater.from_bytes, HighWater("o", bytes(32)).to_bytes()),
        ("trust store", TrustStore.from_bytes, store.to_bytes()),
        ("wallet", Wallet.from_bytes, Wallet().to_bytes()),
        *old_and_other_methods(),
        *disclosure_decoders(),
        *watching(made),
        ("pack", lambda data: read_pack({"pack.json": data}), b'{"id":"a","version":1,"title":{}}'),
        *asset_decoders(),
        *verifier_decoders(),
    ]


def issue_proof(made: Stage) -> bytes:
    """A proof of issue whose parts are real, of a register with one leaf that was not published."""
    transport = LocalTransport(made.registry)
    state = transport.get(f"records/status/{records.status_list_id(str(made.did), 1)}")
    size = statement.parse_statement(note.parse_note(parse_bundle(made.registry.bundle()).statement).text).size
    commit = transport.get(f"entries/{size}/proof").decode()
    leaf = records.RegisterLeaf(7, bytes(16))
    return print_issue_proof(prove_issue(leaf, [leaf], "list", state, commit, hash=made.registry.genesis.hash))


def verifier_decoders() -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """Frames of animated codes, a verifier's report, what a reader process answers, archives."""
    paper = Paper((Code("1", 1),), (Attachment("a", b"x"),), (Page("seen", "covered"),), True)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.json", b"{}" * 50)
    signer = LocalSigner(bytes([9]) * 32, "ed25519", "verifier.key", "verifier")
    item = {"number": 1, "file": {"sha256": "00" * 32}, "problem": "empty"}
    report = sign_check_report((item,), signer, name="v", trust=(), made=MINUTE)
    return [
        ("frame", texts(frame_of), Sender(b"x" * 90, fragment=40).frame(1).to_text().encode()),
        ("check report", read_check_report, report),
        ("paper", Paper.from_bytes, paper.to_bytes()),
        ("archive", lambda data: list(files_in(data)), archive.getvalue()),
    ]


def asset_decoders() -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """Machines, the files of a use, business keys as a pack declares them and as somebody fills them in."""
    section = (PACK / "assets.json").read_bytes()
    machine = jcs(json.loads(section)["machines"]["receipt"]["document"])
    title = jcs({"id": "a", "version": 1, "title": dict.fromkeys(("en", "pt", "zh-Hans", "zh-Hant"), "x")})
    receipt, claim = uses.Receipt.new(
        SHA256, origin="o", register="did:x|y", group=bytes(32), key=bytes(32), claimer="did:x", secret=bytes(32)
    )
    fields = jcs({"a": "WR-17", "b": "2026-03-01", "c": "1.50", "d": "Store 1"})
    kinds = {"a": "code", "b": "date", "c": "number", "d": "text"}
    key = BusinessKey.from_json("k", {"fields": [{"name": name, "kind": kind} for name, kind in kinds.items()]})
    return [
        ("machine", parse_machine, machine),
        ("assets of a pack", lambda data: read_assets(read_pack({"pack.json": title, "assets.json": data})), section),
        ("use receipt", uses.Receipt.from_bytes, receipt.to_bytes()),
        ("use proof", uses.Proof.from_bytes, receipt.proof(SHA256).to_bytes()),
        ("use request", uses.read_request, uses.request_bytes(claim)),
        ("release request", uses.read_request, uses.request_bytes(receipt.release(SHA256))),
        ("business key", lambda data: key.digest(_object(data), hash=SHA256), fields),
    ]


def watching(made: Stage) -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """What witnesses, mirrors and readers of evidence are handed, and the chain of key changes."""
    home, watcher = made.registry, LocalSigner(bytes([8]) * 32, "ed25519", "w.example", "witness")
    checkpoint = note.parse_note(parse_bundle(home.bundle()).checkpoint)
    key = cosignature.CosignerKey("w.example", watcher.public_key)
    line = cosignature.cosign(checkpoint.text, "w.example", watcher, at=60)
    cosigned = note.print_note(note.with_signature(checkpoint, line))
    text = policy.print_policy(policy.Policy(witnesses=(policy.Witness("a", key, "https://w.example"),), quorum="a"))
    authority = Authority.of(home.genesis)
    wrong = evidence.Evidence("fork", genesis.print_genesis(home.genesis), *(note.print_note(checkpoint),) * 2, (bytes(32),))
    chain = cbor.encode([[1, "log", "ed25519", watcher.public_key.data, bytes(64), bytes(64), "", b""]])
    return [
        ("policy", texts(policy.parse_policy), text.encode()),
        ("genesis policy", texts(lambda data: genesis.check_policy(data, "intl")), text.encode()),
        ("cosigner key", texts(cosignature.CosignerKey.parse), key.text().encode()),
        ("note key", texts(note.NoteKey.parse), authority.note_key.text().encode()),
        ("cosigned", lambda data: policy.verify_quorum(note.parse_note(data), authority.note_key, policy.parse_policy(text)), cosigned),
        ("add-checkpoint", parse_request, print_request(3, (bytes(32),), checkpoint)),
        ("evidence", lambda data: evidence.check_evidence(data, pin=home.genesis.digest), evidence.print_evidence(wrong)),
        ("key chain", lambda data: Authority.of(home.genesis, read_chain(cbor.decode(data))), chain),
        ("key chain file", open_chain, print_chain(authority)),
        ("tile path", texts(parse_path), entry_path(1_234_567, 8).encode()),
        ("entry bundle", lambda data: unpack_entries(data, 2), pack_entries([b"one", b"another"])),
    ]  # fmt: skip


def signer(role: str) -> LocalSigner:
    return LocalSigner(bytes([7]) * 32, "ed25519", "did:example:1#1", role)


def json_forms(text: str, bound: str) -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """JWS and SD-JWT in JSON, the claims of an SD-JWT VC, the metadata of its type, its status, a private JWK."""
    first, *disclosures, binding = bound.split("~")
    protected, payload, signature = first.split(".")
    one = {"protected": protected, "signature": signature, "header": {"disclosures": disclosures, "kb_jwt": binding}}
    claims = {"iss": "x", "vct": "urn:t", "aka_vcts": ["urn:u"], "status": {"status_list": {"idx": 1, "uri": "urn:s"}}}
    types = {"vct": "urn:t", "claims": [{"path": ["a", None, 1], "sd": "always", "svg_id": "a"}], "display": []}
    issued = sd_jwt.issue(claims, [], signer=signer("assert"), random=secrets.token_bytes)
    packed = {"sub": "urn:s", "iat": 1, "status_list": {"bits": 1, "lst": codec.b64u(zlib.compress(b"x"))}}
    listed = jws.sign({"typ": "statuslist+jwt"}, jcs(packed), signer("assert"))
    key, private = signer("assert").public_key, {"kty": "OKP", "crv": "Ed25519", "x": "", "d": codec.b64u(bytes(32))}
    private["x"] = LocalSigner(bytes(32), "ed25519", "k", "assert").public_key.jwk()["x"]
    return [
        ("jws json", read_jws_json, jcs({"payload": payload, "signatures": [one]})),
        ("sd-jwt json", read_sd_jwt_json, jcs({"payload": payload, **one})),
        ("sd-jwt vc", texts(lambda data: verify_sd_jwt_vc(sd_jwt.read_sd_jwt(data), key)), issued.encode()),
        ("type metadata", lambda data: resolve_type("urn:t", {"urn:t": data}), jcs(types)),
        ("integrity", texts(lambda data: check_integrity(b"x", data)), b"sha256-AAAA sha512-AAAA"),
        ("status token", texts(lambda data: value_in(data, StatusReference("urn:s", 1), key, at=NOW)), listed.encode()),
        ("status claim", lambda data: read_reference(_object(data)), jcs(claims)),
        ("private jwk", lambda data: LocalSigner.from_jwk(_object(data), "k", "assert"), jcs(dict(private))),
    ]


def envelopes() -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """The readers of JOSE, SD-JWT and COSE, and of what they read piece by piece."""
    document = {
        "@context": [envelope.V2], "type": ["VerifiableCredential"], "issuer": "did:example:1",
        "credentialSubject": {"name": "x", "marks": [1, 2]},
    }  # fmt: skip
    hide = [("credentialSubject", "name"), ("credentialSubject", "marks", 0)]
    key = signer("assert").public_key
    text = jose.issue_sd_jwt(document, hide, signer("assert"), random=secrets.token_bytes, holder=key, decoys=1)
    bound = sd_jwt.bind(text, signer("present"), audience="a", nonce="n", at=NOW)
    plain, binary = jose.sign_jwt(document, signer("assert")), cose.sign_cose(document, signer("assert"))
    inside = {
        "@context": ["https://www.w3.org/2018/credentials/v1"],
        "type": "VerifiableCredential",
        "credentialSubject": {"x": 1},
    }
    old_claims = {"iss": "did:example:1", "sub": "urn:x", "jti": "urn:y", "nbf": 1, "exp": 9, "vc": inside}
    older = jws.sign({"typ": "JWT", "kid": "did:example:1#k"}, jcs(old_claims), signer("assert"))
    shown = {
        "@context": [envelope.V2], "type": "VerifiablePresentation",
        "verifiableCredential": [envelope.enclose("vc+cose", binary), envelope.enclose("vc+jwt", plain.encode())],
    }  # fmt: skip
    return [
        ("jwk", lambda data: PublicKey.from_jwk(_object(data)), jcs(dict(key.jwk()))),
        ("jws", texts(jws.read_jws), plain.encode()),
        ("vc+jwt", texts(lambda data: jose.read_jwt(data).verify(key)), plain.encode()),
        ("jwt 1.1", texts(lambda data: read_jwt_1_1(jws.read_jws(data))), older.encode()),
        ("disclosure", texts(read_disclosure), text.split("~")[1].encode()),
        ("digests", lambda data: open_claims(_object(data), []), jcs(dict(sd_jwt.read_sd_jwt(text).payload))),
        ("vc+sd-jwt", texts(jose.read_sd_jwt_document), text.encode()),
        ("key binding", texts(_binding), bound.encode()),
        ("present", texts(lambda data: sd_jwt.present(data, [("credentialSubject", "name")])), text.encode()),
        ("cose", lambda data: cose.read_cose(data).verify(key), binary),
        ("cose text", texts(cose.read_cose_text), codec.b64(binary).encode()),
        ("envelopes", lambda data: envelope.check_document(_object(data), "vp"), jcs(shown)),
        ("envelope", read_envelope, text.encode()),
        *json_forms(text, bound),
        ("data url", texts(envelope.open_url), str(envelope.enclose("vc+cose", binary)["id"]).encode()),
        ("claims", lambda data: jws.time_code(_object(data), NOW), b'{"exp":1,"nbf":2}'),
    ]  # fmt: skip


def _batch() -> bytes:
    """The archive of an import, as another institution is asked to sign it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("1/certificate.json", b'{"some": "certificate"}')
    return out.getvalue()


def _binding(text: str) -> object:
    token = sd_jwt.read_sd_jwt(text)
    claims = sd_jwt.verify(token, signer("assert").public_key).claims
    return sd_jwt.verify_binding(token, sd_jwt.confirmed_key(claims), audience="a", nonce="n")


def old_and_other_methods() -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """Decoders of foreign forms: WeIdentity's, and DIDs that no log holds."""
    issuer = old.OldIssuer()
    value = old.worded(old.original(issuer))
    credential, several = json.dumps(value).encode(), json.dumps(old.multi(issuer, [old.original(issuer)])).encode()
    lite, web = json.dumps(old.lite(issuer)).encode(), "did:web:school.example"
    request = reissue_request(credential, verify(credential, facts=NoFacts(), at=moment()))
    xy = str(int.from_bytes(issuer.key.xy(), "big"))
    document = json.dumps({"id": issuer.did, "publicKey": [{"type": "Secp256k1", "publicKey": xy}]}).encode()
    method = {"id": "#k", "type": "Multikey", "controller": web, "publicKeyMultibase": issuer.key.multikey()}
    service = {"id": "#s", "type": "S", "serviceEndpoint": "https://school.example/"}
    site = {"id": web, "verificationMethod": [method], "authentication": ["#k"], "service": [service]}
    resolver = Resolver(NoFacts, documents={web: jcs(site)}.get)
    return [
        ("weidentity", read_weidentity, credential),
        ("weidentity, several", read_weidentity, several),
        ("weidentity, lite", read_weidentity, lite),
        ("weidentity signature", lambda data: _proved(data), credential),
        ("reissue", read_reissue, jcs(request)),
        ("cpt", lambda data: read_cpt(parse_json(data)), json.dumps(old.CPT).encode()),
        ("old did document", lambda data: keys_in_document(parse_json(data), issuer.did), document),
        ("did:jwk", texts(key_of_did_jwk), did_jwk(issuer.key).encode()),
        ("did:web", texts(document_url), b"did:web:school.example%3A3000:user:a"),
        ("web document", lambda data: read_document(data, web), jcs(site)),
        ("did url", texts(split_did_url), b"did:web:a.example/x?service=files&relativeRef=%2Fy#z"),
        ("resolver", texts(lambda text: resolver.dereference(text, {})), f"{web}?service=s#k".encode()),
    ]


def _proved(data: bytes) -> object:
    credential = read_weidentity(data)
    return None if credential is None else prove(credential, None)


def disclosure_decoders() -> list[tuple[str, Callable[[bytes], object], bytes]]:
    """Proof values and pointers of selective disclosure, and whole documents with them."""
    elliptic = LocalSigner(bytes([7]) * 32, "p256", "did:example:i#key-1", "assert")
    pairing = LocalBbsSigner(key_gen(bytes(32)), "did:example:i#key-2", "assert")
    created, random = "2026-01-01T00:00:00Z", secrets.token_bytes
    base = ecdsa_sd.sign(credential(), elliptic, created=created, mandatory=["/issuer"], random=random)
    shown = ecdsa_sd.derive(base, read_proof(base), ["/name"])
    blind = bbs_2023.sign(credential(), pairing, created=created, mandatory=["/issuer"], random=random)
    unlinked = bbs_2023.derive(blind, read_proof(blind), ["/name"], random=random)

    def verify_shown(data: bytes) -> None:
        document = _object(data)
        ecdsa_sd.verify(document, read_proof(document), elliptic.public_key, "assert")

    return [
        ("ecdsa-sd base value", ecdsa_sd.read_base, read_proof(base).signature),
        ("ecdsa-sd derived value", ecdsa_sd.read_derived, read_proof(shown).signature),
        ("ecdsa-sd document", verify_shown, jcs(shown)),
        ("bbs base value", bbs_2023.read_base, read_proof(blind).signature),
        ("bbs derived value", bbs_2023.read_derived, read_proof(unlinked).signature),
        ("bbs multikey", texts(BbsPublicKey.from_multikey), pairing.public_key.multikey().encode()),
        ("JSON pointer", texts(lambda text: disclosing.select(credential(), [text])), b"/credentialSubject/courses/1/title"),
    ]


def _object(data: bytes) -> dict:
    value = parse_json(data)
    return value if isinstance(value, dict) else {"proof": value}


def fuzz(made: Stage, count: int, seed: int) -> int:
    total = 0
    source = random.Random(seed)
    for name, decode, valid in decoders(made):
        rounds = max(20, count // 20) if name in ("picture", "bundle") else count
        for data in mutants(valid, rounds, source):
            total += 1
            try:
                decode(data)
            except WeidError:
                continue
            except Exception as error:
                pytest.fail(f"{name}: {type(error).__name__} escaped: {error}; input {data[:200]!r}")
    return total


def test_only_our_own_errors_escape_a_decoder(made: Stage) -> None:
    assert fuzz(made, 150, seed=1) > 3000


@pytest.mark.long
def test_only_our_own_errors_escape_a_decoder_long(made: Stage) -> None:
    print(f"\ndecoders: {fuzz(made, 5000, seed=secrets.randbits(32))} mutants, none escaped")


def mutated_verifications(made: Stage, facts: Facts, count: int, seed: int) -> int:
    """R27: any changed byte of a code, any changed value of a file, is never VALID."""
    source = random.Random(seed)
    issued = made.issue()
    names = tuple(made.schema.names)
    cut = compact.disclose(issued.compact, 0b10101, mandatory=0)
    text = carrier.to_text(cut, "weid.app").encode()
    total = 0
    for valid in (issued.compact, cut, text, issued.file):
        intact = verify(valid, facts=facts, policy=Policy(), at=moment())
        assert intact.outcome is Outcome.PASSED, intact.verdict
        for data in mutants(valid, count, source):
            total += 1
            report = verify(data, facts=facts, policy=Policy(), at=moment())
            assert all(check.code != "internal-error" for check in report), data
            if report.outcome is Outcome.PASSED:
                assert same_value(valid, data), f"a mutant is {report.verdict}: {data!r}"
    assert names
    return total


def same_value(valid: bytes, data: bytes) -> bool:
    """JSON may be spelled otherwise and a code's host is ignored; nothing else may differ."""
    if valid[:1] == b"{":
        return json.loads(valid) == json.loads(data)
    if valid[:1] == b"h":
        return valid.split(b"#")[-1] == data.split(b"#")[-1]
    return valid == data


def test_no_mutant_is_valid(made: Stage, facts: Facts) -> None:
    assert mutated_verifications(made, facts, 400, seed=2) == 1600


@pytest.mark.long
def test_no_mutant_is_valid_long(made: Stage, facts: Facts) -> None:
    print(f"\nverify: {mutated_verifications(made, facts, 6000, seed=secrets.randbits(32))} mutants, none valid")


def test_every_bit_of_a_code_counts(made: Stage, facts: Facts) -> None:
    """All eight bits of every byte, every deletion and every appended byte."""
    data = made.issue().compact
    changed = [data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :] for at in range(len(data)) for bit in range(8)]
    changed += [data[:at] + data[at + 1 :] for at in range(len(data))]
    changed += [data + bytes([byte]) for byte in range(256)]
    for mutant in changed:
        assert verify(mutant, facts=facts, policy=Policy(), at=moment()).outcome is not Outcome.PASSED


def mutated_old_ones(count: int, seed: int) -> int:
    """R30: no mutant of an old credential is ever green, and none is authentic with another value."""
    issuer, source, total = old.OldIssuer(), random.Random(seed), 0
    policy = Policy(legacy=Legacy(cpts={2000006: read_cpt(old.CPT)}, salt_length=5))
    for value in (old.original(issuer), old.worded(old.original(issuer, "P1")), old.lite(issuer)):
        for data in mutants(json.dumps(value).encode(), count, source):
            total += 1
            report = verify(data, facts=NoFacts(), policy=policy, at=moment())
            assert all(check.code != "internal-error" for check in report), data
            assert report.exit_code != 0, data
            if report.check("schema").outcome is not Outcome.FAILED:  # the CPT refuses a type that the hash allows
                assert report.authentic in (None, old.CLAIM), data
    return total


def test_no_mutant_of_an_old_credential_is_authentic() -> None:
    assert mutated_old_ones(300, seed=4) == 900


@pytest.mark.long
def test_no_mutant_of_an_old_credential_is_authentic_long() -> None:
    print(f"\nold credentials: {mutated_old_ones(5000, seed=secrets.randbits(32))} mutants, none authentic")


def test_verify_takes_anything(facts: Facts) -> None:
    source = random.Random(3)
    for size in (0, 1, 2, 10, 100, 3000):
        for _ in range(30):
            report = verify(source.randbytes(size), facts=facts, policy=Policy(), at=moment())
            assert report.verdict == "not-a-credential"


def test_no_mutant_of_an_envelope_verifies() -> None:
    """Any changed byte of a JWT, SD-JWT with key binding or COSE_Sign1: refused, or it says the same to the last claim."""
    source = random.Random(4)
    chosen = {name: (decode, valid) for name, decode, valid in envelopes() if name in ("vc+jwt", "key binding", "cose")}
    for name, (decode, valid) in chosen.items():
        decode(valid)
        for data in mutants(valid, 800, source):
            if data == valid:
                continue
            try:
                decode(data)
            except WeidError:
                continue
            pytest.fail(f"{name}: a mutant verifies: {data!r}")
