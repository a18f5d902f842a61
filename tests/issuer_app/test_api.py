"""The JSON API: keys and roles, the same steps, problems, idempotency, the OpenAPI description, bad input."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from credentials import picture
from issuer_app.openapi import document
from issuer_app.users import Users
from tests.issuer_app.house import House
from tests.registry.world import YEAR
from weid.codec import rfc3339

CLAIMS = {"holderName": "王小明", "certificateNumber": "202611230001", "skill": "区块链", "awardDate": "2026-11-20"}


class Program:
    """A caller with a key; every answer must fit the OpenAPI description."""

    def __init__(self, house: House, app: Any, *roles: str, language: str = "en") -> None:
        users = Users(house.folder / "app")
        self.key = users.add_key("program", frozenset(roles), house.now)
        users.close()
        self.http = app.test_client()
        self.head = {"Authorization": f"Bearer {self.key}", "Accept-Language": language}

    def __call__(self, method: str, path: str, body: Any = None, **head: str) -> tuple[int, Any]:
        data = None if body is None else json.dumps(body)
        kind = {} if body is None else {"Content-Type": "application/json"}
        names = {name.replace("_", "-"): value for name, value in head.items()}
        answer = self.http.open(f"/api/v1/{path}", method=method, data=data, headers={**self.head, **kind, **names})
        assert answer.status_code < 500, answer.text
        if answer.status_code >= 400:
            assert answer.mimetype == "application/problem+json"
            _check(answer.json, "Problem")
            assert answer.json["status"] == answer.status_code
        return answer.status_code, answer.json if answer.is_json else answer.data


def _check(value: Any, name: str) -> None:
    whole = document()["components"]["schemas"]
    schema = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": whole}}
    Draft202012Validator(schema).validate(value)


def test_the_description_is_valid_openapi_and_says_what_there_is(house: House) -> None:
    """OpenAPI 3.1; every route is described and nothing else."""
    app = house.app()
    served = app.test_client().get("/openapi.json").json
    validate(served)
    described = {(path.replace("{", "<").replace("}", ">"), method) for path, item in served["paths"].items() for method in item}
    real = set()
    for rule in app.url_map.iter_rules():
        if not str(rule).startswith("/api/"):
            continue
        text = str(rule).replace("<id_>", "<id>")
        choices = [("<any(png,svg):kind>", ("png", "svg")), ("<any(suspend,revoke,lift):action>", ("suspend", "revoke", "lift")),
                   ("<any(suspend,reinstate,remove):action>", ("suspend", "reinstate", "remove")),
                   ("<any(issue,cancel,resume):action>", ("issue", "cancel", "resume"))]  # fmt: skip
        paths = [text]
        for mark, values in choices:
            paths = [path.replace(mark, value) for path in paths for value in (values if mark in path else ("",))]
        real |= {(path, method.lower()) for path in paths for method in rule.methods - {"HEAD", "OPTIONS"}}
    assert described == real


def test_keys_open_only_what_their_roles_allow(house: House) -> None:
    """No key 401, ended key 401, wrong role 403; a session cookie opens nothing here."""
    app = house.app()
    clerk = Program(house, app, "clerk")
    assert clerk("GET", "me")[1]["roles"] == ["clerk"]
    assert clerk("GET", "institutions")[0] == 403
    assert clerk("POST", "overrides", {})[0] == 403
    for text in ("", "Bearer", "Bearer weid_00_00", f"Basic {clerk.key}", f"Bearer {clerk.key}x"):
        assert clerk("GET", "me", Authorization=text)[0] == 401
    users = Users(house.folder / "app")
    users.revoke_key(clerk.key.split("_")[1], house.now)
    users.close()
    assert clerk("GET", "me")[0] == 401
    from tests.issuer_app.house import Person

    assert Person(app, "chen").get("/api/v1/certificates").status_code == 401


def test_issue_find_revoke(house: House) -> None:
    """The whole life by API; the picture decodes and verifies from the exported bundle; revoked shows."""
    app = house.app()
    clerk, lin, ho = (Program(house, app, role) for role in ("clerk", "reviewer", "auditor"))
    body = {"schema": house.skill.hex(), "claims": CLAIMS}
    status, problem = clerk("POST", "certificates", body)
    assert (status, problem["code"]) == (403, "not-accredited")
    assert "no right to issue" in problem["title"]
    (waiting,) = lin("GET", "institutions?waiting=yes")[1]["items"]
    _check(waiting, "Institution")
    given = {"schema": house.skill.hex(), "until": rfc3339(house.now + YEAR)}
    approved = lin("POST", f"institutions/{house.desk.did}/approve", given)[1]
    assert approved["rights"][0]["state"] == "now"
    assert clerk("GET", "accreditations")[1]["items"][0]["name"] == "skill-certificate"
    status, made = clerk("POST", "certificates", body)
    assert status == 201
    _check(made, "Certificate")
    png = clerk.http.get(made["picture"]["png"], headers=clerk.head).data
    assert picture.read(png) == (made["code"],)
    assert house.verify(made["code"].encode()).verdict == "valid-bearer"
    assert house.verify(json.dumps(made["credential"]).encode()).verdict == "valid-bearer"
    assert clerk("GET", f"certificates/{made['id']}/credential")[0] == 200
    assert [item["id"] for item in clerk("GET", "certificates?q=王小明")[1]["items"]] == [made["id"]]
    assert clerk("POST", f"certificates/{made['id']}/suspend", {"reason": "error-in-data"})[1]["state"] == "suspended"
    assert clerk("POST", f"certificates/{made['id']}/lift")[1]["state"] == "valid"
    place = made["status"]
    status, _ = ho("POST", "overrides", {**place, "state": "revoked", "reason": "fraud"})
    assert status == 201
    assert house.verify(made["code"].encode()).verdict == "revoked"
    assert ho("GET", "overrides")[1]["items"][0]["reason"] == "fraud"
    assert clerk("POST", f"certificates/{made['id']}/revoke", {"reason": "fraud"})[1]["state"] == "revoked"
    assert clerk("POST", f"certificates/{made['id']}/lift")[0] == 409
    assert clerk("DELETE", f"certificates/{made['id']}")[0] == 204
    assert clerk("GET", f"certificates/{made['id']}/credential")[0] == 410
    assert lin("POST", f"institutions/{house.desk.did}/remove", {"reason": "fraud"})[1]["state"] == "removed"
    assert clerk("POST", "certificates", body)[1]["code"] == "not-accredited"
    assert clerk("POST", "publish")[1] == {"waiting": 0}


def test_the_same_idempotency_key_issues_once(house: House) -> None:
    """Same key, same body: same certificate. Same key, other body: 422. Another caller's key is another key."""
    house.accredit()
    app = house.app()
    clerk, other = Program(house, app, "clerk"), Program(house, app, "clerk")
    body = {"schema": house.skill.hex(), "claims": CLAIMS}
    first = clerk("POST", "certificates", body, Idempotency_Key="a1")[1]["id"]
    assert clerk("POST", "certificates", body, Idempotency_Key="a1")[1]["id"] == first
    status, problem = clerk("POST", "certificates", {**body, "claims": {**CLAIMS, "skill": "x"}}, Idempotency_Key="a1")
    assert (status, problem["code"]) == (422, "key-reused")
    for more in ({"specimen": True}, {"minutes": 60}):  # or a specimen would be handed out as a certificate
        assert clerk("POST", "certificates", {**body, **more}, Idempotency_Key="a1")[1]["code"] == "key-reused"
    assert other("POST", "certificates", body, Idempotency_Key="a1")[1]["id"] != first
    assert len(house.desk.find("")) == 2


