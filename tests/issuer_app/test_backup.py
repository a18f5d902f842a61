"""A desk's backup and the way back: nothing of it is readable, and no place in a status list is given twice."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from issuer_app.backup import restore_folder, write_backup
from issuer_app.catch_up import catch_up
from issuer_app.desk import Desk
from issuer_app.premises import UNFINISHED
from tests.issuer_app.house import COST, PASSPHRASE, House
from tests.issuer_app.test_desk import issue
from weid.errors import ConflictError, KeyMaterialError, MalformedError, RegistryError
from weid.sealed import Passphrase

WORDS = Passphrase(PASSPHRASE)


def saved(house: House, output: Path) -> Path:
    write_backup(house.folder / "desk", output, WORDS, profile="intl", random=secrets.token_bytes, cost=12)
    return output


def restored(house: House, file: Path, folder: Path) -> Desk:
    restore_folder(file, folder, WORDS)
    (folder / UNFINISHED).unlink()
    return Desk.open(folder, client=house.client, passphrase=WORDS, random=house.world.random)


@pytest.mark.parametrize("profile", ["intl", pytest.param("gm", marks=pytest.mark.long)])
def test_what_happened_since_is_taken_over(tmp_path: Path, profile: str) -> None:
    """States, certificates whose content is lost, and decisions that were never sent; the next issue takes a free place."""
    house = House(tmp_path / "house", profile=profile)
    house.accredit()
    kept, ended, lifted, undecided = (issue(house, number) for number in range(1, 5))
    house.desk.suspend(lifted.id, "error-in-data", house.now)
    house.desk._ledger.set_state(undecided.id, "revoked", "fraud", house.now)  # decided, and the registry did not answer
    unsent = issue(house, 9, publish=False)
    file = tmp_path / "backup"
    write_backup(house.folder / "desk", file, WORDS, profile=profile, random=secrets.token_bytes, cost=COST[profile])
    house.desk._ledger.set_state(undecided.id, "valid", None, None)
    house.desk.revoke(ended.id, "fraud", house.now)
    house.desk.lift(lifted.id, house.now)
    lost, gone = issue(house, 5), issue(house, 6)
    house.desk.revoke(gone.id, "superseded", house.now)
    lost_file, places = lost.file, {row.index for row in house.desk.find("")}
    house.desk.close()

    desk = restored(house, file, tmp_path / "again")
    found = catch_up(desk, house.now)
    assert (found.lost, found.changed) == (2, 2)
    states = {row.id: (row.state, row.reason, row.published) for row in desk.find("")}
    assert states == {
        kept.id: ("valid", None, True), ended.id: ("revoked", "fraud", True), lifted.id: ("valid", None, True),
        undecided.id: ("revoked", "fraud", True), unsent.id: ("valid", None, True),
        lost.id: ("valid", None, True), gone.id: ("revoked", "superseded", True),
    }  # fmt: skip
    assert catch_up(desk, house.now) == type(found)(0, 0)
    desk.publish(house.now)
    house.desk = desk
    assert issue(house, 7).index not in places
    assert house.verify(undecided.file).verdict == "revoked"
    assert house.verify(lost_file).verdict == "valid-bearer"
    desk.revoke(lost.id, "error-in-data", house.now)  # its content is lost, its place is not
    assert house.verify(lost_file).verdict == "revoked"
    house.close()


def test_a_row_the_log_never_heard_of_comes_after_those_it_has(house: House) -> None:
    """A register only grows at its end: an unsent row of the backup goes behind what was published since."""
    house.accredit()
    issue(house, 1)
    unsent = issue(house, 2, publish=False)
    file = saved(house, house.folder / "backup")
    house.desk._ledger.refuse(unsent.id)  # as after a refusal
    later = issue(house, 3)
    house.desk.close()
    house.desk = desk = restored(house, file, house.folder / "again")
    assert catch_up(desk, house.now).lost == 1
    assert [leaf.cid.hex() for leaf, _ in desk._ledger.leaves(1)][-2:] == [later.id, unsent.id]
    desk.publish(house.now)
    assert house.verify(unsent.file).verdict == "valid-bearer"


def test_keys_changed_since_are_missed(house: House) -> None:
    """A backup without the keys in force cannot act, and says so."""
    house.accredit()
    file = saved(house, house.folder / "backup")
    house.desk.rotate("status", house.now)
    house.desk.close()
    house.desk = restored(house, file, house.folder / "again")
    with pytest.raises(KeyMaterialError) as caught:
        catch_up(house.desk, house.now)
    assert caught.value.code == "keys-rotated"


def test_a_node_with_other_leaves_is_not_believed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The leaves must lead to the root that stands in the signed state."""
    house.accredit()
    issue(house, 1)
    issue(house, 2)
    answer = house.world.registry.register(f"{house.desk.did}/status/1")
    monkeypatch.setattr(house.world.registry, "register", lambda _: (answer[0], 2, (answer[2] or b"")[20:] * 2))
    with pytest.raises(RegistryError) as caught:
        catch_up(house.desk, house.now)
    assert caught.value.code == "bad-answer"


def test_a_backup_is_sealed_whole_and_one(house: House) -> None:
    """No name is readable in it; blocks cannot be cut off, swapped, changed or mixed; the passphrase must be right."""
    house.accredit()
    issue(house, 1)
    (house.folder / "desk" / "large.db-wal").write_bytes(b"x")
    (house.folder / "desk" / "large").write_bytes(secrets.token_bytes(5 << 20))
    file, other = saved(house, house.folder / "one"), saved(house, house.folder / "two")
    data = file.read_bytes()
    assert "王小明".encode() not in data and b"holderName" not in data and len(data.splitlines()) == 2
    with pytest.raises(ConflictError):
        saved(house, file)
    first, second = data.splitlines(keepends=True)
    stranger = other.read_bytes().splitlines(keepends=True)[1]
    place = house.folder / "again"
    bad = house.folder / "bad"
    for wrong in (first, second, second + first, first + stranger, data + second, first + first, b"", b"{}\n", data[:-9]):
        bad.write_bytes(wrong)
        with pytest.raises(MalformedError) as caught:
            restore_folder(bad, place, WORDS)
        assert caught.value.code == "bad-backup"
    with pytest.raises(KeyMaterialError):
        restore_folder(file, place, Passphrase("another"))
    assert [path.name for path in house.folder.iterdir() if "again" in path.name] == []
    place.mkdir()
    (place / "something").touch()
    with pytest.raises(ConflictError):
        restore_folder(file, place, WORDS)
    (place / "something").unlink()
    assert restore_folder(file, place, WORDS) > 4
    assert not (place / "large.db-wal").exists() and (place / "large").stat().st_size == 5 << 20
    assert all(path.stat().st_mode & 0o077 == 0 for path in place.rglob("*") if path.is_file())
