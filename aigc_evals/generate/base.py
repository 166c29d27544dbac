"""``Generate``: what a public data set is, and how its rows become an eval of a registry.

A data set's adapter is a subclass that describes it: where its raw files are, how they are read, what is asked and what is
expected. Nothing here samples or scores; what is written is run like any other eval.
"""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from aigc_evals.errors import AigcEvalsError, UsageError, nearest
from aigc_evals.generate.examples import Examples, as_ideal
from aigc_evals.generate.files import DatasetsLock, held, replaced, write_whole
from aigc_evals.generate.kinds import CHINESE, ENGLISH, EvalKind, as_yaml
from aigc_evals.generate.sampling import DEFAULT_SEED, pick
from aigc_evals.generate.source import Described, Source, remotes
from aigc_evals.objects import raised_at
from aigc_evals.redact import Redactor

Message = dict[str, Any]
Item = Any
"""One example of a data set as its split's JSONL has it: usually a mapping."""

_SOURCE = ".source"
"""Beside the splits: what was named as their source, if anything was."""

_SAME_SPLIT = {"val": "validation", "valid": "validation", "dev": "validation", "training": "train", "testing": "test"}


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
    class_name: str = ""
    """The name of the data set, its files and its evals: the class's own unless given."""
    language: ClassVar[str] = "en"
    description: ClassVar[str] = ""
    """What is asked, in a sentence; the first line of the docstring unless given."""
    licence: ClassVar[str] = ""
    citation: ClassVar[str] = ""
    homepage: ClassVar[str] = ""
    splits: ClassVar[Sequence[str]] = ("train", "validation", "test")
    """The splits that have answers."""
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
        self.out = Path(out).expanduser()
        self.folder = Path(folder).expanduser()
        self.seed = seed
        self.few_shot = few_shot
        self.subset = self.subset_names(subset)
        self.source = None if source is None else str(source)
        self.accept_changed = accept_changed
        self.made_as = made_as
        self.written: list[Path] = []
        self.config = config
        self.split, self.samples = self._configured(config)
        self._taken = False
        if few_shot < 0:
            raise UsageError(f"must not be negative, got {few_shot}", key="few_shot")
        if config is not None:
            self.generate()

    def _configured(self, config: str | Sequence[Any] | None) -> tuple[str, int | None]:
        split, *rest = [config] if isinstance(config, str) else list(config or [self.default_split])
        n = rest[0] if rest else None
        if len(rest) > 1 or not isinstance(split, str) or not (n is None or (type(n) is int and n > 0)):
            hint = 'For instance ["validation", 100].'
            raise UsageError(f"expected a split and how many samples, got {config!r}", key="config", hint=hint)
        return self.split_name(split), n

    # -- where things are -----------------------------------------------------------------------------------------

    @property
    def this_download_path(self) -> Path:
        """The folder for the raw files."""
        return self.folder / "downloads" / self.class_name

    @property
    def this_dataset_path(self) -> Path:
        """The folder for the splits, one ``<split>.jsonl`` each."""
        return self.folder / "datasets" / self.class_name

    @property
    def data_path(self) -> str:
        """Where the rows are below a registry's data folder."""
        return f"{self.class_name}/{self.class_name}.jsonl"

    def split_name(self, name: str) -> str:
        """The split that a name stands for (``dev`` is ``validation`` where no split is called so); UsageError for none."""
        found = name if name in self.splits else _SAME_SPLIT.get(name, name)
        if found not in self.splits:
            raise UsageError(
                f"{self.class_name} has no split {name!r}", key="split", hint=f"It has: {', '.join(self.splits)}"
            )
        return found

    def subset_names(self, names: str | Sequence[str] | None) -> tuple[str, ...]:
        """These subsets, or none for all of them; UsageError for one that there is not."""
        wanted = (names,) if isinstance(names, str) else tuple(names or ())
        for name in wanted:
            if name not in self.subsets:
                known = f"It has: {', '.join(self.subsets)}" if self.subsets else "It has none."
                raise UsageError(
                    f"{self.class_name} has no subset {name!r}", key="subset", hint=nearest(name, self.subsets) or known
                )
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

    @contextlib.contextmanager
    def _explained(self, told: str) -> Iterator[None]:
        """An error of a subclass's own code, as one that says which data set it is about."""
        try:
            yield
        except AigcEvalsError:
            raise
        except Exception as error:
            message = f"{self.class_name}: {told}: {type(error).__name__}: {error}"
            raise UsageError(message, hint=raised_at(error)) from error

    def _lacking(self, method: str) -> UsageError:
        return UsageError(f"the data set {self.class_name} does not define {method}", key=type(self).__qualname__)

    # -- what a subclass can use ----------------------------------------------------------------------------------

    def fetch(self) -> Path:
        """A folder with the raw files, fetched and unpacked; ``readers.find(folder, name)`` finds a file in it."""
        lock = DatasetsLock(self.folder / "datasets" / "datasets.lock")
        return Source(
            self.made_as or self.class_name,
            remotes(self.d_url),
            self.this_download_path,
            lock,
            self.source,
            self.accept_changed,
        ).fetch()

    def save_split(self, split: str, items: Iterable[Item]) -> Path:
        """Write the items of a split, as they are to be read again; ``subset`` names the subset of each, if there are any."""
        from aigc_evals.fastjson import encode

        path = self.this_dataset_path / f"{split}.jsonl"
        return write_whole(path, (encode(item).decode() + "\n" for item in items))

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
        found = [self.kinds.get(kind, kind) if isinstance(kind, str) else kind for kind in self.evals]
        for kind in found:
            if isinstance(kind, str):
                hint = f"Known are: {', '.join(self.kinds)}; or give an EvalKind."
                raise UsageError(f"{self.class_name} names a way of scoring {kind!r}", key="evals", hint=hint)
        return [kind for kind in found if isinstance(kind, EvalKind)]

    def items(self, split: str | None = None) -> Sequence[Item]:
        """The items of a split, read from disk as they are needed; made first where they are not there yet.

        With ``source`` given all splits are made anew, once, in place of those that are there.
        """
        from aigc_evals.data.samples import JsonlSamples

        split = self.split if split is None else self.split_name(split)
        path = self.this_dataset_path / f"{split}.jsonl"
        again = self.source is not None and not self._taken
        if again or not path.is_file():
            with held(self.folder / "datasets" / f".{self.class_name}.lock"):
                if again or not path.is_file():
                    with replaced(self.this_dataset_path) if again else contextlib.nullcontext():
                        self._make_splits()
                        if not path.is_file():
                            raise self._no_split(split)
                    self._taken = True
        if not path.is_file():
            raise self._no_split(split)
        return JsonlSamples.open(path)

    def _make_splits(self) -> None:
        self.this_download_path.mkdir(parents=True, exist_ok=True)
        self.this_dataset_path.mkdir(parents=True, exist_ok=True)
        with self._explained("the raw files are not as they should be"):
            self.extract_and_save_datasets()
        if self.source is not None:
            write_whole(self.this_dataset_path / _SOURCE, [Redactor().text(self.source)])

    def _no_split(self, split: str) -> UsageError:
        path = self.this_dataset_path / f"{split}.jsonl"
        return UsageError(f"{self.class_name} has no split {split!r} after its raw files were read", path=path)

    @property
    def made_from(self) -> str | None:
        """The ``source`` that the splits are of, now or when they were made; None for the publisher's files."""
        if self.source is not None:
            return Redactor().text(self.source)
        try:
            return (self.this_dataset_path / _SOURCE).read_text(encoding="utf-8")
        except OSError:
            return None

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
        split = self.split if split is None else self.split_name(split)
        wanted = self.subset if subset is None else self.subset_names(subset)
        seed = self.seed if seed is None else seed
        items = self.items(split)
        among = [i for i, item in enumerate(items) if self.subset_of(item) in wanted] if wanted else range(len(items))
        if not among:
            told = f" of {', '.join(wanted)}" if wanted else ""
            raise UsageError(f"the split {split!r} of {self.class_name} has no items{told}", key="split")
        examples = Examples(self, split, self.few_shot if few_shot is None else few_shot, seed)
        for number in pick(among, n, name=self.class_name, split=split, seed=seed, total=len(items)):
            with self._explained(f"item {number} of the split {split!r} is not as it should be"):
                row = dict(self.format_one_json(items[number]))
            if examples.count:
                row["input"] = examples.before(row["input"], number, items[number])
            row["ideal"] = as_ideal(row.get("ideal"))
            yield row

    def generate(self) -> list[Path]:
        """Write the rows and the evals into the registry ``out``; the paths of both."""
        from aigc_evals.fastjson import encode

        self.items(self.split)  # nothing is written for a set that cannot be had
        text = self.format_one_yaml()
        if not isinstance(text, str):
            import yaml

            text = yaml.safe_dump(dict(text), allow_unicode=True, sort_keys=False, width=120)
        data = self.out / "data" / self.data_path
        spec = self.out / "evals" / f"{self.class_name}.yaml"
        write_whole(data, (encode(row).decode() + "\n" for row in self.rows(self.split, self.samples)))
        write_whole(spec, [text])
        self.written = [data, spec]
        return self.written

    def made_by(self) -> str | None:
        """The command that makes this eval, or None for a class that the command line could not find again."""
        from aigc_evals.generate.command import command_of

        return command_of(self)


class GenerateZh(Generate):
    """A data set in Chinese: as ``Generate``, with the Chinese ways of scoring (``fact_zh``, ``cot_classify_zh``)."""

    language = "zh"
    kinds = CHINESE
