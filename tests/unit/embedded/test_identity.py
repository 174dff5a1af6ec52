"""A copied or moved state folder works completely, or fails with one sentence; it never starts empty."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.unit.embedded.test_demo import run_demo
from voxloop.embedded.demo import Demo
from voxloop.embedded.identity import IDENTITY, NotWhole, choose_home, keep_identity, note_database, read_identity
from voxloop.embedded.messages import StartError
from voxloop.embedded.private import write_private
from voxloop.embedded.processes import free_port
from voxloop.embedded.state import StateFolder
from voxloop.embedded.upkeep import state_for

ROOT = Path(__file__).parents[3]


class Folders:
    """State folders below an inaccessible folder, with fake clusters in a shelter folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.shelter = root, root / "shelter"

    def new(self, name: str) -> Path:
        state = self.root / name
        (state / "postgres").mkdir(parents=True, mode=0o700)
        return state

    def choose(self, state: Path, *, as_root: bool = True, must_exist: bool = False) -> Path:
        return choose_home(
            state / "postgres", owner=state, as_root=as_root, must_exist=must_exist, shelter=self.shelter
        )

    def start(self, state: Path, **how: bool) -> Path:
        """Change the files as a start does."""
        home = self.choose(state, **how)
        (home / "data").mkdir(parents=True, exist_ok=True)
        (home / "data" / "PG_VERSION").write_text("18\n")
        if home != state / "postgres":
            (state / "postgres" / "WHERE").write_text(f"{home}\n")
        note_database(state, state / "postgres", home)
        return home


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    tmp_path.chmod(0o700)
    return Folders(tmp_path)


def test_a_moved_folder_keeps_the_database_that_lies_elsewhere(folders: Folders) -> None:
    state = folders.new("state")
    home = folders.start(state)
    assert home.parent == folders.shelter
    moved = state.rename(state.with_name("moved"))
    assert folders.start(moved) == home
    assert folders.start(moved) == home
    # Another folder may now use the old path, and gets its own database.
    assert folders.start(folders.new("state")) != home


def test_a_copy_does_not_share_the_database_of_the_first(folders: Folders) -> None:
    state = folders.new("state")
    home = folders.start(state)
    copy = state.with_name("copy")
    shutil.copytree(state, copy)
    with pytest.raises(NotWhole, match=rf"^{copy} is a copy of {state}, whose database it would share: "):
        folders.choose(copy)
    assert folders.start(state) == home


def test_a_copy_made_by_an_older_version_is_told_from_a_moved_folder(folders: Folders) -> None:
    state = folders.new("state")
    home = folders.start(state)
    copy = state.with_name("copy")
    shutil.copytree(state, copy)
    for path in (state / IDENTITY, copy / IDENTITY, home / "owner.json"):
        path.unlink()
    keep_identity(copy, came_from=str(state))
    with pytest.raises(NotWhole, match="is a copy of"):
        folders.choose(copy)
    shutil.rmtree(state)
    assert folders.start(copy) == home


@pytest.mark.parametrize("as_root", [True, False])
@pytest.mark.fault("the database's folder is gone")
def test_a_database_that_is_gone_is_told_and_not_made_again(folders: Folders, as_root: bool) -> None:
    state = folders.new("state")
    home = folders.start(state, as_root=as_root)
    shutil.rmtree(home / "data")
    with pytest.raises(NotWhole, match=rf"^The database of {state} is missing \(it was in {home}\): put it back"):
        folders.choose(state, as_root=as_root)


def test_a_card_that_says_complete_is_not_given_an_empty_database(folders: Folders) -> None:
    with pytest.raises(NotWhole, match="is missing"):
        folders.choose(folders.new("state"), must_exist=True)


def test_a_database_of_another_folder_is_refused(folders: Folders) -> None:
    first, second = folders.new("first"), folders.new("second")
    folders.start(first, as_root=False)
    folders.start(second, as_root=False)
    shutil.rmtree(second / "postgres")
    shutil.copytree(first / "postgres", second / "postgres")
    with pytest.raises(NotWhole, match="is not that of"):
        folders.choose(second, as_root=False)


def test_a_lost_name_is_taken_from_the_database(folders: Folders) -> None:
    state = folders.new("state")
    home = folders.start(state)
    before = read_identity(state)
    (state / IDENTITY).unlink()
    assert folders.start(state) == home
    assert read_identity(state) == before


