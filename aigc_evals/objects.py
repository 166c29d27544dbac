"""Objects by name: what ``module:Name`` and ``file.py:name`` stand for, and making them with the right arguments."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from aigc_evals.errors import AigcEvalsError, UsageError, nearest
from aigc_evals.files import is_file

_UPSTREAM = "evals"
_HERE = "aigc_evals"
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def accepts(cls: Any, name: str) -> bool:
    try:
        parameters = inspect.signature(cls).parameters
    except (TypeError, ValueError):
        return True
    return name in parameters or any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())


def check_arguments(cls: Any, args: Mapping[str, Any], whose: str) -> None:
    """UsageError where a constructor would refuse ``args``: an unknown name, or one that is missing.

    Constructors of this package hand on all that they do not know, so theirs are taken together.
    """
    if not callable(cls):
        raise UsageError(f"{whose}: its class is a {type(cls).__name__}, which cannot be called", key="class")
    try:
        signature = _whole_signature(cls) if isinstance(cls, type) and is_ours(cls) else inspect.signature(cls)
    except (TypeError, ValueError):
        return
    try:
        signature.bind(**args)
    except TypeError as error:
        takes_all = any(one.kind is one.VAR_KEYWORD for one in signature.parameters.values())
        known = [name for name, one in signature.parameters.items() if one.kind in _NAMED]
        # What is misspelt is also missing under its right name, which says less.
        strange = next((name for name in args if not takes_all and name not in signature.parameters), None)
        told = error if strange is None else f"got an unexpected keyword argument {strange!r}"
        hint = "" if strange is None else nearest(strange, known)
        raise UsageError(f"{whose}: {told}", hint=hint or f"It takes: {', '.join(known)}") from None


def _whole_signature(cls: type) -> inspect.Signature:
    """What all constructors of a class take together, by name."""
    parameters, takes_all = constructor_parameters(cls)
    together = [parameter.replace(kind=parameter.KEYWORD_ONLY) for parameter in parameters.values()]
    others = [inspect.Parameter("kwargs", inspect.Parameter.VAR_KEYWORD)] if takes_all else []
    return inspect.Signature([*together, *others])


def constructor_parameters(cls: type) -> tuple[dict[str, inspect.Parameter], bool]:
    """The named parameters of a class's constructor, and whether it takes others too.

    As long as a constructor takes ``**kwargs``, those of the class it derives from count as well.
    """
    found: dict[str, inspect.Parameter] = {}
    takes_all = False
    for base in inspect.getmro(cls)[:-1]:
        constructor = base.__dict__.get("__init__")
        if constructor is None:
            continue
        parameters = list(inspect.signature(constructor).parameters.values())[1:]
        for parameter in parameters:
            if parameter.kind in _NAMED:
                found.setdefault(parameter.name, parameter)
        takes_all = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)
        if not takes_all:
            return found, False
    return found, takes_all or any("__new__" in vars(base) for base in inspect.getmro(cls)[:-1])


def is_ours(cls: Any) -> bool:
    """Whether a class is one of this package, whose constructors hand on all that they do not know."""
    return str(getattr(cls, "__module__", "")).split(".")[0] == _HERE


def adapted(fn: Callable[..., Any]) -> Callable[..., Any]:
    """``fn`` so that it can be called as ``fn(prompt=..., **kwargs)``, though it may take fewer or other arguments."""
    try:
        parameters = inspect.signature(fn).parameters
    except (TypeError, ValueError):
        return fn
    named = "prompt" in parameters
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values()):
        return fn if named else lambda prompt, **kwargs: fn(prompt, **kwargs)
    known = frozenset(parameters) - {"prompt"}

    def call(prompt: Any, **kwargs: Any) -> Any:
        taken = {key: value for key, value in kwargs.items() if key in known}
        return fn(prompt=prompt, **taken) if named else fn(prompt, **taken)

    return call


def construct(cls: Callable[..., Any], args: Mapping[str, Any], whose: str) -> Any:
    """``cls(**args)``; a UsageError that names the place where the constructor fails."""
    try:
        return cls(**args)
    except AigcEvalsError:
        raise
    except Exception as error:
        _refuse_strange(cls, error, whose)
        raise UsageError(
            f"{whose} cannot be made from its arguments: {type(error).__name__}: {error}", hint=raised_at(error)
        ) from error


def _refuse_strange(cls: Callable[..., Any], error: Exception, whose: str) -> None:
    """UsageError with the nearest names where a constructor handed an argument on to a base class that has none such."""
    strange = re.search(r"__init__\(\) got an unexpected keyword argument '(\w+)'", str(error))
    made = cls.func if isinstance(cls, partial) else cls
    given = cls.keywords if isinstance(cls, partial) else {}
    if strange is None or strange[1] not in given or not isinstance(error, TypeError) or not inspect.isclass(made):
        return
    inits = [vars(base)["__init__"] for base in made.__mro__[:-1] if "__init__" in vars(base)]
    known = {name for init in inits for name in inspect.signature(init).parameters}
    hint = nearest(strange[1], sorted(known - {"self", "args", "kwargs"}))
    raise UsageError(f"{whose}: got an unexpected keyword argument {strange[1]!r}", hint=hint or None) from error


def raised_at(error: BaseException) -> str | None:
    """Where an error was raised: its last file and line."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"({frames[-1].filename}:{frames[-1].lineno})" if frames else None


