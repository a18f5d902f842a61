"""Designs in the desk's folder: drafts that change, and published versions that never do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from issuer_app.design.making import pack_files
from issuer_app.design.parcel import MAX_ALL, MAX_ZIP, packed, unpacked
from issuer_app.design.plan import Plan, read_plan
from issuer_app.papers.look import read_look
from issuer_app.problems import NotFoundError
from issuer_app.store import Store
from weid.errors import ConflictError, MalformedError

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["IMAGES", "Draft", "Drafts", "Version"]

IMAGES = ("logo", "seal")
_MAX_DRAFTS = 100


@dataclass(frozen=True, slots=True)
class Draft:
    """A design being worked on. `images` has logo, seal and templates by their keys; `revision` grows with each change;
    `frozen` once its schema is on the way to the registry."""

    plan: Plan
    images: dict[str, bytes]
    revision: int
    frozen: bool


@dataclass(frozen=True, slots=True)
class Version:
    """What was published: immutable, named by the digest of its schema."""

    name: str
    number: int
    digest: bytes
    at: int
    pack: bytes


class Drafts:
    """The designs of a desk's folder, `designs.db`."""

    def __init__(self, folder: Path | None) -> None:
        self._store = Store(None if folder is None else folder / "designs.db")
        with self._store.change() as database:
            database.execute(
                "CREATE TABLE IF NOT EXISTS draft (name TEXT PRIMARY KEY, plan BLOB NOT NULL, logo BLOB, seal BLOB, "
                "revision INTEGER NOT NULL, frozen INTEGER NOT NULL)"
            )
            database.execute(
                "CREATE TABLE IF NOT EXISTS version (name TEXT, number INTEGER, digest BLOB NOT NULL, at INTEGER NOT NULL, "
                "pack BLOB NOT NULL, PRIMARY KEY (name, number))"
            )
            database.execute(
                "CREATE TABLE IF NOT EXISTS template (name TEXT, key TEXT, data BLOB NOT NULL, PRIMARY KEY (name, key))"
            )

    def close(self) -> None:
        """Close the file."""
        self._store.close()

    def all(self) -> tuple[Draft, ...]:
        """Every draft, by name."""
        return tuple(self._draft(row) for row in self._store.rows("SELECT * FROM draft ORDER BY name"))

    def get(self, name: str) -> Draft:
        """One draft; NotFoundError."""
        row = self._store.row("SELECT * FROM draft WHERE name = ?", name)
        if row is None:
            raise NotFoundError("no design of that name")
        return self._draft(row)

    def begin(self, plan: Plan, images: dict[str, bytes] | None = None) -> Draft:
        """A new draft; its version is the next of its name. ConflictError `design-exists`."""
        with self._store.change() as database:
            known = {str(row["name"]) for row in self._store.rows("SELECT name FROM draft")}
            if plan.name in known:
                raise ConflictError("there is a design of that name", code="design-exists")
            if len(known) >= _MAX_DRAFTS:
                raise MalformedError(f"at most {_MAX_DRAFTS} designs at a time", code="too-large")
            last = max((version.number for version in self.versions(plan.name)), default=0)
            held = images or {}
            database.table("draft").insert({
                "name": plan.name, "plan": replace(plan, version=last + 1).to_bytes(), "logo": held.get("logo"),
                "seal": held.get("seal"), "revision": 1, "frozen": 0,
            })  # fmt: skip
            self._keep(database, plan.name, held)
        return self.get(plan.name)

    def save(self, plan: Plan, revision: int, images: dict[str, bytes] | None = None) -> Draft:
        """A change over the revision it was made from; ConflictError `design-changed` where another came first, or
        `design-frozen`. A picture that cannot be drawn is refused, as are pictures that no packed pack could hold; then
        nothing is kept of the change."""
        with self._store.change() as database:
            held = self.get(plan.name)
            if held.frozen:
                raise ConflictError("its schema is at the registry already", code="design-frozen")
            if held.revision != revision:
                raise ConflictError("somebody changed it since", code="design-changed")
            kept = held.images if images is None else images
            files = pack_files(plan, kept)
            read_look(files, plan.name)
            if images is not None:
                _carried(files)
            database.table("draft").update(plan.name, {
                "plan": replace(plan, version=held.plan.version).to_bytes(), "logo": kept.get("logo"), "seal": kept.get("seal"),
                "revision": revision + 1,
            })  # fmt: skip
            if images is not None:
                self._keep(database, plan.name, kept)
        return self.get(plan.name)

    def freeze(self, name: str, frozen: bool) -> None:
        """While a schema is on its way nobody changes it: the digest that was sent must be the one that is kept."""
        with self._store.change() as database:
            self.get(name)
            database.table("draft").update(name, {"frozen": int(frozen)})

    def discard(self, name: str) -> None:
        """Throw a draft away; ConflictError `design-frozen` once its schema is at the registry."""
        with self._store.change() as database:
            if self.get(name).frozen:
                raise ConflictError("its schema is at the registry already", code="design-frozen")
            database.table("draft").delete(name)
            self._keep(database, name, {})

    def publish(self, name: str, digest: bytes, at: int) -> Version:
        """The draft becomes a version, for good."""
        with self._store.change() as database:
            held = self.get(name)
            database.table("version").insert({
                "name": name, "number": held.plan.version, "digest": digest, "at": at,
                "pack": packed(pack_files(held.plan, held.images), name),
            })  # fmt: skip
            database.table("draft").delete(name)
            self._keep(database, name, {})
        return self.version(name, held.plan.version)

    def versions(self, name: str | None = None) -> tuple[Version, ...]:
        """The published versions, newest first."""
        rows = self._store.rows("SELECT * FROM version WHERE ? IS NULL OR name = ? ORDER BY name, number DESC", name, name)
        return tuple(_version(row) for row in rows)

    def version(self, name: str, number: int) -> Version:
        """One published version; NotFoundError."""
        row = self._store.row("SELECT * FROM version WHERE name = ? AND number = ?", name, number)
        if row is None:
            raise NotFoundError("no version of that number")
        return _version(row)

    def again(self, name: str, number: int) -> Draft:
        """A new draft from a published version."""
        from issuer_app.design.unmaking import plan_of

        return self.begin(*plan_of(unpacked(self.version(name, number).pack)))

    def _draft(self, row: dict[str, Any]) -> Draft:
        images = {member: bytes(row[member]) for member in IMAGES if row[member] is not None}
        held = self._store.rows("SELECT key, data FROM template WHERE name = ?", row["name"])
        images |= {str(item["key"]): bytes(item["data"]) for item in held}
        return Draft(read_plan(bytes(row["plan"])), images, int(row["revision"]), bool(row["frozen"]))

    def _keep(self, database: Database, name: str, images: dict[str, bytes]) -> None:
        """These templates of a draft and no others."""
        database.execute("DELETE FROM template WHERE name = ?", (name,))
        database.table("template").insert_all(
            {"name": name, "key": key, "data": data} for key, data in images.items() if key not in IMAGES
        )


def _carried(files: dict[str, bytes]) -> None:
    """A published version is kept packed, and read again for the next one: what is too large for that is refused now."""
    if sum(map(len, files.values())) > MAX_ALL or len(packed(files, "pack")) > MAX_ZIP:
        raise MalformedError("all pictures and templates together are too large", code="design-too-large")


def _version(row: dict[str, Any]) -> Version:
    return Version(str(row["name"]), int(row["number"]), bytes(row["digest"]), int(row["at"]), bytes(row["pack"]))
