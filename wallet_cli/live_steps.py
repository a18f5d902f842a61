"""The story's verbs on real processes: the same words as in cases, through pages, APIs and commands."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from credentials.wording import verdict
from issuer_app.premises import Premises
from wallet_cli import live_assets, rogue
from wallet_cli.http import Api, Browser
from wallet_cli.live import Live, StartError
from weid.codec import minutes, rfc3339
from weid.errors import WeidError

Step: TypeAlias = Mapping[str, Any]
DAY = 1440


def run_live(live: Live, step: Step) -> tuple[str, list[str]]:
    """(what came out, what is otherwise than expected) of one step."""
    expected = step.get("expect", {})
    wanted = expected.get("error")
    try:
        came, facts = VERBS[step["do"]](live, step)
    except WeidError as error:
        return f"refused: {error} [{error.code}]", [] if error.code == wanted else [f"{error.code}, expected {wanted}"]
    if wanted:
        return came, [f"nothing refused it, expected {wanted}"]
    return came, _differences(expected, facts)


def apply(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The institution's own command sends the application."""
    live.run(step["by"], "issuer", "apply", str(live.premises(step["by"])), *step["schemas"])
    return "the application is on the log", {}


def approve(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The reviewer's API."""
    did = live.made.party(step["party"]).did
    until = rfc3339(_now() + int(step["days"]) * DAY)
    body = {"schema": live.made.schemas[step["schema"]].hex(), "until": until, "level": 1}
    live.offices[step["by"]].post(f"/api/v1/institutions/{did}/approve", body)
    return f"right until {until[:10]}", {}


def issue(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The clerk's API; the holder's command makes the key before and receives the file after."""
    desk, holder = live.desks[step["by"]], step.get("to")
    body: dict[str, Any] = {"schema": live.made.schemas[step["schema"]].hex(), "claims": _claims(step["claims"])}
    if holder is not None:
        body["bind"] = _request(live, holder, step["by"])
    row = desk.post("/api/v1/certificates", body)
    _keep(live, desk, step, row)
    if holder is not None:
        _receive(live, holder, row["id"], step["schema"])
    drawn = row["picture"]
    return f"QR version {drawn['version']}-{drawn['level']}, {drawn['printedMm']:.0f} mm printed; file and page", {}


def publish(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """A publication posted straight to the node."""
    secret = live.passphrase_file.read_text("utf-8").strip()
    with (place := Premises.open(live.premises(step["by"]))).opened:
        rogue.publish_at(place.desk(secret), live.made.schemas[step["schema"]], _now())
    return "published", {}


def carry(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The bundle is a file: fetched where there is a network, handed to a machine that has none."""
    name, to = step["registry"], step["to"]
    node = Api(live.url(name), "")
    node.send("/v1/state", b"", "application/octet-stream")
    data = node.get("/v1/bundle")
    path = live.folder / "bundles" / f"{name}-{len(list((live.folder / 'bundles').glob('*'))) + 1}.bundle"
    path.write_bytes(data)
    live.browsers[to].upload("/trust/bundle", "file", data, page="/trust")
    return f"{path.name}, {len(data):,} bytes", {}


def ask(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The verifier's page shows a one-time question; its picture is what the holder's wallet reads."""
    browser: Browser = live.browsers[step["by"]]
    page = browser.submit("/challenge", {"request": f"{live.pack.id}/{step['request']}"}, page="/")
    found = re.search(r"data:image/png;base64,([A-Za-z0-9+/=]+)", page)
    if found is None:
        raise StartError("the page shows no question")
    picture = live.picture(step["as"], base64.b64decode(found[1]))
    live.things[step["as"]] = (browser.at.rstrip("/").rpartition("/")[2], picture)
    return f"question {picture.name}", {}


def present(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The holder's command reads the picture, says who asks for what, and answers."""
    _, picture = live.things[step["challenge"]]
    row = live.things[step["what"]]
    target = live.folder / "pictures" / f"{step['as']}.png"
    common = ("present", row["id"][:12], "--challenge", str(picture), "--show", ",".join(step["show"]), "--yes")
    done = live.run(step["holder"], *common, "-o", str(target))
    live.pictures.append((step["as"], target))
    live.things[step["as"]] = target
    size = re.search(r"QR version [^\n]*", done.stderr)
    return size[0] if size else "answered", {}


def check(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The verifier's app looks at the picture, as its camera would."""
    thing = live.things[step["what"]]
    picture = thing if isinstance(thing, Path) else live.folder / "pictures" / f"{step['what']}.png"
    query = f"?request={live.pack.id}/{step['request']}"
    if "challenge" in step:
        query += f"&question={live.things[step['challenge']][0]}"
    report = Api(live.url(step["by"]), "").send(f"/api/v1/verify{query}", picture.read_bytes(), "image/png")
    return _said(live, report["reports"][0])


def verify_file(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """`weid verify FILE` on the verifier's machine."""
    file = live.folder / "files" / f"{step['what']}.json"
    common = ("verify", str(file), "--json", "--pack", str(live.source), "--request", step["request"])
    done = live.weid(step["by"], *common)
    if not done.stdout:
        raise StartError(done.stderr)
    report = json.loads(done.stdout)
    if done.returncode != report["exitCode"]:
        raise StartError(f"exit code {done.returncode}, the report says {report['exitCode']}")
    return _said(live, report)


def type_fields(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The verifier's page for typed fields."""
    code = live.things[step["code-of"]]["typedCode"]
    fields = {f"f-{name}": str(value) for name, value in step["fields"].items()}
    kind = f"{live.pack.id}/{step['schema']}"
    page = live.browsers[step["by"]].submit("/typed", {"kind": kind, "code": code, **fields}, page=f"/typed?kind={kind}")
    found = re.search(r'data-verdict="([^"]+)"', page)
    answer = found[1] if found else "no answer"
    return f"typed with code {code}: {answer}", {"answer": answer}


def convert(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The local institution's command checks the answer offline and issues for the same key."""
    picture, (_, question) = live.things[step["what"]], live.things[step["challenge"]]
    file = live.folder / "files" / f"{step['as']}.json"
    trusts = next(name for name in live.made.verifiers if (live.home(name) / "trust.bin").exists())
    done = live.run(
        trusts, "issuer", "convert", str(live.premises(step["by"])), str(picture), "--pack", str(live.source),
        "--mapping", step["mapping"], "--challenge", str(question), "-o", str(file),
    )  # fmt: skip
    row = json.loads(done.stdout)
    live.things[step["as"]] = row
    mapping: Any = live.pack.section("issue")
    _receive(live, step["to"], row["id"], mapping["convert"][step["mapping"]]["to"], file=file)
    return "a local certificate for the same key; a salted fingerprint on the log", {}


def change(action: str) -> Callable[[Live, Step], tuple[str, dict[str, Any]]]:
    """revoke, suspend or lift through the clerk's API."""

    def act(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
        body = {} if action == "lift" else {"reason": step["reason"]}
        live.desks[step["by"]].post(f"/api/v1/certificates/{live.things[step['what']]['id']}/{action}", body)
        return f"published: {action}", {}

    return act


def override(live: Live, step: Step) -> tuple[str, dict[str, Any]]:
    """The auditor's API."""
    status = live.things[step["what"]]["credential"]["credentialStatus"][0]
    list_id = str(status["statusListCredential"]).rpartition("/")[0]
    body = {"list": list_id, "index": int(status["statusListIndex"]), "state": step["state"], "reason": step["reason"]}
    live.offices[step["by"]].post("/api/v1/overrides", body)
    return f"{step['state']}: {step['reason']}", {}


VERBS: Mapping[str, Callable[[Live, Step], tuple[str, dict[str, Any]]]] = {
    "apply": apply, "approve": approve, "issue": issue, "publish": publish, "carry": carry, "ask": ask,
    "present": present, "verify": check, "verify-file": verify_file, "type": type_fields, "convert": convert,
    "revoke": change("revoke"), "suspend": change("suspend"), "lift": change("lift"), "override": override,
    **live_assets.VERBS,
}  # fmt: skip


def _request(live: Live, holder: str, issuer: str) -> str:
    home = live.home(holder)
    if not (home / "wallet.json").exists():
        home.mkdir(parents=True, exist_ok=True)
        registry = live.made.home_of[issuer]
        bundle = Api(live.url(registry), "").get("/v1/bundle")
        (home / "home.bundle").write_bytes(bundle)
        genesis = live.made.folder / registry / "genesis.json"
        for arguments in (("init",), ("trust", "add", str(genesis)), ("trust", "import", str(home / "home.bundle"))):
            live.run(holder, *arguments)
    return live.run(holder, "request").stdout.strip()


def _receive(live: Live, holder: str, id_: str, schema: str, *, file: Path | None = None) -> None:
    document = live.source / "schemas" / f"{schema}.json"
    path = file or live.folder / "files" / f"{live.names[id_]}.json"
    live.run(holder, "receive", "--schema", str(document), str(path))


def _keep(live: Live, desk: Api, step: Step, row: dict[str, Any]) -> None:
    name = step["as"]
    live.things[name] = row
    live.names[row["id"]] = name
    live.picture(name, desk.get(row["picture"]["png"]))
    (live.folder / "files" / f"{name}.json").write_bytes(desk.get(f"/api/v1/certificates/{row['id']}/credential"))


def _claims(claims: Mapping[str, Any]) -> dict[str, Any]:
    """`@-360` is a time so many minutes from now; everything else stands as it is."""
    now = datetime.now(UTC)
    return {
        name: rfc3339(minutes(now + timedelta(minutes=int(value[1:])))) if str(value).startswith("@") else value
        for name, value in claims.items()
    }


def _said(live: Live, report: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    credential = report.get("credential") or {}
    facts = {
        "verdict": report["verdict"],
        "exit": report["exitCode"],
        "checks": {check["id"]: f"{check['outcome']} {check['code']}" for check in report["checks"]},
        "claims": credential.get("claims", {}),
        "hidden": credential.get("hidden", []),
    }
    words = verdict(report["verdict"], live.lang)
    return f"{words.word.upper()}. {words.sentence} ({len(report['established'])} checks passed, offline)", facts


def _differences(expect: Mapping[str, Any], facts: Mapping[str, Any]) -> list[str]:
    problems = []
    for name in ("verdict", "exit", "answer"):
        if name in expect and facts.get(name) != expect[name]:
            problems.append(f"{name} is {facts.get(name)}, expected {expect[name]}")
    for check, wanted in expect.get("checks", {}).items():
        said = facts["checks"].get(check, "no such check")
        if said != wanted and said.split()[0] != wanted:
            problems.append(f"{check}: {said}, expected {wanted}")
    for name, value in expect.get("claims", {}).items():
        if facts["claims"].get(name) != value:
            problems.append(f"{name} is {facts['claims'].get(name)!r}, expected {value!r}")
    return problems + [f"{name} is not hidden" for name in expect.get("hidden", []) if name not in facts["hidden"]]


def _now() -> int:
    return minutes(datetime.now(UTC))