def test_who_is_not_root_does_not_make_a_second_database(folders: Folders) -> None:
    state = folders.new("state")
    folders.start(state)
    with pytest.raises(NotWhole, match="was made by root: start it as root"):
        folders.choose(state, as_root=False)


def test_a_folder_that_the_servers_user_cannot_reach_any_more_is_told(folders: Folders) -> None:
    state = folders.new("state")
    folders.start(state, as_root=False)
    with pytest.raises(NotWhole, match="cannot access it"):
        folders.choose(state, as_root=True)


@pytest.fixture(params=["open to others", "closed"])
def state(request: pytest.FixtureRequest, tmp_path: Path, open_folder: Path) -> Iterator[StateFolder]:
    """A state folder with a real database that holds one row; for root in the folder itself, and in the shelter."""
    folder = StateFolder((open_folder if request.param == "open to others" else tmp_path) / "state")
    folder.path.mkdir(mode=0o711)
    with folder.postgres as server, psycopg.connect(server.owner_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    yield folder
    shutil.rmtree(folder.postgres.home, ignore_errors=True)


def count(folder: StateFolder) -> object:
    with folder.postgres as server, psycopg.connect(server.owner_url) as connection:
        row = connection.execute("SELECT n FROM kept").fetchone()
        return row and row[0]


@pytest.mark.fault("the state folder is moved")
def test_a_moved_folder_comes_up_whole(state: StateFolder) -> None:
    moved = StateFolder(state.path.rename(state.path.with_name("moved")))
    assert count(moved) == 7


@pytest.mark.fault("the state folder is copied")
def test_a_copied_folder_comes_up_whole_or_says_why_not(state: StateFolder) -> None:
    """Copied like `cp -r`: root's copy belongs to root, who cannot run a database."""
    copy = StateFolder(state.path.with_name("copy"))
    subprocess.run(["cp", "-r", state.path, copy.path], check=True)
    if state.postgres.home == state.postgres.folder:
        assert count(copy) == 7
    else:
        with pytest.raises(StartError, match="is a copy of"):
            copy.postgres.prepare()
    assert count(state) == 7


@pytest.mark.fault("the state folder is copied while it runs")
def test_a_copy_of_a_running_database_is_refused(state: StateFolder) -> None:
    copy = StateFolder(state.path.with_name("copy"))
    with state.postgres:
        subprocess.run(["cp", "-r", state.path, copy.path], check=True)
    with pytest.raises(StartError, match=r"is a copy of|was copied from .* while its database ran"):
        copy.postgres.prepare()


def test_reset_of_a_copy_spares_the_database_of_the_first(state: StateFolder) -> None:
    (state.path / "demo.json").write_text("{}")
    copy = state.path.with_name("copy")
    subprocess.run(["cp", "-r", state.path, copy], check=True)
    Demo(ROOT, copy, 1).reset()
    assert not (copy / "demo.json").exists()
    assert count(state) == 7


@pytest.mark.parametrize("name", ["secrets.json", "demo.json"])
@pytest.mark.fault("secrets or log-ins of a state folder are gone")
def test_a_start_without_its_keys_or_its_log_ins_is_refused(tmp_path: Path, name: str) -> None:
    folder = StateFolder(tmp_path)
    folder.keep_keys()
    folder.write_card({"demonstration": "to be created", "accounts": []})
    write_private(tmp_path / IDENTITY, json.dumps({"id": "x", "folder": str(tmp_path), "has_database": True}))
    keys = (tmp_path / "secrets.json").read_text()
    (tmp_path / name).unlink()
    done = run_demo(tmp_path, free_port())
    assert done.returncode == 1
    said = done.stderr.splitlines()[-1]
    assert said.startswith(f"{tmp_path / name} is gone, and with it ")
    assert "manage.py restore" in said
    assert not (tmp_path / name).exists()
    assert name == "secrets.json" or (tmp_path / "secrets.json").read_text() == keys


def test_keys_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps({"secret": "x"}))
    with pytest.raises(StartError, match=r"secrets\.json cannot be read: put the file back"):
        StateFolder(tmp_path).keys()


def test_a_folder_in_the_middle_of_a_restore_is_not_started(tmp_path: Path) -> None:
    (tmp_path / "restore.json").write_text("{}")
    with pytest.raises(StartError, match="has not finished"):
        StateFolder(tmp_path).check_whole()


def test_a_state_folder_that_is_not_there_is_named_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="no state folder"), state_for("scrub", tmp_path / "typo"):
        pass
    assert not (tmp_path / "typo").exists()
