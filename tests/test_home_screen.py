"""Both apps can be kept on a phone's home screen: a manifest in the reader's language, from our own origin alone."""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from tests.issuer_app.house import House
from tests.verifier_app.places import Place


def check(app: Flask, page: str) -> None:
    http = app.test_client()
    assert 'rel="manifest"' in http.get(page).get_data(as_text=True)
    names = set()
    for language in ("en", "pt", "zh-Hans", "zh-Hant"):
        answer = http.get("/manifest.webmanifest", headers={"Accept-Language": language})
        said = answer.get_json(force=True)
        assert answer.mimetype == "application/manifest+json" and said["lang"] == language and said["name"]
        assert said["display"] == "standalone" and said["scope"] == "/" and said["start_url"].startswith("/")
        for icon in said["icons"]:
            assert http.get(icon["src"]).status_code == 200
        names.add(said["name"])
    assert len(names) > 1


def test_the_verifiers_page(tmp_path: Path) -> None:
    made = Place(tmp_path, "certificate-authority", "skill-certificate")
    app = made.app()
    check(app, "/")
    assert "manifest-src 'self'" in app.test_client().get("/").headers["Content-Security-Policy"]
    made.close()


def test_the_desk_under_the_institutions_name(tmp_path: Path) -> None:
    house = House(tmp_path)
    check(house.app(), "/sign-in")
    house.close()
