from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from p2p.errors import StoreError
from p2p.store import Damaged, Ledger

A, B, OTHER = "aa" * 32, "ab" * 32, "cc" * 32


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "ledger")


def test_what_was_added_is_found_by_this_ledger_and_by_a_new_one(ledger: Ledger) -> None:
    for key, text in [(A, b"one"), (B, b"two"), (OTHER, b"")]:
        ledger.add(key, text)
    for reader in (ledger, Ledger(ledger.folder)):
        assert [reader.find(key) for key in (A, B, OTHER)] == [b"one", b"two", b""]
        assert dict(reader.entries()) == {A: b"one", B: b"two", OTHER: b""}
    assert sorted(path.name for path in ledger.folder.iterdir()) == ["a.log", "c.log"]


def test_what_nobody_added_is_not_there(ledger: Ledger) -> None:
    assert ledger.find(A) is None
    assert list(ledger.entries()) == []
    assert not ledger.folder.exists()


def test_the_newest_text_of_a_key_counts(ledger: Ledger) -> None:
    reader = Ledger(ledger.folder)
    for text in (b"one", b"two"):
        ledger.add(A, text)
        assert (ledger.find(A), reader.find(A)) == (text, text)


def test_several_writers_see_what_the_others_add(ledger: Ledger) -> None:
    other = Ledger(ledger.folder)
    ledger.add(A, b"mine")
    other.add(B, b"theirs")
    ledger.add(B, b"mine")
    other.add(A, b"theirs")
    for reader in (ledger, other):
        assert (reader.find(A), reader.find(B)) == (b"theirs", b"mine")


def test_a_line_that_a_crash_has_cut_damages_no_other(ledger: Ledger) -> None:
    ledger.add(A, b"one")
    with (ledger.folder / "a.log").open("ab") as file:
        file.write(b"\n" + B.encode() + b" 0123")
    assert ledger.find(B) is None
    ledger.add(OTHER.replace("cc", "ad"), b"three")
    reader = Ledger(ledger.folder)
    assert (reader.find(A), reader.find(OTHER.replace("cc", "ad"))) == (b"one", b"three")
    assert len(list(reader.entries())) == 2


def test_a_damaged_text_is_told_once_and_replaced_by_the_next(ledger: Ledger) -> None:
    ledger.add(A, b"one")
    path = ledger.folder / "a.log"
    path.write_bytes(path.read_bytes().replace(b"one", b"two"))
    for reader in (ledger, Ledger(ledger.folder)):
        with pytest.raises(Damaged):
            reader.find(A)
        assert reader.find(A) is None
    assert list(ledger.entries()) == []
    ledger.add(A, b"three")
    assert ledger.find(A) == b"three"


def test_what_is_dropped_is_gone_also_for_those_who_have_read_it(ledger: Ledger) -> None:
    other = Ledger(ledger.folder)
    for key, text in [(A, b"one"), (A, b"two"), (B, b"three"), (OTHER, b"four")]:
        ledger.add(key, text)
    assert other.find(A) == b"two"
    Ledger(ledger.folder).drop({A})
    for reader in (ledger, other):
        assert [reader.find(key) for key in (A, B, OTHER)] == [None, b"three", b"four"]
    for writer in (ledger, other):
        writer.add(A, b"again")  # not to the file that was replaced
    assert dict(Ledger(ledger.folder).entries()) == {B: b"three", A: b"again", OTHER: b"four"}


def test_a_folder_that_is_removed_at_work_is_made_anew(ledger: Ledger) -> None:
    ledger.add(A, b"one")
    shutil.rmtree(ledger.folder)
    assert ledger.find(A) is None
    ledger.add(A, b"two")
    assert Ledger(ledger.folder).find(A) == b"two"


def test_it_is_its_users_alone(ledger: Ledger) -> None:
    ledger.add(A, b"one")
    assert [path.stat().st_mode & 0o077 for path in (ledger.folder, ledger.folder / "a.log")] == [0, 0]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_disk_that_takes_nothing_is_told(ledger: Ledger) -> None:
    ledger.folder.mkdir()
    (ledger.folder / "a.log").symlink_to("/dev/full")
    with pytest.raises(StoreError, match="cannot be written"):
        ledger.add(A, b"one")


def test_many_processes_lose_nothing(ledger: Ledger) -> None:
    code = (
        "import sys; from pathlib import Path; from p2p.store import Ledger; ledger = Ledger(Path(sys.argv[1]))\n"
        "for n in range(200): ledger.add(f'{int(sys.argv[2]):02x}{n:062x}'.replace('0', 'a', 1), sys.argv[2].encode())"
    )
    started = [subprocess.Popen([sys.executable, "-c", code, str(ledger.folder), str(n)]) for n in range(4)]
    assert [process.wait() for process in started] == [0] * 4
    assert len(dict(ledger.entries())) == 800
    assert len(list(ledger.folder.iterdir())) == 1
