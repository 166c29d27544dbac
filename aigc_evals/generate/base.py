"""``Generate``: what a public data set is, and how its rows become an eval of a registry.

A data set's adapter is a subclass that describes it: where its raw files are, how they are read, what is asked and what is
expected. Nothing here samples or scores; what is written is run like any other eval.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from aigc_evals.errors import UsageError, nearest
from aigc_evals.files import expanded, write_whole
from aigc_evals.generate import command
from aigc_evals.generate.examples import Examples
from aigc_evals.generate.files import made_folder
from aigc_evals.generate.kinds import CHINESE, ENGLISH, EvalKind, as_yaml, most_letters, named, own_yaml
from aigc_evals.generate.rows import check_name, explained, made_row, name_lacked_field, of_raw_files
from aigc_evals.generate.sampling import DEFAULT_SEED, configured, pick
from aigc_evals.generate.source import Described, PendingLock, Source, remotes
from aigc_evals.generate.splits import SAME_SPLIT, Splits
from aigc_evals.redact import Redactor

Message = dict[str, Any]
Item = Any
"""One example of a data set as its split's JSONL has it: usually a mapping."""


class Generate:
    """A data set in English; derive from it (from ``GenerateZh`` for one in Chinese), and describe the set.

    ``MySet(config=["validation", 100])`` makes an eval of 100 rows of a split (without the number: of all):
    ``datasets/<name>/<split>.jsonl`` is read, or made first by ``extract_and_save_datasets``; the rows go to
    ``<out>/data/<name>/<name>.jsonl``, the evals to ``<out>/evals/<name>.yaml``; both paths are in ``written``.
    ``MySet()`` does nothing by itself: it gives ``rows``, and tells what the set is.

    A subclass says

    - ``d_url``, or overrides ``fetch``: where the raw files are (an address, several, or names with addresses);
    - ``extract_and_save_datasets``: raw files to ``save_split(split, items)`` for every split;
    - ``format_chat_prompt(item)``: the messages that ask about an item (``chat`` makes them of its ``instruction``);
    - ``format_ideal(item)``: the expected answer, or a list of the accepted ones, the best first; or else
      ``format_one_json(item)``, the whole row;
    - the attributes below, where the values here do not fit.

    ``out`` is the registry to write to, ``folder`` where ``downloads/`` and ``datasets/`` are (the working directory),
    ``seed`` what samples and examples are drawn with, ``few_shot`` the number of examples before each question, ``subset``
    the names of the subsets wanted (all), ``source`` a file, folder or address to take instead of ``d_url``,
    ``accept_changed`` whether a file that differs from ``datasets.lock`` is taken, ``made_as`` the name that the command
    line knows the class by. UsageError for what does not fit.
    """

    d_url: ClassVar[Described] = ""
    members: ClassVar[Sequence[str]] = ()
    """The files that are wanted of the archives, as ``readers.find`` takes them (``dev.json``, ``val/*.csv``); all, for none."""
    class_name: str = ""
    """The name of the data set, its files and its evals: the class's own unless given."""
    language: ClassVar[str] = "en"
    description: ClassVar[str] = ""
    """What is asked, in a sentence; the first line of the docstring unless given."""
    licence: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    homepage: ClassVar[str] = ""
    splits: ClassVar[Sequence[str]] = ("train", "validation", "test")
    """The splits that have answers; a class that does not name them has those whose files it makes."""
    default_split: ClassVar[str] = "validation"
    subsets: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    """Name of each subset (a subject, a task) -> what is known of it, kept in the rows (``category``, ``title``)."""
    evals: ClassVar[Sequence[str | EvalKind]] = ("match", "fuzzy", "includes", "fact")
    """The ways of scoring: names of ``kinds``, or an ``EvalKind``."""
    kinds: ClassVar[Mapping[str, EvalKind]] = ENGLISH
    instruction: ClassVar[str] = ""
    """The system message of every prompt made with ``chat``."""
    few_shot_split: ClassVar[str] = "train"
    """Where examples are taken from, of the question's own subset where there are subsets."""
    few_shot_drawn: ClassVar[bool] = True
    """Whether examples are drawn with the seed; else they are the split's first (as where a split is made for that)."""
    suggested_samples: ClassVar[int | None] = 100
    """How many rows the package's own eval of the set wants (None: all)."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "class_name" not in cls.__dict__:
            cls.class_name = cls.__name__

    def __init__(
        self,
        config: str | Sequence[Any] | None = None,
        *,
        out: str | Path = "registry",
        folder: str | Path = ".",
        seed: int = DEFAULT_SEED,
        few_shot: int = 0,
        subset: str | Sequence[str] | None = None,
        source: str | Path | None = None,
        accept_changed: bool = False,
        made_as: str | None = None,
    ) -> None:
        self.out = expanded(out, key="out")
        self.folder = expanded(folder, key="folder")
        self.seed = seed
        self.few_shot = few_shot
        self.subset = self.subset_names(subset)
        self.source = None if source is None else str(source)
        self.accept_changed = accept_changed
        self.made_as = made_as
        self.written: list[Path] = []
        self.config = config
        if type(self) is not Generate:
            check_name(self.class_name, "class_name")
        split, self.samples = configured(config, self.default_split)
        self.split = self.split_name(split)
        self._taken = source is None
        self._making: Path | None = None
        self._lock: PendingLock | None = None
        if few_shot < 0:
            raise UsageError(f"must not be negative, got {few_shot}", key="few_shot")
        if config is not None:
            self.generate()

    # -- where things are -----------------------------------------------------------------------------------------

    @property
    def this_download_path(self) -> Path:
        """The folder for the raw files."""
        return self.folder / "downloads" / self.class_name

    @property
    def this_dataset_path(self) -> Path:
        """The folder for the splits, one ``<split>.jsonl`` each; while they are made, one in it that they are moved out of."""
        return self._making or self.folder / "datasets" / self.class_name

    @property
    def data_path(self) -> str:
        """Where the rows are below a registry's data folder."""
        return f"{self.class_name}/{self.class_name}.jsonl"

    def split_name(self, name: str) -> str:
        """The split that a name stands for (``dev`` is ``validation`` where no split is called so); UsageError for none.

        Where the class does not name its ``splits``, the files tell, and ``opened`` which split it is.
        """
        if self.splits is Generate.splits:
            check_name(name, "split")
            return name
        found = name if name in self.splits else SAME_SPLIT.get(name, name)
        if found not in self.splits:
            hint = f"It has: {', '.join(self.splits)}"
            raise UsageError(f"{self.class_name} has no split {name!r}", key="split", hint=hint)
        return found

    def subset_names(self, names: str | Sequence[str] | None) -> tuple[str, ...]:
        """These subsets, or none for all of them; UsageError for one that there is not."""
        wanted = (names,) if isinstance(names, str) else tuple(names or ())
        for name in wanted:
            if name not in self.subsets:
                known = f"It has: {', '.join(self.subsets)}" if self.subsets else "It has none."
                hint = nearest(name, self.subsets) or known
                raise UsageError(f"{self.class_name} has no subset {name!r}", key="subset", hint=hint)
        return wanted

    # -- what a subclass says -------------------------------------------------------------------------------------

    def extract_and_save_datasets(self) -> None:
        """Make the files of all splits from the raw ones: ``save_split`` for each."""
        raise self._lacking("extract_and_save_datasets")

    def format_chat_prompt(self, item: Item) -> list[Message]:
        """The messages that ask about an item."""
        raise self._lacking("format_chat_prompt")

    def format_ideal(self, item: Item) -> str | list[str]:
        """The expected answer, or all that are accepted, the best first."""
        raise self._lacking("format_ideal")

    def format_more(self, item: Item) -> Mapping[str, Any]:
        """Further fields of an item's row, such as ``cluster`` (rows that belong together); those of its subset here."""
        name = self.subset_of(item)
        return {} if name is None else {"metadata": {"subject": name, **self.subsets.get(name, {})}}

    def format_one_json(self, item: Item) -> dict[str, Any]:
        """The row of an item: ``input``, ``ideal`` and further fields."""
        return {"input": self.format_chat_prompt(item), "ideal": self.format_ideal(item), **self.format_more(item)}

    def format_one_yaml(self) -> str | Mapping[str, Any]:
        """The set's evals as they stand in a registry: YAML, or the mapping to write as YAML."""
        return as_yaml(
            self.class_name,
            self.eval_kinds(),
            description=self.told(),
            data=self.data_path,
            made_by=self.made_by(),
            head=[f"{name}: {value}" for name, value in (("Licence", self.licence), ("From", self.homepage)) if value],
        )

    def format_example(self, item: Item, ideal: str) -> str:
        """The reply to an item that is an example: its (best) ideal, unless there is more to show, such as the way to it."""
        return ideal

    def subset_of(self, item: Item) -> str | None:
        """The subset of an item: its field ``subset``."""
        return item.get("subset") if isinstance(item, Mapping) and self.subsets else None

    def _lacking(self, method: str) -> UsageError:
        return UsageError(f"the data set {self.class_name} does not define {method}", key=type(self).__qualname__)

    # -- what a subclass can use ----------------------------------------------------------------------------------

    def fetch(self) -> Path:
        """A folder with the raw files, fetched and unpacked; ``readers.find(folder, name)`` finds a file in it."""
        lock = self._lock or self._new_lock()
        folder = Source(
            self.class_name,
            self.command_with,
            remotes(self.d_url),
            self.this_download_path,
            lock,
            self.source,
            self.accept_changed,
            self.wanted_members,
        ).fetch()
        if self._lock is None:
            lock.settle()
        return folder

    def _new_lock(self) -> PendingLock:
        return PendingLock(self.folder / "datasets" / "datasets.lock")

    def wanted_members(self, folder: Path) -> Sequence[str]:
        """``members``, where they depend on raw files that come in no archive: these are in ``folder`` by then."""
        return (self.members,) if isinstance(self.members, str) else self.members

    def save_split(self, split: str, items: Iterable[Item]) -> Path:
        """Write the items of a split, as they are to be read again; ``subset`` names the subset of each, if there are any."""
        check_name(split, "split")
        return write_whole(self.this_dataset_path / f"{split}.jsonl", self._lines(split, items))

    def _lines(self, split: str, items: Iterable[Item]) -> Iterator[bytes]:
        from aigc_evals.fastjson import encode

        # What goes wrong in reading raw files must not look like a disk that cannot be written to.
        with self._of_raw_files(f"the split {split!r} cannot be made"):
            for item in items:
                yield encode(item) + b"\n"

    def chat(self, question: str) -> list[Message]:
        """A prompt: the ``instruction`` as system message, and a user's message."""
        system = [{"role": "system", "content": self.instruction}] if self.instruction else []
        return [*system, {"role": "user", "content": question}]

    # -- the set as others use it ---------------------------------------------------------------------------------

    def told(self) -> str:
        """What is asked, in a sentence."""
        own = (cls.__doc__ for cls in type(self).__mro__ if cls not in (GenerateZh, Generate, object))
        return self.description or inspect.cleandoc(next(filter(None, own), self.class_name)).splitlines()[0]

    def eval_kinds(self) -> list[EvalKind]:
        """The ways of scoring of this set."""
        return named(self.evals, self.kinds, self.class_name)

    @cached_property
    def _scored_here(self) -> bool:
        """Whether rows are for the package's own ways of scoring, which want an ``input`` and an ``ideal``."""
        own = {kind.cls for kind in self.kinds.values()}
        return type(self).format_one_yaml is Generate.format_one_yaml and any(k.cls in own for k in self.eval_kinds())

    @cached_property
    def _letters(self) -> int:
        """How many letters of its options an answer may have, 0 where it need not be any."""
        return most_letters(self.eval_kinds()) if self._scored_here else 0

    def items(self, split: str | None = None) -> Sequence[Item]:
        """The items of a split, read from disk as they are needed; made first where they are not there yet.

        With ``source`` given all splits are made anew, once, in place of those that are there.
        """
        return self.opened(split)[1]

    def opened(self, split: str | None = None) -> tuple[str, Sequence[Item]]:
        """``items``, and before them the name of the split that they are of."""
        from aigc_evals.data.samples import JsonlSamples

        split = self.split if split is None else self.split_name(split)
        making = self._making is not None  # the set's own code asks for what it has saved
        anew = not self._taken and not making
        # What is not there after a source has been read, the source does not have.
        make = self._extract if anew or (self.source is None and not making) else None
        split = self._splits.had(split, make, source=self.made_from if anew else None, anew=anew)
        self._taken = self._taken or anew
        return split, JsonlSamples.open(self._splits.file(split))

    @property
    def _splits(self) -> Splits:
        return Splits(self.this_dataset_path, self.class_name, named=self.splits is not Generate.splits)

    def _extract(self, folder: Path) -> None:
        """Have the class make the files of its splits in a folder."""
        made_folder(self.this_download_path)
        self._making, self._lock = folder, self._new_lock()
        try:
            with self._of_raw_files("the raw files are not as they should be"):
                self.extract_and_save_datasets()
                # Now it is known that the files are those of the data set, and no page that tells of an error.
                self._lock.settle()
        finally:
            self._making = self._lock = None

    def _of_raw_files(self, told: str) -> contextlib.AbstractContextManager[None]:
        return of_raw_files(f"{self.class_name}: {told}", None if self.source is not None else self.this_download_path)

    @property
    def made_from(self) -> str | None:
        """The ``source`` that the split is of, now or when it was made; None for the publisher's files."""
        return self._splits.source(self.split) if self.source is None else Redactor().text(self.source)

    def rows(
        self,
        split: str | None = None,
        n: int | None = None,
        *,
        seed: int | None = None,
        subset: str | Sequence[str] | None = None,
        few_shot: int | None = None,
    ) -> Iterator[dict[str, Any]]:
        """The rows of a split as an eval reads them: ``n`` of them (see ``sampling.pick``), of some subsets or all.

        What is not given is as the instance was told.
        """
        wanted = self.subset if subset is None else self.subset_names(subset)
        seed = self.seed if seed is None else seed
        split, items = self.opened(split)
        among = [i for i, item in enumerate(items) if self.subset_of(item) in wanted] if wanted else range(len(items))
        if not among:
            told = f" of {', '.join(wanted)}" if wanted else ""
            message = f"the split {split!r} of {self.class_name} has no items{told}"
            raise UsageError(message, path=self._splits.file(split), hint=self._made_anew)
        examples = Examples(self, split, self.few_shot if few_shot is None else few_shot, seed)
        for number in pick(among, n, name=self.class_name, split=split, seed=seed, total=len(items)):
            row = self.row_of(items, number, split)
            if examples.count:
                with self._about(items, number, split):
                    row["input"] = examples.before(row["input"], number, items[number])
            yield row

    def row_of(self, items: Sequence[Item], number: int, split: str) -> dict[str, Any]:
        """The row of one of a split's items; UsageError with its place where ``format_one_json`` makes none of it."""
        try:
            return made_row(self.format_one_json(items[number]), scored=self._scored_here, letters=self._letters)
        except Exception as error:
            with self._about(items, number, split):
                if isinstance(error, KeyError):
                    name_lacked_field(self.format_one_json, items[number])
                raise

    def _about(self, items: Sequence[Item], number: int, split: str) -> contextlib.AbstractContextManager[None]:
        place = getattr(items, "place", None)
        path, line = place(number) if place is not None else (None, None)
        told = f"{self.class_name}: item {number} of the split {split!r} is not as it should be"
        return explained(told, path=path, line=line, hint=self._made_anew)

    @property
    def _made_anew(self) -> str | None:
        if self.source is not None:
            return None  # which has all splits made anew
        return f"The splits are kept in {self.this_dataset_path}: delete it when what they are made of changes."

    def generate(self) -> list[Path]:
        """Write the rows and the evals into the registry ``out``; the paths of both."""
        from aigc_evals.fastjson import encode

        self.eval_kinds()
        self.split, _ = self.opened()  # nothing is written for a set that cannot be had
        with explained(f"{self.class_name}: its evals cannot be written"):
            text = own_yaml(self.format_one_yaml(), self.class_name)
        data = self.out / "data" / self.data_path
        spec = self.out / "evals" / f"{self.class_name}.yaml"
        write_whole(data, (encode(row) + b"\n" for row in self.rows(self.split, self.samples)))
        write_whole(spec, [text.encode()])
        self.written = [data, spec]
        return self.written

    def made_by(self) -> str | None:
        """The command that makes this eval, or None for a class that the command line could not find again."""
        return command.command_of(self)

    def command_with(self, source: str) -> str:
        """The command that makes this eval of raw files that are told in words, such as ``FILE``."""
        return command.command_with(self, source)


class GenerateZh(Generate):
    """A data set in Chinese: as ``Generate``, with the Chinese ways of scoring (``fact_zh``, ``cot_classify_zh``)."""

    language = "zh"
    kinds = CHINESE