def load_object(path: str, place: tuple[Path | None, int | None] = (None, None)) -> Any:
    """What ``module:Qual.Name`` names; modules of openai/evals that exist here are ours. UsageError where there is none."""
    module_name, colon, qualified = path.partition(":")
    if not colon or not qualified:
        raise UsageError(f"expected module:Name, got {path!r}", path=place[0], line=place[1], key="class")
    found: Any = None
    for candidate in _module_names(module_name):
        with contextlib.suppress(_Absent):
            found = _import(candidate)
            break
    if found is None:
        hint = _how_to_reach(module_name, qualified)
        raise UsageError(f"no module {module_name!r}", path=place[0], line=place[1], key="class", hint=hint)
    for part in qualified.split("."):
        if not hasattr(found, part):
            names = [name for name in dir(found) if not name.startswith("_")]
            raise UsageError(
                f"{module_name} has no {qualified!r}",
                path=place[0],
                line=place[1],
                key="class",
                hint=nearest(part, names) or None,
            )
        found = getattr(found, part)
    return found


def _how_to_reach(module: str, name: str) -> str:
    """What to do about a module of a class path that is not there."""
    if module == _UPSTREAM or module.startswith(_UPSTREAM + "."):
        return "It belongs to the package evals, which is not installed."
    if module.endswith(".py"):
        folder, _, file = module.removesuffix(".py").replace("\\", "/").rpartition("/")
        where = f"the folder {folder}" if folder else "its folder"
        return f"A class is named by its module, not by a file: write {file}:{name}, and put {where} on PYTHONPATH."
    return "Is its package installed, or its folder on PYTHONPATH?"


make_object = load_object


def _module_names(name: str) -> Iterator[str]:
    if name == _UPSTREAM or name.startswith(_UPSTREAM + "."):
        yield _HERE + name[len(_UPSTREAM) :]
    yield name


class _Absent(Exception):
    """There is no such module (as opposed to one that fails to import something else)."""


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and (name == error.name or name.startswith(error.name + ".")):
            raise _Absent(name) from None
        raise UsageError(
            f"{name} needs the module {error.name!r}, which is not installed", hint=_extra_for(error.name)
        ) from None
    except AigcEvalsError:
        raise
    except Exception as error:
        raise UsageError(
            f"the module {name} cannot be loaded: {type(error).__name__}: {error}", hint=raised_at(error)
        ) from error


def _extra_for(module: str | None) -> str:
    extras = {"sacrebleu": "translate", "datasets": "datasets", "lz4": "compression", "zstandard": "compression"}
    if module in extras:
        return f'Install it: pip install "aigc_evals[{extras[module]}]"'
    return f"Install it: pip install {module}"


def python_object(name: str) -> Any:
    """The object that ``file.py:attr`` or ``module:attr`` names, or None where the name is of another form.

    A name like ``llama3:latest`` is a model, not a module: only what can be imported counts.
    """
    source, colon, attribute = name.rpartition(":")
    if not colon or not all(part.isidentifier() for part in attribute.split(".")):
        return None
    if source.endswith(".py"):
        return _from_file(Path(source), attribute)
    if not all(part.isidentifier() for part in source.split(".")):
        return None
    try:
        if importlib.util.find_spec(source) is None:
            return None
    except (ImportError, ValueError):
        return None
    except Exception as error:
        raise UsageError(
            f"{source} cannot be loaded: {type(error).__name__}: {error}", hint=raised_at(error)
        ) from error
    return load_object(name)


def _from_file(path: Path, attribute: str) -> Any:
    module = load_file(path)
    found: Any = module
    for part in attribute.split("."):
        if not hasattr(found, part):
            raise UsageError(f"the file defines no {attribute!r}", path=path, hint=nearest(part, vars(module)) or None)
        found = getattr(found, part)
    return found


def load_file(path: Path) -> ModuleType:
    """The module that a Python file holds; it is executed once in a process. UsageError with the line that fails."""
    if not is_file(path):
        raise UsageError("no such Python file", path=path)
    # Dataclasses and pickles look their module up by its name; one that no import can ask for hides no other module.
    name = f"{path.stem} ({path.resolve()})"
    module = sys.modules.get(name)
    if module is None:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            raise UsageError("cannot be loaded as Python", path=path)
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except (Exception, SystemExit) as error:
            del sys.modules[name]
            line, raised = _line_in(path, error), raised_at(error)
            raise UsageError(
                f"cannot be loaded: {type(error).__name__}: {error}",
                path=path,
                line=line,
                hint=None
                if raised == f"({os.path.abspath(path)}:{line})" or isinstance(error, SyntaxError)
                else raised,
            ) from error
    return module


def _line_in(path: Path, error: BaseException) -> int | None:
    """The last line of a file that an error went through, or that it found malformed."""
    places = (str(path), os.path.abspath(path))
    if isinstance(error, SyntaxError) and error.filename in places:
        return error.lineno
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename in places]
    return lines[-1] if lines else None


def load_module(name: str) -> ModuleType:
    """The module of that name; UsageError where there is none or it cannot be loaded."""
    try:
        return _import(name)  # type: ignore[no-any-return]
    except _Absent:
        raise UsageError(f"no module {name!r}", hint="Is its package installed, or its folder on PYTHONPATH?") from None
