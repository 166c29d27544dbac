"""The registry: names -> specs -> objects.

A registry is a folder with ``evals``, ``eval_sets``, ``completion_fns``, ``solvers``, ``modelgraded`` (each a folder of
YAML files or one YAML file) and ``data``. Each kind is read when it is first needed, and each spec is built from its YAML
only when it is asked for. This module imports no eval and no completion function; it imports what a spec names, when asked.
"""

from __future__ import annotations

import inspect
import logging
import os
import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals import plugins
from aigc_evals.api import DummyCompletionFn
from aigc_evals.base import BaseEvalSpec, CompletionFnSpec, EvalSetSpec, EvalSpec
from aigc_evals.errors import UsageError, nearest
from aigc_evals.files import home, is_folder, listed
from aigc_evals.models.known import is_chat_model as is_chat_model
from aigc_evals.models.known import is_text_model, n_ctx_from_model_name
from aigc_evals.models.named import NamedModelFn, as_completion_fn, is_named_model, model_name
from aigc_evals.models.search import ModelClass, NamedModels
from aigc_evals.objects import accepts, check_arguments, construct, load_object, python_object
from aigc_evals.objects import make_object as make_object
from aigc_evals.specs import find, known_fields, unknown
from aigc_evals.yaml_files import Entries, load_kind

if TYPE_CHECKING:
    from aigc_evals.elsuite.modelgraded.base import ModelGradedSpec

logger = logging.getLogger(__name__)

BUILT_IN = Path(__file__).resolve().parent / "registry"
"""The registry that comes with the package."""

_TEXT = "completion/"
_FAMILY = "/*"


def in_family(name: str, entry: str) -> bool:
    """Whether ``name`` falls under the entry, which then is of the form ``<beginning>/*``."""
    return entry.endswith(_FAMILY) and len(name) >= len(entry) and name.startswith(entry[:-1])


def default_paths() -> list[Path]:
    """Where registries are looked for without being named: the package's own, the user's, those of plugins.

    What of the user's may not be read is left out; a warning says so where it is known to be there.
    """
    at_home = home()
    own = [] if at_home is None else [at_home / ".evals", at_home / ".aigc_evals"]
    return [BUILT_IN, *filter(_is_open, own), *plugins.registries()]


def _is_open(folder: Path) -> bool:
    try:
        there = is_folder(folder)
    except UsageError as error:
        # Whose home may not be searched, as that of another user, has nothing there that he could miss.
        logger.info("passed over: %s", error)
        return False
    try:
        listed(folder)
        # It may be listed and yet not be searched.
        return not there or is_folder(os.path.join(folder, "."))
    except UsageError as error:
        logger.warning("passed over: %s", error)
        return False


