"""The clerk's and the holder's page in a real Chromium, the holder's without scripts."""

from __future__ import annotations

import pytest

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
        phone = chrome.new_context(viewport={"width": 360, "height": 740}, locale="pt-PT", color_scheme="dark").new_page()
        with browser.only(phone, address):
            phone.goto(link)
            phone.wait_for_load_state("load")
            assert phone.eval_on_selector("img.face", "item => item.naturalWidth") == 1080
            assert phone.locator("script").count() == 0
            browser.shot(phone, "holder-360")
            assert browser.flaws(phone) == []
