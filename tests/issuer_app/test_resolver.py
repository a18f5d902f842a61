"""DID Resolution at an institution's app: there where it is configured, and nowhere else."""

from __future__ import annotations

from dataclasses import replace

from issuer_app.app import create_app
from tests.issuer_app.house import House
from weid.resolver import Resolver


def test_where_it_is_configured(house: House) -> None:
    """The institution's own DID, by GET and POST, without a form's token; without the setting there is no such page."""
    path = f"/1.0/identifiers/{house.desk.did}"
    assert house.app().test_client().get(path).status_code == 404
    resolver = Resolver(lambda: house.desk.facts(house.now))
    http = create_app(replace(house.config(), resolver=resolver)).test_client()
    for answer in (http.get(path), http.post(path, json={})):
        assert answer.status_code == 200
        assert answer.get_json(force=True)["didDocument"]["id"] == house.desk.did
    assert http.post(path, json={"versionId": "9"}).status_code == 404
