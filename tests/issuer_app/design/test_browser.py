"""The whole afternoon in a real Chromium: an empty desk, an own design, its publication, the first certificate."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests import browser
from tests.issuer_app.design.conftest import Studio
from tests.issuer_app.house import PACKS, PASSWORD

SEAL = PACKS / "certificate-authority" / "images" / "seal.svg"


def sound(page: Any, name: str) -> None:
    page.wait_for_load_state("load")
    browser.shot(page, f"design-{name}-{page.viewport_size['width']}")
    assert browser.flaws(page) == []
    if page.viewport_size["width"] > 1000:  # in the long run: axe takes its time
        assert [(item["id"], item["nodes"][0]["html"][:160]) for item in Axe().run(page).response["violations"]] == []


def sign_in(page: Any, address: str, name: str, then: str) -> None:
    page.goto(f"{address}/sign-in?next={then}")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    page.click("main button")


@pytest.mark.browser
@pytest.mark.parametrize(
    ("size", "language", "scheme"),
    [
        pytest.param(browser.PHONE, "zh-CN", "dark", id="390"),
        pytest.param(browser.DESK, "en", "light", id="1280", marks=pytest.mark.long),
    ],
)
@pytest.mark.long
def test_an_afternoon_from_an_empty_desk_to_the_first_certificate(
    studio: Studio, tmp_path: Path, size: dict[str, int], language: str, scheme: str
) -> None:
    """Example, a field of one's own with a suggested label, look-up, colour and seal, publish, right, issue."""
    with browser.serving(studio.app()) as address, browser.chromium() as chrome:
        page = chrome.new_context(viewport=size, locale=language, color_scheme=scheme).new_page()
        told: list[str] = []
        page.on("console", lambda message: told.append(message.text))
        with browser.only(page, address):
            sign_in(page, address, "anna", "/desk/designs/")
            sound(page, "home")
            page.check("input[value=training]")
            page.fill("#name", "first-aid")
            page.click("form.card button.main")
            page.wait_for_selector(".preview")
            sound(page, "fields")
            own_field(page)
            page.click(".steps li:nth-child(3) a")
            sound(page, "finding")
            page.click(".steps li:nth-child(4) a")
            page.set_input_files("#seal", str(SEAL))
            page.fill("#accent", "#7a2f1d")
            page.wait_for_selector(".preview:not(.stale)")
            page.click("form.card button.main")
            page.wait_for_selector("ol.fields")
            page.click(".steps li:nth-child(4) a")
            sound(page, "page")
            new_steps(page)
            page.click(".steps li:nth-child(8) a")
            sound(page, "publish")
            with page.expect_download() as loading:
                page.click(".buttons a.main")
            digest = studio.committee.publish_schema(Path(loading.value.path()).read_bytes())
            page.reload()
            page.click(".work button.main")
            page.wait_for_selector(".versions")
            sound(page, "waits")
            studio.office.approve(studio.desk.did, digest, until=studio.now + 525_600)
            page.reload()
            page.click(".versions a.main")
            first_certificate(page)
        assert told == []
    row = studio.desk.find("张伟")[0]
    assert row.claims["validForYears"] == 2
    assert studio.verify(row.compact).verdict == "valid-bearer"


def new_steps(page: Any) -> None:
    """A ready template and a refused one, who signs, a rule tried: the preview follows, nothing needs a mouse."""
    page.click(".steps li:nth-child(5) a")
    sound(page, "templates")
    page.focus("input[name=ready]")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_selector(".preview img.sheet")
    sound(page, "template")
    bad = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 210 297">\n<script/></svg>'
    page.set_input_files("#file", files=[{"name": "bad.svg", "mimeType": "image/svg+xml", "buffer": bad}])
    page.wait_for_selector(".preview .fault")
    assert "<script>" in page.inner_text(".preview .fault")
    sound(page, "template-refused")
    page.click(".steps li:nth-child(6) a")
    page.wait_for_selector("#threshold", state="hidden")
    page.check("input[value=any]")
    assert page.is_visible("#threshold")
    page.wait_for_selector(".preview:not(.stale)")
    sound(page, "signing")
    page.click(".steps li:nth-child(7) a")
    page.select_option("#about", "endedOn")
    page.click("form[method=get] button")
    page.check("input[value=within-days]")
    page.fill("#count", "30")
    page.wait_for_function("() => document.querySelector('.preview .notice').textContent.includes('30')")
    sound(page, "rule")
    page.click("form.card button.main")
    page.fill("#day", "2030-01-01")
    page.click("form[action*=try] button")
    page.wait_for_selector(".fields .check.bad")
    sound(page, "tried")


def own_field(page: Any) -> None:
    """A field added on the page; the preview follows the typing, the other script is suggested."""
    page.click(".work a.button.main")
    page.select_option("#type", "number")
    assert page.is_visible("#most")
    assert not page.is_visible("#choices")
    for code, text in (("en", "Valid for years"), ("pt", "Válido por anos"), ("zh-Hans", "有效年限")):
        page.fill(f"#label-{code}", text)
    page.fill("#sample", "2")
    page.wait_for_function("() => document.querySelectorAll('.preview .sketch li').length >= 5")
    sound(page, "typing")
    page.click("form.card button.main")
    page.wait_for_selector("#label-zh-Hant-note")
    assert page.input_value("#label-zh-Hant") == "有效年限"
    sound(page, "suggested")
    page.click("form.card button.main")
    page.wait_for_selector("ol.fields .notice.good, .work .notice.good")


def first_certificate(page: Any) -> None:
    """The clerk's form of the new kind."""
    for name, text in (("personName", "张伟"), ("course", "急救"), ("endedOn", "2026-02-28"), ("validForYears", "2")):
        page.fill(f"#claim-{name}", text)
    page.fill("#find-documentNumber", "11010519491231002X")
    sound(page, "form")
    page.click("form.card button.main")
    page.wait_for_selector("img.qr")
    sound(page, "certificate")
    page.goto(f"{page.url}/papers")
    page.wait_for_load_state("load")
    browser.shot(page, f"design-papers-{page.viewport_size['width']}")
