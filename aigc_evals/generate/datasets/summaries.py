"""Summaries of news."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from aigc_evals.errors import DataError
from aigc_evals.files import is_file, is_folder
from aigc_evals.generate.base import Generate, Item, Message
from aigc_evals.generate.readers import find, read_lines

_STORIES = "https://huggingface.co/datasets/cnn_dailymail/resolve/11343c3752184397d56efc19a8a7cceb68089318/data/{}"
_LISTS = "https://raw.githubusercontent.com/abisee/cnn-dailymail/master/url_lists/{}"
_FILES = {"validation": "all_val.txt", "test": "all_test.txt"}
"""Split -> the list of its stories."""
_MARK = "@highlight"


class CNNDailyMail(Generate):
    """News articles of CNN and the Daily Mail, to be summarised by the points that stood above them.

    Raw files: ``cnn_stories.tgz`` and ``dailymail_stories.tgz`` with 92,579 files ``cnn/stories/<id>.story`` and 219,506 of
    ``dailymail/stories``: the article's paragraphs, then ``@highlight`` before every point, blank lines between all; and
    ``all_val.txt`` and ``all_test.txt`` of See et al. 2017, the addresses of the articles of a split, one a line, of which
    ``<id>`` is the SHA-1. 13,368 articles to validate, 11,490 to test, in their case and unanonymised; a few stories without
    an article are left out, and so is what is there to train on. Only these are unpacked of the archives, which hold 1.4 GB.
    """

    d_url = {
        **{name: _STORIES.format(name) for name in ("cnn_stories.tgz", "dailymail_stories.tgz")},
        **{name: _LISTS.format(name) for name in ("all_val.txt", "all_test.txt")},
    }
    licence = "not stated (the articles are those of CNN and Daily Mail)"
    homepage = "https://github.com/abisee/cnn-dailymail"
    citation = (
        "Hermann et al.: Teaching Machines to Read and Comprehend. NIPS 2015. "
        "See et al.: Get To The Point: Summarization with Pointer-Generator Networks. ACL 2017."
    )
    splits = ("validation", "test")
    default_split = "test"
    few_shot_split = "validation"
    evals = ("rouge", "fact")
    instruction = (
        "Summarise the news article in three or four short sentences, each on a line of its own, that state its most "
        "important facts. Use only what the article says. Reply with these sentences and nothing else: no title, no bullets."
    )

    def wanted_members(self, folder: Path) -> Sequence[str]:
        return [f"{name}.story" for file in _FILES.values() for _, name in _names(find(folder, file))]

    def extract_and_save_datasets(self) -> None:
        folder = self.fetch()
        stories = sorted(path for path in folder.rglob("stories") if is_folder(path))
        for split, file in _FILES.items():
            self.save_split(split, self._read(find(folder, file), stories))

    def _read(self, addresses: Path, stories: list[Path]) -> Iterator[Item]:
        for number, name in _names(addresses):
            found = next((path for path in (place / f"{name}.story" for place in stories) if is_file(path)), None)
            if found is None:
                hint = "Both archives are needed: cnn_stories.tgz and dailymail_stories.tgz."
                raise DataError(
                    f"there is no story {name}.story for this address", path=addresses, line=number, hint=hint
                )
            item = _story(found)
            if item["article"] and item["highlights"]:
                yield {"id": name, **item}

    def format_chat_prompt(self, item: Item) -> list[Message]:
        return self.chat("\n\n".join(["Article:", *item["article"]]))

    def format_ideal(self, item: Item) -> str:
        return "\n".join(item["highlights"])


def _names(addresses: Path) -> Iterator[tuple[int, str]]:
    """The names of the stories of a split, each with the number of its line."""
    for number, address in enumerate(read_lines(addresses), 1):
        if address.strip():
            yield number, hashlib.sha1(address.strip().encode(), usedforsecurity=False).hexdigest()


def _story(path: Path) -> dict[str, list[str]]:
    """The paragraphs and the points of a story."""
    article: list[str] = []
    highlights: list[str] = []
    into = article
    for line in map(str.strip, read_lines(path, "utf-8-sig")):
        if line == _MARK:
            into = highlights
        elif line:
            into.append(line)
    return {"article": article, "highlights": highlights}
