"""The clerk's and the holder's page in a real Chromium, the holder's without scripts."""

from __future__ import annotations

import pytest

from issuer_app.papers.links import Links
from tests import browser
from tests.issuer_app.house import PASSWORD
from tests.issuer_app.papers.conftest import Workshop


@pytest.mark.browser
def test_a_clerk_makes_a_link_and_a_phone_without_scripts_opens_it(workshop: Workshop) -> None:
    """From the certificate to its papers, to a link, to the holder's phone; nothing is asked of anybody else."""
    row = workshop.issue()
    with browser.serving(workshop.house.app()) as address, browser.chromium() as chrome:
        desk = chrome.new_page(viewport=browser.DESK, locale="en")
        with browser.only(desk, address):
            desk.goto(f"{address}/sign-in?next=/desk/certificates/{row.id}/papers")
            desk.fill("#name", "chen")
            desk.fill("#password", PASSWORD)
            desk.click("main button")
            desk.wait_for_selector(".papers img")
            desk.click("section.card button.main")
            desk.wait_for_selector("#address")
            desk.wait_for_load_state("load")
            browser.shot(desk, "papers-1280")
            assert browser.flaws(desk) == []
            link = desk.input_value("#address")
        phone = chrome.new_context(viewport={"width": 360, "height": 740}, locale="pt-PT", color_scheme="dark",
                                   java_script_enabled=False).new_page()  # fmt: skip
        with browser.only(phone, address):
            phone.goto(link)
            phone.wait_for_load_state("load")
            assert phone.locator("[data-share]").is_hidden() and phone.locator(".take a").first.is_visible()
        phone = chrome.new_context(viewport={"width": 360, "height": 740}, locale="pt-PT", color_scheme="dark").new_page()
        with browser.only(phone, address):
            phone.goto(link)
            phone.wait_for_load_state("load")
            assert phone.eval_on_selector("img.face", "item => item.naturalWidth") == 1080
            browser.shot(phone, "holder-360")
            assert browser.flaws(phone) == []


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.parametrize(("kind", "name"), [("json", "json"), ("pdf", "pdf"), ("none", "")])
def test_a_phone_shares_the_file_or_else_the_pdf_that_carries_it(workshop: Workshop, kind: str, name: str) -> None:
    """What the phone's own menu is given, by what this phone lets a page share; no button where it lets nothing."""
    row = workshop.issue()
    token = Links(workshop.desk.party.folder).make(
        row.id, days=1, by="chen", at=workshop.house.now, random=workshop.house.world.random
    )
    stub = """(kind) => { window.given = [];
      navigator.canShare = data => data.files.every(file => file.name.endsWith(kind));
      navigator.share = async data => { window.given = data.files.map(file => [file.name, file.type, file.size]); }; }"""
    with browser.serving(workshop.house.app()) as address, browser.chromium() as chrome:
        phone = chrome.new_context(viewport=browser.PHONE, locale="en").new_page()
        phone.add_init_script(f"({stub})({kind!r})")
        phone.goto(f"{address}/c/{token}")
        button = phone.locator("[data-share]")
        if not name:
            assert button.is_hidden()
            return
        button.click()
        phone.wait_for_function("() => window.given.length")
        (given,) = phone.evaluate("() => window.given")
        assert given[0] == f"{row.id[:8]}.{name}" and given[2] > 500
        assert name != "json" or given[2] == len(row.file)
