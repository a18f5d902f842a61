"""What an operator watches: metrics, readiness, the audit log, and where each setting comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from registry import operations as ops
from registry.log import Registry
from registry.node.audit_log import AuditLog
from registry.node.config import SETTINGS, read_config
from registry.node.service import create_node
from registry.node.watch import Watch
from tests.registry.world import Stream, World
from weid.errors import MalformedError

METRIC = re.compile(r'^[a-z_]+(\{[a-z]+="[^"]*"\})? -?[0-9.]+$')


def values(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(METRIC.match(line) for line in lines), lines
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def test_metrics_say_what_the_log_is(world: World) -> None:
    """Size, log time and its age, results, refusals, the mark; and how long appends took."""
    moments = iter(range(100))
    watch = Watch(world.registry, seconds=lambda: next(moments) * 0.02, clock=lambda: world.now + 3)
    http = create_node(world.registry, watch=watch).test_client()
    actor = world.actor()
    http.post("/v1/operations", data=ops.did_create(world.author(actor), list(actor.signers.values())).data)
    http.post("/v1/operations", data=ops.issuer_suspend(world.author(actor), actor.did, "me").data)
    http.post("/v1/operations", data=b"junk")
    answer = http.get("/metrics")
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"
    found = values(answer.get_data(as_text=True))
    assert found["weid_log_size"] == found["weid_high_water_size"] == 2
    assert (found["weid_log_time_seconds"], found["weid_log_time_age_seconds"]) == (world.now * 60, 180)
    assert found['weid_operations_total{result="applied"}'] == found['weid_operations_total{result="wrong-role"}'] == 1
    assert found['weid_refused_total{result="malformed"}'] == 1
    assert found['weid_append_seconds_bucket{le="0.01"}'] == 0
    assert found['weid_append_seconds_bucket{le="0.025"}'] == found['weid_append_seconds_bucket{le="+Inf"}'] == 2
    assert (found["weid_append_seconds_count"], round(found["weid_append_seconds_sum"], 3)) == (2, 0.04)
    world.commit()
    assert values(watch.metrics())['weid_operations_total{result="applied"}'] == 2
    assert values(watch.metrics())["weid_state_size"] == 2


def test_ready_means_that_writes_are_welcome(world: World) -> None:
    """A clock that stands still is a reason not to be, and so is what another process wrote if it cannot be taken in."""
    late = [0]
    watch = Watch(world.registry, seconds=lambda: 0.0, clock=lambda: world.now + late[0])
    http = create_node(world.registry, watch=watch).test_client()
    assert (http.get("/healthz").status_code, http.get("/readyz").status_code) == (200, 200)
    late[0] = 11
    assert (http.get("/readyz").status_code, http.get("/readyz").get_data()) == (503, b"log-time-late\n")
    late[0] = 0
    twin = Registry.open(world.path, random=Stream("twin"), keys=world.keys())
    twin.tick(world.now + 1)
    assert http.get("/readyz").get_data() == b"ready\n" and world.registry.size == 1
    twin.engine.append([b"junk"])
    twin.engine.keep("note", "checkpoint", b"no note")
    for _ in range(2):
        assert http.get("/readyz").get_data() == b"malformed\n"
    assert http.get("/healthz").status_code == 200
    twin.close()


def test_every_write_leaves_a_line(world: World, tmp_path: Path) -> None:
    """Who, what, when, with what result; nothing of a stranger's own words; nobody's address."""
    audit = AuditLog(tmp_path)
    watch = Watch(world.registry, seconds=lambda: 0.0, clock=lambda: world.now, audit=audit)
    http = create_node(world.registry, watch=watch).test_client()
    actor, stranger = world.actor(), world.actor()
    made = ops.did_create(world.author(actor), list(actor.signers.values()))
    secret = ops.issuer_apply(world.author(stranger), (("en", "Ana Maria"),), ())
    for data in (made.data, made.data, secret.data, b"junk"):
        http.post("/v1/operations", data=data)
    http.post("/v1/state")
    lines = [json.loads(line) for line in audit.path.read_text().splitlines()]
    assert [(line["act"], line["result"]) for line in lines] == [
        ("operation", "applied"), ("operation", "duplicate"), ("operation", "not-registered"), ("operation", "malformed"),
        ("state", "done"),
    ]  # fmt: skip
    assert (lines[0]["who"], lines[0]["type"], lines[0]["index"]) == (f"{actor.did}#key-1", "did.create", 0)
    assert set(lines[2]) == {"at", "act", "result"}
    text = audit.path.read_text()
    assert "Ana" not in text and "127.0.0.1" not in text and stranger.did not in text
    assert audit.path.stat().st_mode & 0o077 == 0


def test_the_audit_log_is_rotated_by_size(tmp_path: Path) -> None:
    """Whole lines, the newest in the file, no more old files than asked for."""
    audit = AuditLog(tmp_path, size=1000, keep=3)
    for number in range(200):
        audit.write("2026-11-24T00:00:00Z", "test", "done", index=number)
    files = [audit.path, *(tmp_path / f"audit.jsonl.{n}" for n in (1, 2, 3))]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "audit.jsonl",
        "audit.jsonl.1",
        "audit.jsonl.2",
        "audit.jsonl.3",
        "audit.lock",
    ]
    assert all(path.stat().st_size <= 1000 for path in files)
    numbers = [json.loads(line)["index"] for path in reversed(files) for line in path.read_text().splitlines()]
    assert numbers == list(range(numbers[0], 200))


def test_flags_win_over_the_environment_and_that_over_the_file(tmp_path: Path) -> None:
    """Each value with its source; other tables of the file are left to others."""
    (tmp_path / "registry.toml").write_text('[engine]\nname = "x"\n[node]\nport = 1\nhost = "0.0.0.0"\nevery = 5\n')
    held = read_config(
        tmp_path, {"WEID_REGISTRY_PORT": "2", "WEID_REGISTRY_EXPLORER": "no", "OTHER": "x"}, {"port": 3, "host": None}
    )
    assert (held["port"].value, held["port"].source) == (3, "--port")
    assert (held["host"].value, held["host"].source) == ("0.0.0.0", "registry.toml")
    assert (held["every"].value, held["every"].source) == (5, "registry.toml")
    assert (held["explorer"].value, held["explorer"].source) == (False, "WEID_REGISTRY_EXPLORER")
    assert (held["metrics"].value, held["metrics"].source) == (True, "default")
    assert read_config(tmp_path / "none", {}, {})["port"].value == 8440
    assert read_config(tmp_path, {"WEID_REGISTRY_AUDIT_BYTES": "5000"}, {})["audit-bytes"].value == 5000
    assert len({setting.variable for setting in SETTINGS}) == len(SETTINGS)


@pytest.mark.parametrize(
    "text", ["[node]\nprot = 1\n", "[node]\nport = true\n", "[node]\nport = '1'\n", "[node]\nport = 70000\n", "node = 1\n", "[node\n",
             "[node]\nexplorer = 1\n", "[node]\nhost = 5\n", "[node]\nevery = 0\n", "[node]\nport = 1\nport = 2\n", "\udcff"],
)  # fmt: skip
def test_a_wrong_setting_is_refused_by_name(tmp_path: Path, text: str) -> None:
    """`bad-config`: a misspelled word does not silently not count."""
    (tmp_path / "registry.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(MalformedError) as caught:
        read_config(tmp_path, {}, {})
    assert caught.value.code == "bad-config"
    for variables in ({"WEID_REGISTRY_PORT": "x"}, {"WEID_REGISTRY_EXPLORER": "perhaps"}):
        with pytest.raises(MalformedError):
            read_config(tmp_path / "none", variables, {})
