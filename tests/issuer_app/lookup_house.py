"""A house whose desk can be asked: the skill certificate under the rules of a test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from issuer_app.ledger import Issued
from issuer_app.lookups import Book, read_lookup
from tests.issuer_app.house import House

CLAIMS = {
    "holderName": "陳大文", "certificateNumber": "202611230001", "skill": "区块链应用操作员", "awardDate": "2026-11-20", "level": "3",
}  # fmt: skip
FOUR = {"en": "Skill certificates", "pt": "Certificados", "zh-Hans": "技能证书", "zh-Hant": "技能證書"}
OTHERS = {"en": "Training", "pt": "Formação", "zh-Hans": "培训", "zh-Hant": "培訓"}
CN, CN2, HK, PASSPORT = "11010119900307803X", "440524198001010013", "A123456(3)", "E12345678"
OPEN: dict[str, Any] = {
    "title": FOUR, "schemas": ["skill-certificate"], "documents": ["cn-id", "hk-id", "mo-id", "passport"],
    "from": {"name": "holderName"}, "by": [["documentNumber", "name"]], "shows": "certificate",
}  # fmt: skip
SECOND = {**OPEN, "by": [["documentNumber", "name", "birthDate"], ["documentNumber", "name", "phoneTail"]]}
PRIVATE = {**SECOND, "shows": "nothing-without-link"}
EXISTS = {**OPEN, "documents": [], "by": [["certificateId"]], "shows": "existence"}
QUICK = {"floor": 20}


def lookups(house: House, rules: dict[str, Any], **pace: Any) -> None:
    """From now on the house's desk goes by these rules."""
    known = read_lookup({"rules": rules, "pace": {**QUICK, **pace}})  # type: ignore[dict-item]
    desk = house.desk
    desk.terms = replace(desk.terms, lookup=known)
    desk.lookups = Book(desk.lookups.store, desk.party.secret("lookup"), known, hash=desk.client.genesis.hash)


def asking_house(folder: Path, rules: dict[str, Any], *, profile: str = "intl", **pace: Any) -> House:
    """An accredited house under these rules."""
    house = House(folder, profile=profile)
    house.accredit()
    lookups(house, rules, **pace)
    return house


def award(house: House, claims: dict[str, Any] | None = None, **extra: str) -> Issued:
    """A skill certificate with what it is to be found by."""
    lookup = {name.replace("_", "-"): text for name, text in extra.items()}
    return house.desk.issue(
        house.skill, CLAIMS if claims is None else {**CLAIMS, **claims}, at=house.now, random=house.world.random, lookup=lookup
    )
