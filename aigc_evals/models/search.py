"""Where classes derived from ``NamedModel`` are found, by their names.

Those that are given (``--models``, ``AIGC_EVALS_MODELS``, class objects) are loaded at once and go before the registry's
entries. Files in ``~/.aigc_evals/models`` and modules that plugins name come after them: of the files only the source is
looked at, until a class in there is asked for, so that what nobody needs costs no time and may be broken.
"""

from __future__ import annotations

import ast
import inspect
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

from aigc_evals import plugins
from aigc_evals.errors import UsageError
from aigc_evals.files import expanded, home, is_file, is_folder, listed
from aigc_evals.models.named import NamedModel, is_named_model
from aigc_evals.objects import load_file, load_module

VARIABLE = "AIGC_EVALS_MODELS"
_KEY = "models"
_ATTRIBUTE = "MODEL_NAME"

ModelSource = str | Path | ModuleType | type[NamedModel]
"""What may be given: the path of a Python file, the name of a module, a module, or a class itself."""


@dataclass(frozen=True)
class ModelClass:
    """A class by its name: where it is defined, who told of it, the first line of its documentation."""

    name: str
    class_name: str
    path: Path | None
    line: int | None
    told_by: str
    about: str = ""
    loaded: type[NamedModel] | None = field(default=None, compare=False)

    @property
    def place(self) -> str:
        """``file:line``, or the class alone where it is in no file."""
        return f"{self.path}:{self.line}" if self.path is not None else self.class_name

    @property
    def identity(self) -> Any:
        """The same for one class that was met in two ways."""
        return (self.path.resolve(), self.class_name) if self.path is not None else id(self.loaded)

    def load(self) -> type[NamedModel]:
        """The class itself; UsageError where its file cannot be loaded."""
        if self.loaded is not None:
            return self.loaded
        classes = classes_of(load_file(self.path), self.told_by) if self.path is not None else []
        found = next((one for one in classes if one.name == self.name), None)
        if found is None or found.loaded is None:
            raise UsageError(f"{self.class_name} is no class derived from NamedModel", path=self.path, line=self.line)
        return found.loaded


class NamedModels:
    """All classes that can be asked for by name. ``environ`` and ``folder`` are the process's own and the user's by default."""

    def __init__(self, environ: Mapping[str, str] | None = None, folder: Path | None = None) -> None:
        self._environ = os.environ if environ is None else environ
        self._folder = folder
        self._added: list[ModelClass] = []
        self.problems: dict[str, UsageError] = {}
        """What could not be loaded when names were looked for, by its place."""

    def copy(self, environ: Mapping[str, str] | None = None) -> NamedModels:
        """The same, to which more can be added without this one being changed."""
        other = NamedModels(self._environ if environ is None else environ, self._folder)
        other._added = list(self._added)
        return other

    def add(self, models: Iterable[ModelSource]) -> None:
        """Add classes, files or modules, which are loaded now; UsageError where that fails or two classes have one name."""
        added = [one for model in models for one in _given(model, "--models")]
        self._added += added
        if added:
            _check_unique(self._given)

    # -- what is given ------------------------------------------------------------------------------------------

    @property
    def _given(self) -> list[ModelClass]:
        return [*self._added, *self._of_environment]

    @cached_property
    def _of_environment(self) -> list[ModelClass]:
        try:
            return [one for name in split_models(self._environ.get(VARIABLE, "")) for one in _given(name, VARIABLE)]
        except UsageError as error:
            error.key = VARIABLE if error.key in (None, _KEY) else error.key
            raise

    def given(self, name: str) -> ModelClass | None:
        """The class of that name among those that are given; UsageError where there is another one of that name."""
        found = [one for one in self._given if one.name == name]
        if not found:
            return None
        _check_unique([*found, *self._home.named(name)])
        return found[0]

    # -- what is found ------------------------------------------------------------------------------------------

    @cached_property
    def _home(self) -> _Folder:
        at_home = home()
        return _Folder(self._folder or (None if at_home is None else at_home / ".aigc_evals" / "models"))

    def at_home(self, name: str) -> ModelClass | None:
        """What the user's folder has under that name, as far as its source tells; nothing is loaded."""
        return next(iter(self._home.named(name)), None)

    def found(self, name: str) -> ModelClass | None:
        """The class of that name in the user's folder, or in a module that a plugin names.

        UsageError where there are two, or where a broken file seems to hold it.
        """
        found = self._home.named(name) or self._home.computed(name)
        found = found or [one for one in self._of_plugins() if one.name == name]
        self.problems |= self._home.problems
        _check_unique(found)
        return found[0] if found else None

    def _of_plugins(self) -> Iterator[ModelClass]:
        for name, load in plugins.model_modules().items():
            told_by = f"plugin {name}"
            try:
                module: Any = load()
                found = classes_of(module, told_by)
                if not found:
                    raise UsageError(f"{told_by}: the module {module.__name__} has no class derived from NamedModel")
                yield from found
            except UsageError as error:
                self.problems[told_by] = error

    def every(self) -> list[ModelClass]:
        """All classes, each once, the given ones first; what cannot be read is in ``problems``."""
        found = [*self._given, *self._home.every(), *self._of_plugins()]
        self.problems |= self._home.problems
        unique = {one.identity: one for one in reversed(found)}
        return list(reversed(unique.values()))

    def names(self) -> list[str]:
        """All names, those of plugins' completion functions included."""
        return [*dict.fromkeys([*(one.name for one in self.every()), *plugins.completion_fn_names()])]


