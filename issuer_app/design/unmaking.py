"""A plan out of the files of a pack: to go on with a pack that was exported, written by hand, or published.

What the pages cannot show is refused instead of lost: the pack made from the plan must have the very same schema and look-up.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from issuer_app.design.conditions import read_rule
from issuer_app.design.making import pack_files
from issuer_app.design.plan import Plan, read_plan
from issuer_app.design.together import together_of
from issuer_app.lookups.inputs import CLAIM
from issuer_app.papers.look import FORMS, digest_of, read_look
from weid.canon import jcs, parse_json
from weid.errors import MalformedError
from weid.pack import Pack, read_pack

__all__ = ["plan_of"]

_SAME = ("lookup.json", "issue.json", "status.json", "render.json", "rules.json", "present.json")
_DAY = 1440


def plan_of(files: Mapping[str, bytes]) -> tuple[Plan, dict[str, bytes]]:
    """The plan and the pictures of a pack with one kind of certificate; MalformedError `bad-design` says what it has beyond.

    Its cases, story and trust are not part of a plan: they are written anew.
    """
    pack = read_pack(files)
    schemas = pack.folder("schemas")
    if len(schemas) != 1:
        raise MalformedError("the pages show packs with one kind of certificate", code="bad-design")
    (name, schema), images = next(iter(schemas.items())), {}
    look: Any = pack.section("render").get("kinds", {})
    page = look.get(name, {}) if isinstance(look, dict) else {}
    if not isinstance(page, dict):
        raise MalformedError("render.json is not as the pages write it", code="bad-design")
    try:
        for member, entry in _pictures(page):
            read_look(files, name)  # bound by digest, and readable
            images[member] = files[str(entry["file"])]
        plan = read_plan(_described(name, schema, pack, page))
    except (LookupError, TypeError, AttributeError, ValueError):
        raise MalformedError(f"schemas/{name}.json or another file is not as the pages write it", code="bad-design") from None
    _same(files, pack_files(plan, images), name)
    return plan, images


def _same(files: Mapping[str, bytes], made: Mapping[str, bytes], name: str) -> None:
    for path in (f"schemas/{name}.json", *_SAME):
        if path in files and jcs(parse_json(files[path])) != jcs(parse_json(made[path])):
            raise MalformedError(f"{path} says more than the pages can show", code="bad-design")
    known = {digest_of(item) for item in made.values()}
    if any(path.startswith(("images/", "templates/")) and digest_of(data) not in known for path, data in files.items()):
        raise MalformedError("images/ or templates/ holds a picture that the page does not name", code="bad-design")


def _pictures(page: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(the key of a picture or template, where it is) of a page."""
    found = [(member, page[member]) for member in ("logo", "seal", *FORMS) if member in page]
    for language, forms in page.get("languages", {}).items():
        found += [(f"{form}.{language}", entry) for form, entry in forms.items()]
    return found


def _described(name: str, schema: Any, pack: Pack, page: Any) -> dict[str, Any]:
    own, properties, required = schema["x-weid"], schema["properties"], schema.get("required", [])
    lookup, samples, lifetime = pack.section("lookup"), _samples(pack.section("cases/golden")), own["lifetime"]
    days = 1 if lifetime % _DAY else lifetime // _DAY
    return {
        "name": name, "version": own["version"], "title": own["title"], "days": days, "bind": own["bind"],
        "hours": lifetime // 60 if lifetime % _DAY else 0, "together": together_of(own.get("joint")),
        "rules": _rules(pack, properties), "asking": _asking(pack), "twoPeople": pack.section("issue").get("twoPeople", []),
        "fields": [_field(item, properties[item], item in required, samples.get(item)) for item in own["order"]],
        "finding": _finding(lookup.get("rules", {})),
        "page": {"large": page.get("title", []), "rows": page.get("rows", []), "accent": page.get("accent", ""),
                 "says": page.get("says", {}), "published": page.get("published", False)},
    }  # fmt: skip


def _rules(pack: Pack, properties: Any) -> list[Any]:
    """The rules in their order; one that no form can show is refused by `_same`, because it is missing there."""
    kinds = {item: _type(value) for item, value in properties.items()}
    rules: Any = pack.section("rules").get("rules", {})
    found = [read_rule(rules[name], kinds) for name in sorted(rules, key=lambda name: (len(name), name))]
    return [item.to_json() for item in found if item is not None]


def _asking(pack: Pack) -> dict[str, Any]:
    requests: Any = pack.section("present").get("requests", {})
    check = requests.get("check")
    if check is None:
        return {}
    age = check["trustAge"]
    return {"purpose": check["purpose"], "warn": age["warn"] // _DAY, "reject": age["reject"] // _DAY}


def _field(name: str, value: Any, required: bool, sample: Any) -> dict[str, Any]:
    kind = _type(value)
    made = {"name": name, "label": value["x-label"], "type": kind, "class": value["x-class"], "required": required}
    least, most = ("minimum", "maximum") if kind == "number" else ("minLength", "maxLength")
    if kind in ("number", "text", "digits"):
        made |= {"least": None if kind == "digits" else value.get(least), "most": value.get(most)}
    if kind == "choice":
        labels = value.get("x-values", {})
        made["choices"] = [{"value": item, "label": labels.get(item, {})} for item in value["enum"]]
    if sample is not None:
        made["sample"] = ("yes" if sample else "no") if isinstance(sample, bool) else str(sample)
    return made


def _type(value: Any) -> str:
    if value["type"] in ("integer", "boolean"):
        return {"integer": "number", "boolean": "yesno"}[value["type"]]
    if "enum" in value:
        return "choice"
    special = {"digits": "digits", "month-range": "months"}.get(value.get("x-type"))
    return special or {"date": "date"}.get(value.get("format"), "text")


def _finding(rules: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for rule in rules.values():
        by = rule["by"][0]
        if by == ["certificateId"]:
            made["printed"] = True
            continue
        private = rule["shows"] == "nothing-without-link"
        number = next((item.removeprefix(CLAIM) for item in by if item.startswith(CLAIM)), "")
        way = {"claimCode": "code", "email": "email"}.get(by[0], "private" if private else "number" if number else "document")
        made |= {"way": way, "number": number, "person": rule.get("from", {}).get("name", ""),
                 "documents": rule.get("documents", []), "required": rule.get("required", False)}  # fmt: skip
    return made


def _samples(golden: Any) -> Mapping[str, Any]:
    steps = golden.get("steps", [])
    first = next((step for step in steps if isinstance(step, dict) and step.get("do") == "issue"), {})
    claims = first.get("claims", {})
    return claims if isinstance(claims, dict) else {}
