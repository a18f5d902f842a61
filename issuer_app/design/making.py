"""The files of a pack from a plan: the same from `weid pack init` and from the pages.

Pure: a plan and pictures in, a mapping from file name to bytes out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from issuer_app.design.cases import cases_of, co_signers, story_of
from issuer_app.design.conditions import description, fits, logic_of
from issuer_app.design.plan import Finding, Plan, PlanField
from issuer_app.design.skeleton import words
from issuer_app.papers.look import FORMS, digest_of
from weid.canon import JSON

__all__ = ["drawings", "pack_files", "schema_of"]

_DAY: Final = 1440
_WEEK: Final = 10_080
_LIST: Final = 131_072
_TEXT: Final = (1, 60)


def schema_of(plan: Plan) -> dict[str, JSON]:
    """The claim schema (JSON Schema 2020-12 with our annotations)."""
    order: list[JSON] = [field.name for field in plan.fields]
    joint = plan.together.joint
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:weid:schema:{plan.name}:{plan.version}",
        "title": "".join(part.capitalize() for part in plan.name.split("-")), "type": "object", "additionalProperties": False,
        "properties": {field.name: _property(field) for field in plan.fields},
        "required": [field.name for field in plan.fields if field.required],
        "x-weid": {
            "name": plan.name, "version": plan.version, "order": order, "title": dict(plan.title),
            "lifetime": plan.lifetime, "bind": plan.bind, "status": True, "width": 20 if joint is None else 32,
            **({} if joint is None else {"joint": joint}),
        },
    }  # fmt: skip


def pack_files(plan: Plan, images: Mapping[str, bytes] | None = None) -> dict[str, bytes]:
    """Every file of the pack; a plan with faults makes a pack with them.

    `images` has `logo` and `seal`, SVG, PNG or JPEG, and the templates by form, or by form and language (`card.pt`).
    """
    typed: list[JSON] = list(plan.typed)
    rules = _rules(plan)
    sections: dict[str, Any] = {
        "pack": {"id": plan.name, "version": plan.version, "title": dict(plan.title)},
        f"schemas/{plan.name}": schema_of(plan), "trust": _trust(plan), "present": _present(plan, list(rules)),
        "issue": {"suite": {"gm": "sm2", "intl": "ed25519"}, "valid": {plan.name: plan.lifetime}, "typedCode": bool(typed),
                  **({"twoPeople": list(plan.two_people)} if plan.two_people else {}), "convert": {}},
        "status": {"nextUpdate": _WEEK, "listSize": _LIST}, "rules": {"rules": rules}, "crypto": {"main": "intl"},
        "anchor": {"typed": "fingerprint"} if typed else {}, "lookup": _lookup(plan, typed),
        "story": {"steps": story_of(plan, words)},
    }  # fmt: skip
    sections |= {f"cases/{name}": case for name, case in cases_of(plan, words).items()}
    page, made = _page(plan, images or {})
    sections["render"] = {"kinds": {plan.name: page}}
    made |= {f"{name}.json": _printed(section) for name, section in sections.items()}
    return dict(sorted(made.items()))


def drawings(images: Mapping[str, bytes]) -> tuple[str, ...]:
    """Which of a design's pictures are templates, in the order of the forms."""
    return tuple(
        sorted(
            (key for key in images if key.partition(".")[0] in FORMS), key=lambda key: (FORMS.index(key.partition(".")[0]), key)
        )
    )