class _Folder:
    """The Python files of a folder. What their source says of their classes is believed; a name that is computed has to be
    executed to be known.
    """

    def __init__(self, folder: Path | None) -> None:
        self.problems: dict[str, UsageError] = {}
        self._told: list[ModelClass] = []
        self._unclear: dict[Path, str] = {}
        for path in [] if folder is None else self._in(folder):
            if path.suffix == ".py" and path.name[0] not in "._":
                self._read(path)

    def _in(self, folder: Path) -> list[Path]:
        try:
            return listed(folder)
        except UsageError as error:
            # A home that may not be searched is not known to have any.
            if os.path.lexists(folder):
                self.problems[str(folder)] = error
            return []

    def _read(self, path: Path) -> None:
        try:
            # As Python reads it, with the encoding that the file declares.
            source = path.read_bytes()
            if _ATTRIBUTE.encode() in source:
                self._look_at(path, ast.parse(source, str(path)), source)
        except SyntaxError as error:
            told = UsageError(f"cannot be loaded: {type(error).__name__}: {error.msg}", path=path, line=error.lineno)
            self.problems[str(path)] = told
            self._unclear[path] = source.decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            self.problems[str(path)] = UsageError(f"cannot be read: {error}", path=path)

    def _look_at(self, path: Path, tree: ast.Module, source: bytes) -> None:
        for node in _classes(tree.body):
            values = [value for value in map(_named, node.body) if value is not None]
            if not values:
                continue
            if isinstance(values[-1], ast.Constant) and isinstance(values[-1].value, str):
                about = (ast.get_docstring(node) or "").partition("\n")[0]
                self._told.append(ModelClass(values[-1].value, node.name, path, node.lineno, _home_name(path), about))
            else:
                self._unclear[path] = source.decode("utf-8", "replace")

    def named(self, name: str) -> list[ModelClass]:
        """The classes that say in so many words that they have this name."""
        return [one for one in self._told if one.name == name]

    def computed(self, name: str) -> list[ModelClass]:
        """The classes whose names are known only when their file is executed; UsageError where such a file that speaks of
        this name is broken.
        """
        found: list[ModelClass] = []
        for path, source in self._unclear.items():
            if str(path) not in self.problems:
                found += self._loaded(path)
            if str(path) in self.problems and (f'"{name}"' in source or f"'{name}'" in source):
                raise self.problems[str(path)]
        return [one for one in found if one.name == name]

    def _loaded(self, path: Path) -> list[ModelClass]:
        try:
            return classes_of(load_file(path), _home_name(path))
        except UsageError as error:
            self.problems[str(path)] = error
            return []

    def every(self) -> list[ModelClass]:
        more = [one for path in self._unclear if str(path) not in self.problems for one in self._loaded(path)]
        return [*self._told, *more]


