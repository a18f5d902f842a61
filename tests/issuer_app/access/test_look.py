"""The new pages in a real Chromium: no accessibility fault, nothing asked from elsewhere, usable at a phone's width."""

from __future__ import annotations

from typing import Any

import pyotp
import pytest

from tests import browser
from tests.issuer_app.access.conftest import answered, challenge_of, two_people, wallet
from tests.issuer_app.house import PASSWORD, SKILL, House
from tests.issuer_app.test_browser import sign_in, sound

SIZES = pytest.mark.parametrize("size", [browser.PHONE, pytest.param(browser.DESK, marks=pytest.mark.long)], ids=["390", "1280"])


@pytest.mark.long
@pytest.mark.browser
@SIZES
def test_from_the_invitation_to_the_second_person(fresh: House, size: dict[str, int]) -> None:
    """Invite, join, enrol, ask, agree, look at the trail; every page by its own door."""
    fresh.accredit()
    two_people(fresh, "issue")
    language = "zh-CN" if size is browser.PHONE else "pt"
    with browser.serving(fresh.app()) as address, browser.chromium() as chrome:
        boss, mei = (chrome.new_context(viewport=size, locale=language).new_page() for _ in range(2))
        with browser.only(boss, address), browser.only(mei, address):
            sign_in(boss, address, "boss")
            boss.goto(f"{address}/people/invitations")
            boss.fill("#name", "yan")
            boss.check("input[value=clerk]")
            boss.click("form.card button.main")
            sound(boss, "access-invited")
            mei.goto(boss.inner_text("#link"))
            sound(mei, "access-join")
            mei.fill("#password", PASSWORD)
            mei.fill("#again", PASSWORD)
            mei.click("form.card button.main")
            enrol(fresh, mei)
            mei.goto(f"{address}/account/")
            sound(mei, "access-account")
            mei.goto(f"{address}/desk/issue/{fresh.skill.hex()}")
            fill(mei)
            sound(mei, "access-asked")
            boss.goto(mei.url)
            sound(boss, "access-agree")
            boss.click("button.main")
            sound(boss, "access-waiting")
            for name in ("trail", "people/sessions", "people/rules", "people"):
                boss.goto(f"{address}/{name}")
                sound(boss, f"access-{name.replace('/', '-')}")
    assert fresh.desk.find("")[0].by == "yan + boss"


@pytest.mark.browser
@SIZES
def test_signing_in_by_wallet(fresh: House, size: dict[str, int]) -> None:
    """Link on the own page, then sign in by pasting the wallet's answer."""
    with browser.serving(fresh.app()) as address, browser.chromium() as chrome:
        page = chrome.new_context(viewport=size, locale="en").new_page()
        key = wallet(origin=address)
        with browser.only(page, address):
            sign_in(page, address, "chen")
            page.goto(f"{address}/account/wallet-key")
            sound(page, "access-link")
            page.fill("#answer", answered(challenge_of(page.content()), key, fresh.now))
            page.click("form.card button.main")
            sound(page, "access-linked")
            page.context.clear_cookies()
            page.goto(f"{address}/sign-in/wallet")
            sound(page, "access-wallet")
            page.fill("#answer", answered(challenge_of(page.content()), key, fresh.now))
            page.click("form.card button.main")
            page.wait_for_url(f"{address}/desk/")


def enrol(house: House, page: Any) -> None:
    sound(page, "access-factor")
    device = pyotp.TOTP(page.inner_text("code.typed").replace(" ", ""))
    page.fill("#code", device.at(house.moment))
    page.click("form.card button.main")
    sound(page, "access-recovery")


def fill(page: Any) -> None:
    for name, value in SKILL.items():
        tag = page.eval_on_selector(f"#{name}", "item => item.tagName")
        (page.select_option if tag == "SELECT" else page.fill)(f"#{name}", value)
    page.click("form.card button.main")
