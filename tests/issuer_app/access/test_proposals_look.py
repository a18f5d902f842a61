"""The pages of what two people decide about many, and of what certificates stand on, in a real Chromium at two widths."""

from __future__ import annotations

import pytest

from tests import browser
from tests.issuer_app.access.conftest import two_people
from tests.issuer_app.house import House
from tests.issuer_app.test_browser import sign_in, sound
from tests.issuer_app.test_desk import issue

SIZES = pytest.mark.parametrize("size", [browser.PHONE, browser.DESK], ids=["390", "1280"])


@pytest.mark.long
@pytest.mark.browser
@SIZES
def test_many_by_two_people(fresh: House, size: dict[str, int]) -> None:
    """Choose, ask; the second sees what changed, agrees; a correction beside what it was; the administrator's hold."""
    fresh.accredit()
    rows = [issue(fresh, number) for number in range(3)]
    two_people(fresh, "issue", "revoke")
    language = "zh-CN" if size is browser.PHONE else "pt"
    with browser.serving(fresh.app()) as address, browser.chromium() as chrome:
        chen, boss = (chrome.new_context(viewport=size, locale=language).new_page() for _ in range(2))
        with browser.only(chen, address), browser.only(boss, address):
            sign_in(chen, address, "chen")
            sign_in(boss, address, "boss")
            chen.goto(f"{address}/later/many")
            chen.check("input[value=revoke]")
            chen.fill("#text", "王小明")
            chen.click("form.card button.main")
            sound(chen, "proposals-check")
            chen.check("input[value=fraud]")
            chen.fill("#count", "3")
            chen.click("button.danger")
            sound(chen, "proposals-asked")
            fresh.desk.suspend(rows[1].id, "fraud", fresh.now)  # type: ignore[attr-defined]
            boss.goto(chen.url)
            sound(boss, "proposals-agree")
            boss.click("form button.main")
            sound(boss, "proposals-done")
            boss.goto(f"{address}/later/hold")
            sound(boss, "proposals-hold")
            fresh.desk.lift(rows[1].id, fresh.now)  # type: ignore[attr-defined]
            chen.goto(f"{address}/later/replace/{rows[1].id}")  # type: ignore[attr-defined]
            chen.fill("#claim-holderName", "王晓明")
            chen.click("form.card button.main")
            sound(chen, "proposals-replace-asked")
            boss.goto(chen.url)
            sound(boss, "proposals-replace")
    assert [fresh.desk.get(row.id).state for row in rows] == ["revoked", "valid", "revoked"]  # type: ignore[attr-defined]