def _home_name(path: Path) -> str:
    return f"~/.aigc_evals/models/{path.name}"


def _classes(body: Sequence[ast.stmt]) -> Iterator[ast.ClassDef]:
    """The classes of a module, also those below ``if`` and ``try``."""
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield node
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "orelse", "finalbody"):
                yield from _classes(getattr(node, part, []))
            for handler in getattr(node, "handlers", []):
                yield from _classes(handler.body)


def _named(node: ast.stmt) -> ast.expr | None:
    """What a statement assigns to MODEL_NAME."""
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    if any(isinstance(target, ast.Name) and target.id == _ATTRIBUTE for target in targets):
        return getattr(node, "value", None)
    return None


def _given(model: Any, told_by: str) -> list[ModelClass]:
    """The classes of a file, a module or a class that somebody names; UsageError where there are none."""
    if is_named_model(model):
        return [_model_class(model, told_by)]
    if isinstance(model, ModuleType):
        module = model
    elif not isinstance(model, (str, Path)):
        raise UsageError(
            f"expected a Python file, a module or a class derived from NamedModel, got {model!r}", key=_KEY
        )
    else:
        path = expanded(model, key=_KEY)
        if path.suffix == ".py" or is_file(path, key=_KEY):
            module = load_file(path)
        elif all(part.isidentifier() for part in str(model).split(".")):
            module = load_module(str(model))
        else:
            hint = "Name the Python files in it." if is_folder(path, key=_KEY) else None
            raise UsageError("expected a Python file (.py) or the name of a module", path=model, key=_KEY, hint=hint)
    found = classes_of(module, told_by)
    if not found:
        strangers = [name for name, one in vars(module).items() if isinstance(one, type) and hasattr(one, _ATTRIBUTE)]
        hint = "from aigc_evals import NamedModel; class MyModel(NamedModel): MODEL_NAME = ..."
        if strangers:
            hint = f"{strangers[0]} has a {_ATTRIBUTE}, but does not derive from aigc_evals.NamedModel."
        place = getattr(module, "__file__", None) or module.__name__
        raise UsageError(f"defines no class derived from NamedModel with a {_ATTRIBUTE}", path=place, hint=hint)
    return found


def classes_of(module: ModuleType, told_by: str) -> list[ModelClass]:
    """The classes of a module that have a name of their own, in the order in which they stand there."""
    classes = dict.fromkeys(one for one in vars(module).values() if is_named_model(one) and _ATTRIBUTE in vars(one))
    return [_model_class(cls, told_by) for cls in classes]


def _model_class(cls: type[NamedModel], told_by: str) -> ModelClass:
    path, line = _source(cls)
    name = getattr(cls, _ATTRIBUTE, None)
    if not isinstance(name, str) or not name.strip() or name != name.strip() or "," in name:
        raise UsageError(
            f"{cls.__qualname__}.{_ATTRIBUTE} must be a text without commas, and without spaces around it, got {name!r}",
            path=path,
            line=line,
        )
    about = (cls.__doc__ or "").strip().partition("\n")[0]
    return ModelClass(name, cls.__qualname__, path, line, told_by, about, cls)


def _source(cls: type) -> tuple[Path | None, int | None]:
    try:
        file = inspect.getsourcefile(cls)
        return (Path(file), inspect.getsourcelines(cls)[1]) if file is not None else (None, None)
    except (OSError, TypeError):
        return None, None


def _check_unique(found: Sequence[ModelClass]) -> None:
    """UsageError where two different classes have one name."""
    first: dict[str, ModelClass] = {}
    for one in found:
        other = first.setdefault(one.name, one)
        if other.identity != one.identity:
            raise UsageError(
                f"two classes are named {one.name!r}: {other.place} and {one.place}",
                key=_KEY,
                hint=f"Give one of them another {_ATTRIBUTE}, or leave one of the files out.",
            )


def split_models(text: str, separator: str = os.pathsep) -> list[str]:
    """The parts of ``AIGC_EVALS_MODELS``: separated by commas, or as the parts of PATH are.

    Where that is a semicolon (Windows), a colon belongs to the drive of a path.
    """
    return [part.strip() for part in text.replace(separator, ",").split(",") if part.strip()]
