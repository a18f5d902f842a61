"""Every page of the desk, the verifier and the explorer, as its URL map names them: WCAG 2.2 AA by axe, 360 to 1920 pixels,
light and dark, by keyboard alone, and nothing asked of anybody else. A page that is added is looked at from then on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from issuer_app.app import create_app
from issuer_app.importing.running import importer
from issuer_app.lookups.asking import ways
from issuer_app.users import ROLES
from issuer_app.webhooks.outbox import EVENTS
from issuer_app.webhooks.running import hooks
from registry.node.service import create_node
from tests import browser, screens
from tests.issuer_app.house import PASSWORD, House, Person
from tests.issuer_app.sheets import csv_of, person
from tests.issuer_app.test_api import CLAIMS
from tests.registry.explored import explored
from tests.verifier_app.places import Place

NO_PAGES = ("static", "api", "openapi", "health", "status", "vc-api", "papers-api", "did-resolver", "templates", "registry")
LANGUAGES = ("en", "pt", "zh-Hans", "zh-Hant")


@dataclass(frozen=True, slots=True)
class Site:
    """An app to walk through: who is signed in, and what may stand in its addresses."""

    name: str
    app: Flask
    cookies: Sequence[dict[str, Any]]
    known: dict[str, Sequence[str]]

    def fill(self, endpoint: str, name: str) -> Sequence[str] | None:
        """What may stand in the place `name`."""
        return self.known.get(f"{endpoint.partition('.')[0]}.{name}", self.known.get(name))


def _desk(folder: Path) -> Site:
    house = House(folder)
    house.accredit()
    row = house.desk.issue(house.skill, CLAIMS, at=house.now, random=house.world.random)
    limits = dict.fromkeys(("api", "form", "sign_in"), "100000 per minute")
    app = create_app(replace(house.config(**limits), council=house.committee))
    app.testing = False
    app.extensions["issuer_app"].users.add("everybody", PASSWORD, frozenset(ROLES))
    with app.app_context():
        job = importer().upload(csv_of([person(1), person(2, 颁发日期="soon")]), "list.csv", house.skill, by="chen")
        importer().check(job.id, job.mapped.columns, job.mapped.key, job.mapped.kind, wait=True)
        hook, _ = hooks().add("https://hooks.example.org/in", "records", EVENTS, at=house.now * 60, random=house.world.random)
        hooks().endpoints.test(hook.id, house.desk.did, at=house.now * 60, random=house.world.random)
    someone = Person(app)
    someone.post("/sign-in", {"name": "everybody", "password": PASSWORD})
    cookie = someone.http.get_cookie("issuer")
    assert cookie is not None
    known = {
        "id_": [row.id], "imports.id_": [job.id], "hooks.id_": [hook.id], "did": [house.desk.did], "digest": [house.skill.hex()],
        "name": [way.rule.name for way in ways(house.desk.lookups)][:1], "number": ["0"],
    }  # fmt: skip
    return Site("desk", app, [{"name": "issuer", "value": cookie.value}], known)


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Site]]:
    folder = tmp_path_factory.mktemp("screens")
    for name in ("place", "log"):
        (folder / name).mkdir()
    place, log = Place(folder / "place", "certificate-authority", "skill-certificate"), explored(folder / "log")
    node = create_node(log.registry, clock=lambda: log.now, explorer=True)
    yield {
        "desk": _desk(folder / "house"), "verifier": Site("verifier", place.app(), (), {}), "explorer": Site("explorer", node, (), {}),
    }  # fmt: skip
    place.close()


def _walk(site: Site, languages: Sequence[str], looks: Any, keyboard: bool) -> tuple[list[str], int]:
    """(faults, pages seen); each page in the next of the languages and looks, or in all of them."""
    found: list[str] = []
    seen = 0
    with browser.serving(site.app) as address, browser.chromium() as chrome:
        page = screens.opened(chrome, address, site.cookies)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        for endpoint, path in screens.pages(site.app, site.fill, NO_PAGES):
            for language in languages if len(looks) > 1 else (languages[seen % len(languages)],):
                if not screens.opens(page, f"{address}{path}?lang={language}"):
                    break  # a file, not a page
                seen += 1
                chosen, widths = (looks, screens.WIDTHS) if len(looks) > 1 else ([screens.LOOKS[seen % 4]], (360,))
                faults = screens.faults(page, chosen, widths) + (screens.walked(page) if keyboard else [])
                found += [f"{endpoint} {language} {fault}" for fault in faults]
    # a PDF opens in the browser's own viewer, which asks its own files (chrome-extension:)
    found += [f"asked {url}" for url in asked if url.startswith(("http", "ws")) and not url.startswith(f"{address}/")]
    return found, seen


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize(("name", "least"), [pytest.param("desk", 25, marks=pytest.mark.long), ("verifier", 8), ("explorer", 5)])
def test_every_page_is_for_everybody(sites: dict[str, Site], name: str, least: int) -> None:
    """Each page once, in one of the languages, sizes and colours in turn."""
    found, seen = _walk(sites[name], LANGUAGES, screens.LOOKS[:1], keyboard=False)
    assert found == []
    assert seen >= least


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["desk", "verifier", "explorer"])
def test_every_page_is_for_everybody_in_every_way(sites: dict[str, Site], name: str, language: str) -> None:
    """Every language, two sizes, light and dark, three widths, and the keyboard."""
    found, _ = _walk(sites[name], [language], screens.LOOKS, keyboard=True)
    assert found == []


@pytest.mark.browser
def test_paper_shows_no_buttons(sites: dict[str, Site]) -> None:
    """Printed, a page is black on white without what only a screen can use."""
    for name, path in (("desk", "/desk/certificates"), ("verifier", "/trust")):
        site = sites[name]
        with browser.serving(site.app) as address, browser.chromium() as chrome:
            page = screens.opened(chrome, address, site.cookies)
            page.goto(f"{address}{path}")
            page.emulate_media(media="print", color_scheme="dark")
            shown = page.evaluate(
                "[...document.querySelectorAll('button, .button, nav')].filter(x => x.getClientRects().length).length"
            )
            assert shown == 0, path
            assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