def test_a_wrong_claim_is_named(house: House) -> None:
    """422 with the claim's name, in the caller's language."""
    house.accredit()
    clerk = Program(house, house.app(), "clerk", language="zh-CN")
    status, problem = clerk("POST", "certificates", {"schema": house.skill.hex(), "claims": {**CLAIMS, "awardDate": "x"}})
    assert status == 422
    assert problem["errors"][0]["claim"] == "awardDate"
    assert "格式" in problem["title"]


def test_a_schema_can_be_published_and_read(house: House) -> None:
    """By an approved institution's reviewer key; the registry has the last word."""
    app = house.app()
    lin = Program(house, app, "reviewer")
    data = json.loads(house.pack.files["schemas/skill-certificate.json"])
    data["x-weid"]["version"] = 2
    status, made = lin("POST", "schemas", data)
    assert status == 201
    assert lin("GET", f"schemas/{made['digest']}")[0] == 200
    assert lin("POST", "schemas", data)[1]["code"] == "already-exists"
    assert lin("POST", "schemas", {"type": "object"})[0] == 422


BAD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40) | st.floats(allow_nan=True),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
PATHS = ("certificates", "publish", "schemas", "overrides", "institutions/{did}/approve", "institutions/{did}/suspend",
         "institutions/x/remove", "certificates/{id}/revoke", "certificates/zz/lift", "institutions/{did}/reinstate")  # fmt: skip


@pytest.mark.filterwarnings("ignore")
def test_bad_input_is_never_a_5xx(house: House) -> None:
    """Any JSON, and any bytes, to every route: 4xx problems, and nothing is issued."""
    house.accredit()
    app = house.app(api="1000000 per minute", issue="1000000 per minute")
    caller = Program(house, app, "clerk", "reviewer", "auditor")
    row = house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    known = {"schema": house.skill.hex(), "list": f"{house.desk.did}/status/1", "did": house.desk.did}

    @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        st.sampled_from(PATHS), BAD, st.binary(max_size=60),
        st.dictionaries(st.sampled_from(["schema", "claims", "bind", "minutes", "specimen", "reason", "state", "index",
                                         "list", "since", "until", "level"]), BAD, max_size=6), st.booleans(),
    )  # fmt: skip
    def attack(path: str, value: Any, raw: bytes, members: dict[str, Any], seed: bool) -> None:
        where = path.format(did=house.desk.did, id=row.id)
        body = {**({"schema": known["schema"], "list": known["list"]} if seed else {}), **members}
        for sent in (json.dumps(value).encode(), raw, json.dumps(body).encode()):
            answer = caller.http.post(f"/api/v1/{where}", data=sent, headers={**caller.head, "Content-Type": "application/json"})
            assert answer.status_code < 500, (where, sent, answer.text)
            if answer.status_code >= 400:
                assert answer.mimetype == "application/problem+json"

    attack()
    for path in ("certificates/%00", "certificates/..%2f", "institutions/%F0%9F%92%A9", "schemas/zz", "x" * 4000,
                 "certificates?limit=99999999999", "certificates?limit=-1", f"certificates?limit=000001{'9' * 30}", f"certificates?limit={'9' * 5000}", "certificates?q=%00%ff"):  # fmt: skip
        assert caller("GET", path)[0] < 500
    assert caller.http.post("/api/v1/certificates", data=b"{}", headers=caller.head).status_code == 415
    huge = caller.http.post("/api/v1/publish", data=b" " * 10**6, headers=caller.head)
    assert huge.status_code == 413 and huge.mimetype == "application/problem+json"
    assert len(house.desk.find("")) == 1