class Registry:
    """All names of all registries on the search path; later registries override earlier ones.

    ``wrap`` is put around every completion function made (a run passes its sampling wrapper). ``models`` are the classes
    derived from NamedModel that can be asked for by name.
    """

    def __init__(
        self, registry_paths: Sequence[str | Path] | None = None, *, wrap: Callable[[Any], Any] | None = None
    ) -> None:
        paths = default_paths() if registry_paths is None else registry_paths
        self._registry_paths = [Path(path) for path in paths]
        self._named = set() if registry_paths is None else set(self._registry_paths)
        self._wrap = wrap
        self._loaded: dict[str, Entries] = {}
        self.models = NamedModels()
        self._named_fns: dict[tuple[type, str], NamedModelFn] = {}
        self._own_fns: dict[tuple[type, str], NamedModelFn] = {}

    def add_registry_paths(self, paths: Sequence[str | Path]) -> None:
        """Search these registries after the others; UsageError for one that does not exist."""
        for path in map(Path, paths):
            if not is_folder(path, key="registry_path"):
                raise UsageError("no such registry folder", path=path, key="registry_path")
            self._registry_paths.append(path)
            self._named.add(path)
            self._loaded = {}

    def wrapping(self, wrap: Callable[[Any], Any]) -> Registry:
        """The same registry, with ``wrap`` put around every completion function it makes."""
        other = Registry(self._registry_paths, wrap=wrap)
        other._named = set(self._named)
        other.models = self.models.copy()
        # A model that is loaded for one run of a set serves the next one too.
        other._named_fns = self._named_fns
        # What one of them reads all have, until it searches further registries.
        other._loaded = self._loaded
        return other

    # -- the raw entries ----------------------------------------------------------------------------------------

    def _entries(self, folder: str, *, lenient: bool = False) -> Entries:
        """All entries of a kind; its files are read when one is first asked for."""
        found = self._loaded.get(folder)
        if found is None:
            found = self._loaded[folder] = load_kind(self._registry_paths, folder, lenient=lenient, named=self._named)
        return found

    @property
    def _evals(self) -> Entries:
        return self._entries("evals")

    @property
    def _eval_sets(self) -> Entries:
        return self._entries("eval_sets")

    @property
    def _completion_fns(self) -> Entries:
        return self._entries("completion_fns")

    @property
    def _solvers(self) -> Entries:
        return self._entries("solvers")

    @property
    def _modelgraded_specs(self) -> Entries:
        return self._entries("modelgraded", lenient=True)

    # -- specs --------------------------------------------------------------------------------------------------

    def get_eval(self, name: str) -> EvalSpec | None:
        """The eval that ``name`` stands for, aliases followed; None where there is no such name."""
        return find(name, self._evals, EvalSpec)

    def get_eval_set(self, name: str) -> EvalSetSpec | None:
        return find(name, self._eval_sets, EvalSetSpec)

    def get_completion_fn(self, name: str) -> CompletionFnSpec | None:
        """The completion function, or solver, of that name."""
        return find(name, self._completion_fns, CompletionFnSpec) or self.get_solver(name)

    def get_solver(self, name: str) -> CompletionFnSpec | None:
        return find(name, self._solvers, CompletionFnSpec)

    def get_modelgraded_spec(self, name: str, **kwargs: Any) -> ModelGradedSpec:
        """The model-graded spec of that name, ``kwargs`` overriding its fields; UsageError where there is none."""
        from aigc_evals.elsuite.modelgraded.base import ModelGradedSpec

        found = find(name, self._modelgraded_specs, ModelGradedSpec, kwargs)
        if found is None:
            raise unknown(name, self._modelgraded_specs)
        return found

    def get_base_eval(self, name: str) -> BaseEvalSpec | None:
        """What the entry ``name`` itself says (metrics, description), its alias not followed."""
        if name not in self._evals:
            return None
        raw = self._evals[name]
        return BaseEvalSpec(id=raw) if isinstance(raw, str) else BaseEvalSpec(**known_fields(BaseEvalSpec, raw))

    def base_of(self, key: str) -> BaseEvalSpec | None:
        """What is said of the eval with the full name ``key``: by its first part, else by an alias of it in the same file."""
        base = self.get_base_eval(key.split(".")[0])
        if base is not None or key not in self._evals:
            return base
        path = self._evals.place(key)[0]
        beside = (self.get_base_eval(name) for name in self._evals if self._evals.place(name)[0] == path)
        return next((found for found in beside if found is not None and found.id == key), None)

    def get_base_evals(self) -> list[BaseEvalSpec | None]:
        return [self.get_base_eval(name) for name in self._evals if "." not in name]

    def get_evals(self, patterns: Sequence[str]) -> Iterator[EvalSpec]:
        """The evals whose names match any of ``patterns``, each once, in the registry's order.

        In a pattern ``*`` is any text and everything else stands for itself. What matches nothing is reported.
        """
        matchers = [re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL) for pattern in patterns]
        unused = set(range(len(matchers)))
        seen: set[str | None] = set()
        for name in self._evals:
            hits = [i for i, matcher in enumerate(matchers) if matcher.fullmatch(name)]
            if not hits:
                continue
            unused.difference_update(hits)
            spec = self.get_eval(name)
            if spec is not None and spec.key not in seen:
                seen.add(spec.key)
                yield spec
        for i in sorted(unused):
            hint = nearest(patterns[i], self._evals)
            logger.warning("no eval matches %r%s", patterns[i], f" ({hint})" if hint else "")

    def eval(self, name: str) -> EvalSpec:
        """As ``get_eval``, but a UsageError with the nearest names where there is none."""
        found = self.get_eval(name)
        if found is None:
            other = ""
            if name in self._eval_sets:
                other = f"{name} is an eval set: run it with exec_aigc_evalset."
            elif name in self._completion_fns or name in self.models.names():
                other = f"{name} is a completion function; it comes first, then the eval."
            raise unknown(name, self._evals, other)
        return found

    def eval_set(self, name: str) -> EvalSetSpec:
        """As ``get_eval_set``, but a UsageError with the nearest names where there is none."""
        found = self.get_eval_set(name)
        if found is None:
            other = f"{name} is an eval: run it with exec_aigc_evals." if name in self._evals else ""
            raise unknown(name, self._eval_sets, other)
        if not isinstance(found.evals, list) or not all(isinstance(item, str) for item in found.evals):
            raise UsageError(
                "evals must be a list of names or patterns", path=self._eval_sets.place(name)[0], key=f"{name}.evals"
            )
        return found

    # -- objects ------------------------------------------------------------------------------------------------

    def make_completion_fn(self, name: str, **kwargs: Any) -> Any:
        """The completion function called ``name``.

        In this order: ``dummy``; a class derived from NamedModel that was given (``models.add``, ``AIGC_EVALS_MODELS``); an
        entry of the registry; a plugin's; a class in ``~/.aigc_evals/models`` or in a module that a plugin names;
        ``module:attr`` or ``file.py:attr``; the entry ``<provider>/*`` for a name that begins so, whose rest is the
        ``model``; else a model of the configured endpoint (``completion/<model>`` for the text endpoint). ``kwargs``
        override the spec's arguments.
        """
        made = self._make(name, kwargs)
        if not callable(made):
            raise UsageError(f"completion function {name!r} is a {type(made).__name__}, which cannot be called")
        return self.wrapped(made)

    def wrapped(self, fn: Any, **kwargs: Any) -> Any:
        """``fn`` as this registry gives completion functions out: in a run, with the run's sampling wrapper around it.

        A class derived from NamedModel is made with ``kwargs``.
        """
        if is_named_model(fn):
            fn = self._construct(fn, kwargs, model_name(fn))
        return fn if self._wrap is None else self._wrap(fn)

    def _make(self, name: str, kwargs: dict[str, Any]) -> Any:
        if name == "dummy":
            return DummyCompletionFn()
        given = self.models.given(name)
        spec = self.get_completion_fn(name)
        if given is not None:
            if spec is not None:
                logger.info("%s (%s) overrides the registry's %s", given.class_name, given.place, name)
            return self._construct(given.load(), kwargs, name)
        if spec is not None:
            self._tell_of_hidden(name)
            return self._from_entry(name, spec, kwargs, name)
        attribute = plugins.completion_fn(name)
        if attribute is None:
            found = self.models.found(name)
            attribute = python_object(name) if found is None else found.load()
        if attribute is not None:
            if inspect.isclass(attribute):
                return self._construct(attribute, kwargs, name)
            return partial(attribute, **kwargs) if kwargs else attribute
        made = self._of_family(name, kwargs)
        return self._model(name, kwargs) if made is None else made

    def _tell_of_hidden(self, name: str) -> None:
        hidden: ModelClass | None = self.models.at_home(name)
        if hidden is not None:
            logger.warning(
                "%s is an entry of the registry, which goes before the class in %s; --models %s asks the class",
                name,
                hidden.place,
                hidden.path,
            )

    def family(self, name: str) -> str | None:
        """The entry ``<beginning>/*`` that ``name`` falls under, the one with the longest beginning; None for none."""
        found = [entry for entry in (*self._completion_fns, *self._solvers) if in_family(name, entry)]
        return max(found, key=len, default=None)

    def _of_family(self, name: str, kwargs: dict[str, Any]) -> Any:
        """What the entry ``<provider>/*`` makes of ``name``; None where there is no such entry, or where its class says
        (``is_meant``) that the name is a model's at another endpoint, as gateways have such names too.
        """
        entry = self.family(name)
        spec = None if entry is None else self.get_completion_fn(entry)
        if entry is None or spec is None:
            return None
        kwargs = {**kwargs, "model": name.removeprefix(entry[:-1])}
        is_meant = getattr(load_object(spec.cls, self._place(entry)), "is_meant", None)
        if is_meant is not None and not is_meant({**(spec.args or {}), **kwargs}):
            logger.info("%r is taken for a model of the configured endpoint, not for one of %s", name, entry)
            return None
        return self._from_entry(entry, spec, kwargs, name)

    def _place(self, entry: str) -> tuple[Path | None, int | None]:
        return (self._completion_fns if entry in self._completion_fns else self._solvers).place(entry)

    def _from_entry(self, entry: str, spec: CompletionFnSpec, kwargs: dict[str, Any], name: str) -> Any:
        place = self._place(entry)
        try:
            return self._construct(load_object(spec.cls, place), {**(spec.args or {}), **kwargs}, name)
        except UsageError as error:
            if error.path is None and place[0] is not None:
                error.path, error.line = str(place[0]), place[1]
                whose = f"completion function {name!r}"
                if not error.message.startswith(whose):
                    error.message = f"{whose}: {error.message}"
            raise

    def _model(self, name: str, kwargs: dict[str, Any]) -> Any:
        from aigc_evals.completion_fns.openai import (
            OpenAIChatCompletionFn,
            OpenAICompletionFn,
            endpoint_is_configured,
        )

        text = name.startswith(_TEXT) or is_text_model(name)
        if not endpoint_is_configured(kwargs):
            hints = [nearest(name, [*self._completion_fns, *self._solvers, *self.models.names()])]
            if name.endswith(".py"):
                hints.append(f"Say what in the file is meant: {name}:NAME, or --models {name} and a MODEL_NAME of its.")
            hints.append("Set OPENAI_API_KEY (and OPENAI_BASE_URL for another endpoint).")
            hints += [f"Not looked into: {problem}" for problem in self.models.problems.values()]
            raise UsageError(
                f"no completion function is named {name!r}, and as a model name it needs an endpoint",
                hint="\n".join(filter(None, hints)),
            )
        model = name.removeprefix(_TEXT)
        cls = OpenAICompletionFn if text else OpenAIChatCompletionFn
        return self._construct(cls, {"n_ctx": n_ctx_from_model_name(model), **kwargs, "model": model}, name)

    def _construct(self, cls: Any, args: dict[str, Any], name: str) -> Any:
        args = dict(args)
        if accepts(cls, "registry"):
            args["registry"] = self
        check_arguments(cls, args, f"completion function {name!r}")
        if is_named_model(cls):
            # Whoever asks for it, as model or as judge, asks the one that was made; what holds this registry is its own.
            plain = {key: value for key, value in args.items() if value is not self}
            made = self._named_fns if len(plain) == len(args) else self._own_fns
            return made.setdefault((cls, repr(plain)), as_completion_fn(cls, args))
        return construct(cls, args, f"completion function {name!r}")

    def get_class(self, spec: EvalSpec) -> Any:
        """The class of an eval with the spec's arguments filled in."""
        place = self.place_of_eval(spec.key)
        return partial(load_object(spec.cls, place), **(spec.args or {}))

    def place_of_eval(self, key: str | None) -> tuple[Path | None, int | None]:
        """File and line where the eval with that full name is defined; None for both where it is in no registry."""
        return self._evals.place(key)
