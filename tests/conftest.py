"""What holds for every test: keys are sealed at a low price, except where the price itself is asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from weid import sealed

CHEAP = {"intl": 12, "gm": 2_000}


@pytest.fixture(autouse=True)
def cheap(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """`weid/test_keyfile.py` asserts what it costs in earnest."""
    if request.path.name != "test_keyfile.py":
        for name, usual in CHEAP.items():
            monkeypatch.setitem(sealed.PROFILES, name, replace(sealed.PROFILES[name], usual=usual))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the long suites reached, as each of them says: kills, faults, changed bytes, requests."""
    told = [
        (report.nodeid.partition("::")[2], text.strip())
        for report in terminalreporter.stats.get("passed", [])
        if report.when == "call" and "long" in report.keywords
        for name, text in report.sections
        if name == "Captured stdout call" and text.strip()
    ]
    if told:
        terminalreporter.section("reached")
    for test, text in told:
        terminalreporter.write_line(f"{test}\n    " + text.replace("\n", "\n    "))
