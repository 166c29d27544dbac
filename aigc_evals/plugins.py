"""Plugins: what other packages offer by entry points, found only when it is asked for.

    aigc_evals.completion_fns   name = "module:Class" or "module:function": a completion function of that name;
                                name = "module": the classes derived from NamedModel in there, by their own names
    aigc_evals.registries       name = "package" (a package that is a registry folder), or "module:attr" (its path)
    aigc_evals.recorders        name = "module:factory": a sink; called with the text after ``=`` where there is one

A look at the names of files tells whether any package offers anything; only then is the list of entry points read. A
plugin that cannot be loaded is a UsageError that names its package.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_evals.errors import UsageError, nearest

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

    from aigc_evals.base import RunSpec
    from aigc_evals.sinks import Delivery

COMPLETION_FNS = "aigc_evals.completion_fns"
REGISTRIES = "aigc_evals.registries"
RECORDERS = "aigc_evals.recorders"


def completion_fn(name: str) -> Any:
    """The class or callable that a plugin offers under this name; None where none does."""
    point = _points(COMPLETION_FNS).get(name)
    if point is None or not point.attr:
        return None
    found = _loaded(point)
    if not callable(found):
        raise _broken(point, f"gives a {type(found).__name__}, which cannot be called")
    return found


def completion_fn_names() -> list[str]:
    """The names under which plugins offer a completion function; nothing is loaded."""
    return [name for name, point in _points(COMPLETION_FNS).items() if point.attr]


def model_modules() -> dict[str, Callable[[], Any]]:
    """The modules of named models that plugins offer, by the plugin's name, each to be loaded by calling it."""
    return {name: partial(_loaded, point) for name, point in _points(COMPLETION_FNS).items() if not point.attr}


def registries() -> list[Path]:
    """The registry folders of all plugins, in the order of their names."""
    return [_folder(point) for _, point in sorted(_points(REGISTRIES).items())]


def recorder(text: str) -> PluginSink:
    """The sink that ``NAME`` or ``NAME=ARGUMENT`` stands for."""
    name, equals, argument = text.partition("=")
    points = _points(RECORDERS)
    point = points.get(name)
    if point is None:
        known = nearest(name, points) or f"There is: {', '.join(sorted(points)) or 'none; are you missing a package?'}"
        raise UsageError(f"no recorder is named {name!r}", key="recorder", hint=known)
    factory = _loaded(point)
    try:
        sink = factory(argument) if equals else factory()
    except UsageError:
        raise
    except Exception as error:
        raise _broken(point, f"cannot be made: {type(error).__name__}: {error}") from error
    missing = [method for method in ("open", "notify", "close", "abort") if not callable(getattr(sink, method, None))]
    if missing:
        raise _broken(point, f"gives a sink without {', '.join(missing)}")
    return PluginSink(name, sink, lambda what: _broken(point, what))


class PluginSink:
    """A plugin's sink, kept from stopping a run: once it has failed it is told nothing more, and the report says so."""

    def __init__(self, name: str, sink: Any, broken: Callable[[str], UsageError]) -> None:
        self.name = name
        self._sink = sink
        self._broken = broken
        self._failure: str | None = None
        self._events = 0

    def open(self, log_path: Path, run_spec: RunSpec) -> None:
        """UsageError where the sink cannot begin: nothing has been asked yet."""
        try:
            self._sink.open(log_path, run_spec)
        except UsageError:
            raise
        except Exception as error:
            raise self._broken(f"cannot begin: {type(error).__name__}: {error}") from error

    def notify(self, events: int) -> None:
        self._events = events
        if self._failure is None:
            try:
                self._sink.notify(events)
            except Exception as error:
                self._failure = f"{type(error).__name__}: {error}"

    def close(self, report: Any) -> Delivery:
        from aigc_evals.sinks import Delivery

        if self._failure is None:
            try:
                delivery = self._sink.close(report)
                if isinstance(delivery, Delivery):
                    return delivery
                return Delivery(self.name, self._events, 0, over_threshold=False)
            except Exception as error:
                self._failure = f"{type(error).__name__}: {error}"
        else:
            self.abort()
        message = f"{self._failure}; the events are in the log"
        return Delivery(self.name, 0, self._events, over_threshold=True, message=message)

    def abort(self) -> None:
        try:
            self._sink.abort()
        except Exception as error:
            self._failure = f"{type(error).__name__}: {error}"


def _folder(point: EntryPoint) -> Path:
    module, colon, _ = point.value.partition(":")
    if colon:
        found = _loaded(point)
        try:
            folder = Path(found() if callable(found) else found)
        except Exception as error:
            raise _broken(point, f"gives no path: {type(error).__name__}: {error}") from error
    else:
        try:
            spec = importlib.util.find_spec(module)
        except Exception as error:
            raise _broken(point, f"cannot be found: {type(error).__name__}: {error}") from error
        places = None if spec is None else spec.submodule_search_locations
        if not places:
            raise _broken(point, "is not a package")
        folder = Path(next(iter(places)))
    if not os.path.isdir(folder):
        raise _broken(point, f"is no folder: {folder}")
    return folder


def _loaded(point: EntryPoint) -> Any:
    try:
        return point.load()
    except Exception as error:
        raise _broken(point, f"cannot be loaded: {type(error).__name__}: {error}") from error


def _broken(point: EntryPoint, what: str) -> UsageError:
    package = point.dist.name if point.dist is not None else "an unknown package"
    return UsageError(
        f"the plugin {point.name!r} of the package {package} {what}",
        key=point.group,
        hint=f"Its entry point is {point.value!r}. Repair the package, or uninstall it: pip uninstall {package}",
    )


def _points(group: str) -> dict[str, EntryPoint]:
    """The entry points of a group by name; two packages that offer the same name are a UsageError."""
    if not _any_offered(group):
        return {}
    from importlib.metadata import entry_points

    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=group):
        other = found.setdefault(point.name, point)
        if other.value != point.value:
            raise _broken(point, f"is also offered as {other.value!r}")
    return found


def _any_offered(group: str) -> bool:
    """Whether any installed package may have entry points of a group, without loading what reads them."""
    header = f"[{group}]".encode()
    return any(content is None or header in content for content in _entry_point_files())


def _entry_point_files() -> Iterator[bytes | None]:
    """The contents of the files of entry points on the path; None for a place that only importlib can look into."""
    for place in dict.fromkeys(sys.path):
        try:
            entries = list(os.scandir(place or "."))
        except NotADirectoryError:
            yield None
            continue
        except OSError:
            continue
        for entry in entries:
            if entry.name.endswith((".dist-info", ".egg-info")):
                try:
                    with open(os.path.join(entry.path, "entry_points.txt"), "rb") as file:
                        yield file.read()
                except OSError:
                    continue
