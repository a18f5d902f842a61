"""A pack on real processes: nodes, apps and commands on loopback, each in its own folder. Used by `weid demo`."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from issuer_app.premises import Premises
from wallet_cli.http import Api, Browser
from wallet_cli.world import World, build, close
from weid.errors import WeidError
from weid.pack import Pack

COST = {"intl": 14, "gm": 20_000}  # the demo's keys live minutes; real ones take the full cost
PATIENCE = 60.0  # seconds a process may take to answer
ROLES = {"desk": "clerk", "reviewer": "reviewer", "auditor": "auditor"}


class StartError(WeidError):
    """A process that did not come up, or a command that failed."""

    default_code = "not-started"


@dataclass(frozen=True, slots=True)
class Service:
    """One process on loopback."""

    name: str
    process: subprocess.Popen[bytes]
    url: str
    ready: str
    log: Path


@dataclass
class Live:
    """Where everything of one pack runs, and what came out of it by name."""

    pack: Pack
    source: Path
    folder: Path
    made: World
    lang: str = "en"
    services: dict[str, Service] = field(default_factory=dict)
    desks: dict[str, Api] = field(default_factory=dict)
    offices: dict[str, Api] = field(default_factory=dict)
    browsers: dict[str, Browser] = field(default_factory=dict)
    people: dict[str, str] = field(default_factory=dict)
    things: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    pictures: list[tuple[str, Path]] = field(default_factory=list)

    @property
    def passphrase_file(self) -> Path:
        """The file with the passphrase of every key of the demo."""
        return self.folder / "passphrase"

    def home(self, who: str) -> Path:
        """The state folder of a holder or verifier."""
        return self.folder / "people" / who

    def url(self, name: str) -> str:
        """Where a service listens."""
        return self.services[name].url

    def premises(self, party: str) -> Path:
        """The folder of a party's app."""
        return self.made.folder / party

    def picture(self, name: str, data: bytes) -> Path:
        """Keep a picture for the report."""
        path = self.folder / "pictures" / f"{name}.png"
        path.write_bytes(data)
        self.pictures.append((name, path))
        return path

    def weid(self, who: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The command, as a person runs it in their own state folder; its exit code is the caller's business."""
        env = {**os.environ, "WEID_HOME": str(self.home(who)), "WEID_PASSPHRASE_FILE": str(self.passphrase_file)}
        return subprocess.run(
            [sys.executable, "-m", "wallet_cli", *arguments],
            env=env, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip

    def run(self, who: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The same for a command that must succeed; StartError with its words."""
        done = self.weid(who, *arguments)
        if done.returncode:
            raise StartError(f"weid {arguments[0]}: {done.stderr.strip()}", code=_code_in(done.stderr))
        return done

    def stop(self) -> None:
        """End every process."""
        for service in self.services.values():
            service.process.terminate()
        for service in self.services.values():
            try:
                service.process.wait(10)
            except subprocess.TimeoutExpired:
                service.process.kill()


def start(pack: Pack, source: Path, folder: Path, *, lang: str = "en") -> Live:
    """Set a pack up on disk and start its nodes, desks, offices and verifiers on free ports."""
    for name in ("people", "pictures", "files", "bundles", "logs"):
        (folder / name).mkdir(parents=True)
    words = secrets.token_urlsafe(16)
    (folder / "passphrase").touch(mode=0o600)
    (folder / "passphrase").write_text(words + "\n", encoding="utf-8")
    made = build(pack, datetime.now(UTC), folder / "state", passphrase=words, cost=COST)
    close(made)
    live, ready = Live(pack, source, folder, made, lang), False
    try:
        for name in made.registries:
            _serve(live, name, ("registry", "serve", str(made.folder / name)), "/v1/health")
        for name in (*made.desks, *made.offices):
            if _kind(live, name):
                _party(live, name)
        for name in made.verifiers:
            _verifier(live, name)
        for service in live.services.values():
            _wait(service)
        ready = True
    finally:
        if not ready:
            live.stop()
    return live


def _kind(live: Live, name: str) -> str:
    """What a party's premises hold: desk, reviewer or auditor; empty for a committee member."""
    found = (kind for kind in ROLES if (live.premises(name) / kind / "party.json").exists())
    return next(found, "")


def _party(live: Live, name: str) -> None:
    kind, folder = _kind(live, name), live.premises(name)
    registry = live.made.home_of[name]
    genesis = (live.made.folder / registry / "genesis.json").read_bytes()
    Premises.create(folder, genesis, live.url(registry))
    role = ROLES[kind]
    key = live.run(name, "issuer", "apikey", str(folder), "story", "--role", role).stdout.strip()
    password = secrets.token_urlsafe(9)
    secret = live.folder / "people" / f"{name}.password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n", encoding="utf-8")
    live.run(name, "issuer", "user", "add", str(folder), role, "--role", role, "--password-file", str(secret))
    live.people[name] = f"{role} / {password}"
    _serve(live, name, ("issuer", "serve", str(folder)), "/healthz")
    (live.desks if kind == "desk" else live.offices)[name] = Api(live.url(name), key)


def _verifier(live: Live, name: str) -> None:
    home = live.home(name)
    home.mkdir(parents=True)
    terms: Any = live.pack.section("trust")["verifiers"]
    genesis = live.made.folder / str(terms[name]["home"]) / "genesis.json"
    live.run(name, "trust", "add", str(genesis))
    title = live.made.verifiers[name].title
    _serve(
        live, name,
        ("verifier", "serve", "--home", str(home), "--pack", str(live.source), "--verifier", name, "--title", title), "/",
    )  # fmt: skip
    live.browsers[name] = Browser(live.url(name))


def _serve(live: Live, name: str, arguments: tuple[str, ...], ready: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    env: Mapping[str, str] = {**os.environ, "WEID_PASSPHRASE_FILE": str(live.passphrase_file)}
    log = live.folder / "logs" / f"{name}.log"
    with log.open("wb") as stream:
        process = subprocess.Popen(
            [sys.executable, "-m", "wallet_cli", *arguments, "--port", str(port)], env=env, stdout=stream, stderr=stream
        )
    live.services[name] = Service(name, process, f"http://127.0.0.1:{port}", ready, log)


def _wait(service: Service) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if service.process.poll() is not None:
            raise StartError(f"{service.name} ended: {service.log.read_text('utf-8', 'replace')[-500:]}")
        try:
            with urllib.request.urlopen(service.url + service.ready, timeout=2):
                return
        except urllib.error.HTTPError:
            return  # it answers: that is enough
        except OSError:
            time.sleep(0.05)
    raise StartError(f"{service.name} does not answer at {service.url}")


def _code_in(words: str) -> str:
    """The stable code at the end of the command's sentence: `… [code]`."""
    tail = words.strip().rpartition("[")[2]
    return tail.rstrip("]") if words.strip().endswith("]") else "failed"