def _page(plan: Plan, images: Mapping[str, bytes]) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The page of `render.json`, and the files that it names."""
    page: dict[str, Any] = {"title": list(plan.page.large)}
    page |= {"rows": list(plan.page.rows)} if plan.page.rows else {}
    page |= {"accent": plan.page.accent} if plan.page.accent else {}
    page |= {"says": dict(plan.page.says)} if plan.page.says else {}
    page |= {"published": True} if plan.page.published else {}
    made: dict[str, bytes] = {}
    templates = drawings(images)
    for member, data in sorted(images.items()):
        form, _, language = member.partition(".")
        folder, ending = ("templates", "svg") if member in templates else ("images", _ending(data))
        path = f"{folder}/{plan.name}-{member.replace('.', '-')}.{ending}"
        made[path] = data
        place = page if not language else page.setdefault("languages", {}).setdefault(language, {})
        place[form] = {"file": path, "digest": digest_of(data)}
    return page, made


def _rules(plan: Plan) -> dict[str, Any]:
    """The conditions that can be written, as `rules.json`; `absent` is said only of what may not be there (R12)."""
    made: dict[str, Any] = {}
    for number, condition in enumerate(plan.rules, 1):
        field = plan.field(condition.field)
        if field is None or not fits(condition, field.type, tuple(value for value, _ in field.choices)):
            continue
        sure = field.privacy == "public" and field.required
        made[f"rule-{number}"] = {
            "description": description(condition, field.type, field.label, dict(field.choices)),
            "logic": logic_of(condition, field.type), **({} if sure else {"absent": {condition.field: condition.absent}}),
        }  # fmt: skip
    return made


def _property(field: PlanField) -> dict[str, JSON]:
    made: dict[str, JSON] = {"x-class": field.privacy, "x-label": dict(field.label)}
    if field.type == "number":
        bounds = (("minimum", field.least), ("maximum", field.most))
        return {"type": "integer", **{name: value for name, value in bounds if value is not None}, **made}
    if field.type == "yesno":
        return {"type": "boolean", **made}
    if field.type == "date":
        return {"type": "string", "format": "date", **made}
    if field.type == "months":
        return {"type": "string", "x-type": "month-range", **made}
    if field.type == "choice":
        labels: dict[str, JSON] = {value: dict(label) for value, label in field.choices if label}
        values: list[JSON] = [value for value, _ in field.choices]
        return {"type": "string", "enum": values, **made, **({"x-values": labels} if labels else {})}
    if field.type == "digits":
        count = field.most or 0
        return {"type": "string", "pattern": f"^[0-9]{{{count}}}$", "minLength": count, "maxLength": count, "x-type": "digits",
                **made}  # fmt: skip
    least, most = (_TEXT[0] if field.least is None else field.least), (_TEXT[1] if field.most is None else field.most)
    return {"type": "string", "minLength": least, "maxLength": most, **made}


def _lookup(plan: Plan, typed: list[JSON]) -> dict[str, JSON]:
    rules: dict[str, JSON] = {}
    rule = _rule(plan, plan.finding)
    if rule is not None:
        # the name of the kind stands in the rule's: a desk holds the rules of all its kinds beside each other
        rules[f"{plan.name[:20]}-{plan.finding.way}"] = rule
    if plan.finding.printed:
        rules[f"{plan.name[:20]}-printed"] = {
            "title": words("find-printed"), "schemas": [plan.name], "by": [["certificateId"]], "shows": "existence",
        }  # fmt: skip
    return {"codeBits": 80, **({"typed": {plan.name: typed}} if typed else {}), "rules": rules}


def _rule(plan: Plan, finding: Finding) -> dict[str, JSON] | None:
    if finding.way == "nobody":
        return None
    rule: dict[str, JSON] = {"title": words(f"find-{finding.way}"), "schemas": [plan.name]}
    if finding.way == "code":
        rule |= {"by": [["claimCode"]], "shows": "certificate"}
    else:
        keys = {"number": f"claim:{finding.number}", "email": "email"}
        rule |= {
            "from": {"name": finding.person}, "by": [[keys.get(finding.way, "documentNumber"), "name"]],
            "shows": "nothing-without-link" if finding.way in ("private", "email") else "certificate",
        }  # fmt: skip
    rule |= {"documents": list(finding.documents)} if finding.way in ("document", "private") else {}
    return rule | ({"required": True} if finding.required else {})


def _trust(plan: Plan) -> dict[str, Any]:
    def party(name: str, **more: Any) -> dict[str, Any]:
        return {"registry": "main", "names": words(name), **more}

    return {
        "registries": {"main": {"origin": f"registry.example/{plan.name}/1", "chain": 8800, "profile": "intl",
                                "names": words("registry")}},
        "parties": {
            "committee": party("committee", committee=1), "reviewer": party("reviewer", roles=["reviewer"]),
            "auditor": party("auditor", roles=["auditor"]), "issuer": party("issuer", wants=[plan.name]),
            **{
                name: {"registry": "main", "names": words("signer", number=number), "wants": [plan.name]}
                for number, name in enumerate(co_signers(plan), 2)
            },
        },
        "verifiers": {"checker": {"home": "main", "foreign": [], "names": words("checker")}},
        "recognition": [],
    }  # fmt: skip


def _present(plan: Plan, rules: list[str]) -> dict[str, Any]:
    read = {item.field for item in plan.rules} if rules else set()
    ask = [field.name for field in plan.fields if field.privacy == "public" or field.name in read]
    age = {"warn": plan.asking.warn * _DAY, "reject": plan.asking.reject * _DAY}
    return {"requests": {"check": {
        "purpose": plan.asking.purpose, "names": words("check"), "schemas": [plan.name], "ask": ask if plan.bind == "key" else [],
        "mode": "challenge" if plan.bind == "key" else "bearer", "rules": rules, "trustAge": age, "statusAge": age,
    }}}  # fmt: skip


def _ending(data: bytes) -> str:
    if data[:4] == b"\x89PNG":
        return "png"
    return "svg" if data.lstrip()[:1] == b"<" else "jpg"


def _printed(value: JSON) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
