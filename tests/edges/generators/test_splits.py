"""The files of splits: whatever ends a making, and whoever else makes or reads them, what was there is there, and whole."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
from support import cli, disks
from support.generators import World, jsonl, read_rows

from aigc_evals.errors import UsageError
from aigc_evals.generate import Generate

OWN = """
import json
import os
import signal
from pathlib import Path
from aigc_evals.generate import Generate

class Own(Generate):
    made = ("train", "validation")

    def extract_and_save_datasets(self):
        with open("made.txt", "a") as told:
            told.write("made\\n")
        for split in self.made:
            self.save_split(split, [{"q": f"{split} of {self.source}", "a": "new"}])
            if os.environ.get("ENDED_AT") == split:
                os.kill(os.getpid(), getattr(signal, os.environ["ENDED_BY"]))

    def format_one_json(self, item):
        return {"input": item["q"], "ideal": item["a"]}

class Hard(Own):
    made = ("hard",)

class datasets(Own):
    d_url = "https://example.org/x.jsonl"

    def extract_and_save_datasets(self):
        self.fetch()
        super().extract_and_save_datasets()
"""
FOLDER = Path("datasets/Own")
OLD = jsonl([{"q": "old", "a": "old"}])

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals, locks and links of POSIX")


@pytest.fixture(autouse=True)
def own(world: World) -> None:
    (world.folder / "own.py").write_text(OWN, encoding="utf-8")


def put(*splits: str, folder: Path = FOLDER) -> None:
    """Splits that are there, copied in by hand."""
    folder.mkdir(parents=True, exist_ok=True)
    for split in splits:
        (folder / f"{split}.jsonl").write_bytes(OLD)


def ended(by: str, *words: object, at: str = "train") -> None:
    """A making that ends once a split has been saved."""
    env = {**os.environ, "ENDED_AT": at, "ENDED_BY": by}
    ran = cli.run("generate", "own.py:Own", *words, env=env, program="aigc_evals", cwd=Path.cwd())
    assert ran.code == (130 if by == "SIGINT" else -signal.SIGKILL), ran.err


def there(folder: Path = FOLDER) -> dict[str, str]:
    """The splits that are there, and the answer in each."""
    return {path.stem: read_rows(path)[0]["a"] for path in sorted(folder.glob("*.jsonl"))}


def times() -> int:
    made = Path("made.txt")
    return len(made.read_text(encoding="utf-8").splitlines()) if made.exists() else 0


class Words(Generate):
    """Words, made in this process."""

    class_name = "Own"

    def extract_and_save_datasets(self) -> None:
        self.save_split("validation", [{"q": "?", "a": "new"}])

    def format_one_json(self, item: Any) -> dict[str, Any]:
        return {"input": item["q"], "ideal": item["a"]}


# -- what ends a making --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("words", [("--split", "mistyped"), ("--source", "own.py")])
def test_whole_splits_outlive_a_making_that_ends_early(by: str, words: tuple[str, ...], world: World) -> None:
    put("train", "validation")
    ended(by, *words)
    assert there() == {"train": "old", "validation": "old"}
    assert world.generate("own.py:Own", {}).rows[0]["ideal"] == "old"


def test_what_is_copied_in_after_a_kill_stays(world: World) -> None:
    ended("SIGKILL")
    put("train")
    world.generate("own.py:Own", {})
    assert there() == {"train": "old", "validation": "new"}


def test_a_copy_of_a_folder_with_an_unfinished_making_has_its_splits(world: World) -> None:
    put("validation")
    ended("SIGKILL", "--split", "train")
    shutil.copytree("datasets", "restored/datasets")
    world.generate("own.py:Own", {}, "--folder", "restored", "--split", "train")
    assert there(Path("restored/datasets/Own")) == {"train": "new", "validation": "old"}
    assert sorted(path.name for path in Path("restored/datasets/Own").iterdir()) == ["train.jsonl", "validation.jsonl"]


def test_whole_splits_beside_an_unfinished_making_can_be_read_by_who_may_not_write(world: World) -> None:
    put("train")
    ended("SIGKILL")
    with disks.read_only(world.folder / "只读", holding=world.folder / "datasets"):
        assert world.generate("own.py:Own", {}, "--folder", "只读", "--split", "train").rows[0]["ideal"] == "old"


@pytest.mark.parametrize("note", [b"", b"[]", b"{", b"\xff"])
def test_damaged_notes_are_no_reason_to_fail(note: bytes, world: World) -> None:
    put("train")
    for name in (".making", ".source", "../.Own.splits"):
        (FOLDER / name).write_bytes(note)
    assert world.generate("own.py:Own", {}).rows[0]["ideal"] == "new"
    assert there() == {"train": "old", "validation": "new"}


def test_files_of_the_user_s_stay_where_a_source_takes_the_place_of_splits(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    disk = world.folder / "bigger disk"
    put("validation", "mine", folder=disk)
    (disk / "NOTES.md").write_text("笔记", encoding="utf-8")
    FOLDER.parent.mkdir()
    FOLDER.symlink_to(disk, target_is_directory=True)
    made = world.generate("own.py:Own", {}, "--source", "own.py")
    assert made.rows[0]["ideal"] == "new"
    assert FOLDER.is_symlink()
    assert (disk / "NOTES.md").read_text(encoding="utf-8") == "笔记"
    assert there() == {"train": "new", "validation": "new"}
    assert (disk / "mine.jsonl.old").read_bytes() == OLD
    assert "mine.jsonl was not made anew; the older one is mine.jsonl.old now" in caplog.text


def test_a_source_is_named_for_the_splits_that_are_of_it(world: World) -> None:
    world.generate("own.py:Own", {}, "--source", "own.py")
    (FOLDER / "train.jsonl").unlink()
    for split, of_source in (("train", False), ("validation", True)):
        made = world.generate("own.py:Own", {}, "--split", split)
        assert ("--source own.py" in (made.registry / "evals/Own.yaml").read_text(encoding="utf-8")) == of_source


# -- what a class finds and leaves -----------------------------------------------------------------------------------


def test_a_class_finds_what_was_put_among_its_splits_and_leaves_more(world: World) -> None:
    put("raw")
    (FOLDER / "labels.txt").write_text("甲", encoding="utf-8")

    class Reads(Words):
        class_name = "Own"

        def extract_and_save_datasets(self) -> None:
            folder = self.this_dataset_path
            (folder / "more.txt").write_text((folder / "labels.txt").read_text(encoding="utf-8"), encoding="utf-8")
            with open(folder / "raw.jsonl", "rb+") as raw, open(folder / "validation.jsonl", "wb") as out:
                out.write(raw.read())
                raw.truncate(0)

    assert [item["a"] for item in Reads().items()] == ["old"]
    assert there() == {"raw": "old", "validation": "old"}, "what was there is a copy for the class"
    assert (FOLDER / "more.txt").read_text(encoding="utf-8") == "甲"
    assert not (FOLDER / "labels.txt").is_symlink()


@pytest.mark.parametrize("source", [None, "mine"])
def test_a_class_may_write_to_the_folder_by_its_name(source: str | None, world: World) -> None:
    class Named(Words):
        class_name = "Own"

        def extract_and_save_datasets(self) -> None:
            (FOLDER / "validation.jsonl").write_bytes(jsonl([{"q": "?", "a": "direct"}]))

    assert [item["a"] for item in Named(source=source).items()] == ["direct"]


# -- which split is meant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("split", ["dev", "val", "valid"])
def test_another_name_of_a_split_that_is_there_makes_nothing(split: str, world: World) -> None:
    for _ in range(2):
        assert world.generate("own.py:Own", {}, "--split", split).rows[0]["ideal"] == "new"
    assert times() == 1


def test_splits_that_there_are_are_told_and_a_mistyped_one_makes_nothing_anew(world: World) -> None:
    for words, made in (((), 1), (("--split", "hrad"), 1)):
        code, _, err = world.command("generate", "own.py:Hard", *words)
        assert code == 2
        assert "Take one of these with --split: hard" in err
        assert "save_split" not in err
        assert times() == made
    world.generate("own.py:Hard", {}, "--split", "hard")
    assert times() == 1
    Path("datasets/Hard/hard.jsonl").unlink()
    world.generate("own.py:Hard", {}, "--split", "hard")
    assert times() == 2, "one that it does make is made again"


def test_a_source_without_a_split_is_read_once(world: World) -> None:
    made: list[str] = []

    class Counted(Words):
        class_name = "Own"

        def extract_and_save_datasets(self) -> None:
            made.append("once")
            super().extract_and_save_datasets()

    counted = Counted(source="mine")
    assert len(counted.items()) == 1
    with pytest.raises(UsageError, match="Take one of these with --split: validation"):
        counted.items("train")
    assert made == ["once"]


# -- several at once -------------------------------------------------------------------------------------------------


def test_a_making_that_could_not_lock_is_left_alone_by_others(world: World) -> None:
    locks = [FOLDER.with_name(f".Own.{kind}") for kind in ("making", "lock")]
    for lock in locks:
        lock.mkdir(parents=True)  # no file that could be locked

    class Slow(Words):
        class_name = "Own"

        def extract_and_save_datasets(self) -> None:
            with open(self.this_dataset_path / "validation.jsonl", "wb") as out:
                out.write(OLD)
                out.flush()
                for lock in locks:
                    lock.rmdir()
                env = {**os.environ, "HOME": str(world.folder)}
                ran = cli.run(
                    "generate", "own.py:Own", "--split", "train", env=env, program="aigc_evals", cwd=Path.cwd()
                )
                assert ran.code == 0, ran.err
                out.write(OLD)
            assert (self.this_dataset_path / "validation.jsonl").read_bytes() == OLD * 2

    Slow(source="mine").items()
    assert (FOLDER / "validation.jsonl").read_bytes() == OLD * 2
    assert [path.name for path in FOLDER.iterdir() if path.is_dir()] == []


def test_whole_splits_are_read_while_others_are_made_and_who_must_wait_is_told(world: World) -> None:
    import fcntl

    put("validation")
    with open(FOLDER.with_name(".Own.making"), "wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert world.generate("own.py:Own", {}).rows[0]["ideal"] == "old"
        words = ("generate", "own.py:Own", "--split", "train")
        with cli.start(*words, env=os.environ, program="aigc_evals", cwd=Path.cwd()) as waiting:
            assert waiting.stderr is not None
            told = waiting.stderr.readline()
            assert told.startswith("waiting for another process that makes datasets/Own")
            assert waiting.poll() is None
            fcntl.flock(lock, fcntl.LOCK_UN)
            _, err = waiting.communicate(timeout=cli.LONGEST)
    assert waiting.returncode == 0, err
    assert there() == {"train": "new", "validation": "old"}


def test_nobody_is_told_to_wait_who_need_not(world: World, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        world.generate("own.py:Own", {})
    assert caplog.messages == []


def test_a_class_that_makes_another_of_its_own_name_is_told_so(world: World) -> None:
    class Twin(Words):
        class_name = "Own"

        def extract_and_save_datasets(self) -> None:
            self.save_split("validation", Words(folder=self.folder).items())

    with pytest.raises(UsageError, match=r"would wait for itself for ever\n.* class_name of its own"):
        Twin().items()
    assert [item["a"] for item in Words().items()] == ["new"], "nothing is held any more"


def test_a_data_set_may_be_called_as_the_folder_of_all(world: World) -> None:
    assert len(world.generate("own.py:datasets", {"https://example.org/x.jsonl": OLD}).rows) == 1
    assert Path("datasets/datasets.lock").is_file()
