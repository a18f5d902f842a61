"""The node over HTTP and its client: the same answers on both transports, and never a 5xx for bad input."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.serving import make_server

from registry import operations as ops
from registry.checkpoint import parse_checkpoint
from registry.genesis import parse_genesis
from registry.node.client import HttpTransport, LocalTransport, RegistryClient
from registry.node.service import create_node
from registry.note import parse_note
from registry.trust import TrustStore
from tests.registry.world import World
from weid.codec import rfc3339
from weid.errors import (
    MalformedError,
    NotRegisteredError,
    ProofError,
    RegistryError,
    RollbackError,
    SignatureError,
    TrustError,
    WeidError,
)  # fmt: skip
from weid.records import RegisterLeaf


@pytest.fixture
def http(world: World) -> FlaskClient:
    return create_node(world.registry).test_client()


@pytest.fixture(params=["local", "http"])
def client(request: pytest.FixtureRequest, world: World) -> Iterator[RegistryClient]:
    if request.param == "local":
        yield RegistryClient.local(world.registry)
        return
    server = make_server("127.0.0.1", 0, create_node(world.registry), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield RegistryClient.http(world.genesis, f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_story_over_both_transports(world: World, client: RegistryClient) -> None:
    """Register, be refused, be rejected, prove, bundle: the same on HTTP and in process."""
    start = client.checkpoint()
    actor = world.actor()
    made = ops.did_create(world.author(actor), list(actor.signers.values()))
    first, second = client.submit(made.data), client.submit(made.data)
    assert (first.index, first.code, second.index, second.code) == (0, "applied", 0, "duplicate")
    assert client.submit(b"junk").code == "malformed"
    rejected = client.submit(ops.issuer_suspend(world.author(actor), actor.did, "me").data)
    assert (rejected.index, rejected.code) == (1, "wrong-role")
    assert client.entry(1)["result"] == "wrong-role"
    assert client.entry(0)["operation"]["type"] == "did.create"
    assert client.check_continues(start).size == 2
    world.commit()
    store = TrustStore.pin(_genesis(client)).accept(client.bundle(since=[1]), at=world.now)
    assert store.marks[0].size == 3
    assert client.did(actor.did).document["id"] == actor.did
    assert client.health()["size"] == 3
    with pytest.raises(NotRegisteredError):
        client.did(world.actor().did)


class Forger:
    """A node that changes one member of its answer about a record."""

    def __init__(self, world: World, **changed: Any) -> None:
        self.honest, self.changed = LocalTransport(world.registry), changed

    def get(self, path: str) -> bytes:
        return json.dumps({**json.loads(self.honest.get(path)), **self.changed}).encode()

    def post(self, path: str, data: bytes) -> bytes:
        return self.honest.post(path, data)


def test_a_read_is_proven_and_a_lying_node_is_found_out(world: World) -> None:
    """Present and absent alike: nothing is believed that the signed state does not say."""
    issuer = world.issuer(world.schema())
    world.commit()
    client = RegistryClient.local(world.registry)
    assert client.record("issuer", issuer.did).state == "approved"  # type: ignore[union-attr]
    assert client.record("issuer", "did:weid:1:nobody") is None
    assert client.record("status", f"{issuer.did}/status/1") is None

    honest = json.loads(LocalTransport(world.registry).get(f"records/issuer/{issuer.did}"))
    absent = json.loads(LocalTransport(world.registry).get("records/issuer/did:weid:1:nobody"))
    other = json.loads(LocalTransport(world.registry).get(f"records/did/{issuer.did}"))
    for changed in ({"record": None}, {"record": None, "proof": absent["proof"]}, {"proof": absent["proof"]},
                    {"record": other["record"], "proof": other["proof"]}):  # fmt: skip
        with pytest.raises((ProofError, MalformedError)):
            RegistryClient(world.genesis, Forger(world, **changed)).record("issuer", issuer.did)
    forged = honest["statement"].replace("\n" + str(world.registry.size - 1) + "\n", "\n1\n")
    with pytest.raises((SignatureError, MalformedError)):
        RegistryClient(world.genesis, Forger(world, statement=forged)).record("issuer", issuer.did)
    for wrong in ({"proof": 5}, {"statement": None}, {"record": 7}, {"proof": "!"}):
        with pytest.raises((RegistryError, MalformedError)):
            RegistryClient(world.genesis, Forger(world, **wrong)).record("issuer", issuer.did)


def test_a_node_does_not_go_back_to_an_older_state(world: World) -> None:
    """`older-state`: what a client has seen once is not taken back before its eyes."""
    world.commit()
    old = json.loads(LocalTransport(world.registry).get(f"records/did/{world.admin.did}"))
    liar = Forger(world)
    client = RegistryClient(world.genesis, liar)
    world.register(world.actor())
    world.commit()
    client.record("did", world.admin.did)
    liar.changed = old
    with pytest.raises(RollbackError):
        client.record("did", world.admin.did)


def test_a_committed_state_answers_while_the_log_goes_on_and_after_a_restart(world: World) -> None:
    """What is proven is what was signed, not what came after it."""
    world.commit()
    actor = world.register(world.actor())
    client = RegistryClient.local(world.registry)
    assert client.record("did", actor.did) is None and client.record("did", world.admin.did) is not None
    world.reopen()
    again = RegistryClient.local(world.registry)
    assert again.record("did", actor.did) is None and again.record("did", world.admin.did) is not None
    with pytest.raises(RegistryError) as caught:
        again.record("register", "x")
    assert caught.value.code == "unknown-kind"


def _genesis(client: RegistryClient) -> bytes:
    return client._transport.get("genesis")


def test_registers_are_taken_if_they_were_published(world: World, client: RegistryClient) -> None:
    """The node keeps the leaves of a published register and refuses any other."""
    schema = world.schema()
    issuer = world.issuer(schema)
    leaves = [RegisterLeaf(0, b"\1" * 16)]
    world.status(issuer, [schema], leaves=leaves)
    client.put_register(f"{issuer.did}/status/1", leaves)
    with pytest.raises(RegistryError) as caught:
        client.put_register(f"{issuer.did}/status/1", leaves * 2)
    assert caught.value.code == "wrong-digest"


def test_refused_entries_never_reach_the_log(world: World, http: FlaskClient) -> None:
    """Unknown signers, bad signatures and other registries are 400 with a problem, and no leaf."""
    stranger = ops.evidence_anchor(world.author(world.actor()), bytes(32), "file")
    made = ops.evidence_anchor(world.author(world.admin), bytes(32), "file")
    forged = made.data[:-1] + bytes([made.data[-1] ^ 1])
    for data, code in ((stranger.data, "not-registered"), (forged, "bad-signature"), (b"\xff", "malformed")):
        answer = http.post("/v1/operations", data=data)
        assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")
        assert answer.get_json()["title"] == code
    assert world.registry.size == 0


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("entries/0", 404), ("entries/x", 400), ("entries/-1", 400), ("entries/99999999999999999999", 400),
        ("proofs/inclusion", 400), ("proofs/inclusion?index=0", 400), ("proofs/inclusion?index=0&size=9", 400),
        ("proofs/consistency?old=5", 400), ("proofs/consistency?old=0&size=99", 400), ("bundle", 404),
        ("bundle?since=x", 400), ("dids/x", 400), ("dids/did:weid:20200:0x00", 400), ("nothing", 404),
        ("dids/did:weid:20200:0x" + "0" * 40, 404),
    ],
)  # fmt: skip
def test_bad_questions_are_4xx(http: FlaskClient, path: str, status: int) -> None:
    """Whatever is asked wrongly is answered with a status below 500."""
    assert http.get(f"/v1/{path}").status_code == status


def test_sizes_and_rates_are_capped(world: World) -> None:
    """An entry over 64 KiB is refused unread, and a caller is slowed down."""
    app = create_node(world.registry, rate="5 per minute")
    caller = app.test_client()
    codes = [caller.post("/v1/operations", data=bytes(70_000)).status_code for _ in range(7)]

    assert codes == [413] * 5 + [429] * 2
    assert caller.get("/v1/health").status_code == 200


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(min_size=1, max_size=400))
def test_junk_is_400(http: FlaskClient, data: bytes) -> None:
    """Random bytes as an operation or a register never give a 5xx."""
    assert http.post("/v1/operations", data=data).status_code in (400, 429)
    assert http.post("/v1/registers/x/status/1", data=data).status_code in (400, 429)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_mutated_operations_are_400(world: World, http: FlaskClient, data: st.DataObject) -> None:
    """A real operation with one byte changed is refused."""
    made = bytearray(ops.evidence_anchor(world.author(world.admin), bytes(32), "file").data)
    made[data.draw(st.integers(0, len(made) - 1))] ^= data.draw(st.integers(1, 255))

    assert http.post("/v1/operations", data=bytes(made)).status_code in (400, 429)


def test_dids_resolve_at_versions_and_times(world: World, http: FlaskClient) -> None:
    """versionId and versionTime give the document as it was; deactivated is 410."""
    actor = world.register(world.actor())
    world.tick(10)
    made = ops.did_update(world.author(actor), actor.last_op, add=[world.signer(actor.did, 4, "login")])
    world.submit(made)

    def methods(query: str) -> int:
        return len(http.get(f"/v1/dids/{actor.did}{query}").get_json()["didDocument"]["verificationMethod"])

    assert [methods(""), methods("?versionId=1"), methods("?versionId=2")] == [4, 3, 4]
    assert methods(f"?versionTime={rfc3339(world.now - 1)}") == 3
    assert http.get(f"/v1/dids/{actor.did}?versionId=9").status_code == 404
    assert http.get(f"/v1/dids/{actor.did}?versionTime=yesterday").status_code == 400
    world.submit(ops.did_deactivate(world.author(actor), made.id))
    assert http.get(f"/v1/dids/{actor.did}").status_code == 410


def test_a_clock_brings_log_time_forward(world: World) -> None:
    """A node with a clock ticks before it takes operations, and never backwards."""
    times = iter([world.now + 3, world.now - 9])
    http = create_node(world.registry, clock=lambda: next(times)).test_client()
    for n in range(2):
        made = ops.evidence_anchor(world.author(world.admin), bytes([n]) * 32, "file")
        assert http.post("/v1/operations", data=made.data).get_json()["result"] == "applied"

    assert world.registry.state.now == world.now + 3


def test_served_files_are_the_real_ones(world: World, http: FlaskClient) -> None:
    """Genesis and checkpoint are served as they are signed."""
    assert parse_genesis(http.get("/v1/genesis").get_data()) == world.genesis
    assert parse_checkpoint(parse_note(http.get("/v1/checkpoint").get_data()).text).size == 0


class Liar:
    """A transport whose answers are changed on the way."""

    def __init__(self, honest: Any, path: str, data: bytes) -> None:
        self._honest, self._path, self._data = honest, path, data

    def get(self, path: str) -> bytes:
        return self._data if path.startswith(self._path) else bytes(self._honest.get(path))

    def post(self, path: str, data: bytes) -> bytes:
        return self._data


def test_the_client_believes_nothing(world: World, tmp_path: Any) -> None:
    """Foreign checkpoints, false paths, other entries and junk are refused by name."""
    world.tick()
    world.tick()
    honest = RegistryClient.local(world.registry)
    other = World(tmp_path, name="other")
    cases: list[tuple[str, bytes, type[WeidError]]] = [
        ("checkpoint", other.registry.checkpoint(), TrustError),
        ("checkpoint", b"junk", MalformedError),
        ("proofs", b'{"path": []}', ProofError),
        ("proofs", b'{"path": [1]}', RegistryError),
        ("entries", b'{"entry": "00"}', ProofError),
        ("entries", b"[]", RegistryError),
        ("entries", b'{"entry": "zz"}', RegistryError),
        ("entries", b"\xff", RegistryError),
    ]
    for path, data, error in cases:
        liar = RegistryClient(world.genesis, Liar(honest._transport, path, data))
        with pytest.raises(error):
            liar.entry(0)
    for data in (b"{}", b"[]", b'{"index": true, "code": "applied", "detail": ""}'):
        with pytest.raises(RegistryError):
            RegistryClient(world.genesis, Liar(honest._transport, "-", data)).submit(b"x")
    renamed = RegistryClient(replace(world.genesis, origin="registry.x.example/1"), honest._transport)
    with pytest.raises(TrustError):
        renamed.checkpoint()


def test_an_unreachable_node_is_named(world: World) -> None:
    """`unreachable` may be retried with the same bytes; other schemes are refused."""
    client = RegistryClient.http(world.genesis, "http://127.0.0.1:1", timeout=0.5)
    with pytest.raises(RegistryError) as caught:
        client.submit(b"x")
    assert caught.value.code == "unreachable"
    with pytest.raises(MalformedError):
        HttpTransport("file:///tmp")


def test_a_bundle_is_made_once_for_each_state(world: World, http: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Anybody may ask for bundles: the same question twice is one piece of work, and never an old answer."""
    world.commit()
    made = []
    honest = world.registry.bundle
    monkeypatch.setattr(world.registry, "bundle", lambda **asked: made.append(asked) or honest(**asked))
    first = [http.get("/v1/bundle?packed=1").data for _ in range(3)]
    assert len(set(first)) == len(made) == 1
    world.register(world.actor())
    world.registry.commit()
    fresh = http.get("/v1/bundle?packed=1").data
    assert fresh != first[0] and len(made) == 2
    assert http.get("/v1/bundle").data == honest()
