"""The flags of the commands, as a table: the parser, the help and the documentation tests are made from it.

This module is loaded for ``--help``, so it imports next to nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import Any

TRUE = ("true", "1", "yes", "on")
FALSE = ("false", "0", "no", "off")


class Flag:
    """One flag: its name as upstream spells it (either of - and _ is accepted), type, default, help and value's name."""

    __slots__ = ("default", "help", "kind", "metavar", "name", "repeatable")

    def __init__(
        self, name: str, kind: type, default: Any, help: str, metavar: str | None = None, repeatable: bool = False
    ) -> None:
        self.name = name
        self.kind = kind
        self.default = default
        self.help = help
        self.metavar = metavar
        self.repeatable = repeatable

    @property
    def dest(self) -> str:
        return self.name.replace("-", "_")

    def but(self, **changes: Any) -> Flag:
        """The same flag with some of its properties changed."""
        return Flag(**{name: changes.get(name, getattr(self, name)) for name in self.__slots__})


_MODELS = Flag(
    "models", str, None, "a Python file, or a module, with models of your own; may be repeated", "FILE.py|MODULE", True
)

RUN_FLAGS: tuple[Flag, ...] = (
    Flag("extra_eval_params", str, "", "arguments of the eval that override its spec, as a=1,b=x", "K=V,..."),
    Flag("completion_args", str, "", "arguments of every completion function, as k=v,...", "K=V,..."),
    Flag("judge", str, None, "who grades where an eval wants a judge and names none itself", "NAME"),
    Flag("max_samples", int, None, "evaluate only this many samples", "N"),
    Flag("cache", bool, False, "answer requests that were made before from a cache on disk, and fill it"),
    Flag("repeats", int, 1, "ask every sample this many times", "K"),
    Flag("visible", bool, None, "mark the run as visible in its log (else: when all samples are run)"),
    Flag("seed", int, 20220722, "seed of whatever an eval draws", "N"),
    Flag("user", str, "", "who runs this; kept in the log", "NAME"),
    Flag("record_path", str, None, "where the log goes; a log that is there is continued", "FILE"),
    Flag("log_to_file", str, None, "write messages to a file instead of the terminal", "FILE"),
    Flag("registry_path", str, None, "a further registry folder; may be repeated", "DIR", True),
    _MODELS,
    Flag("debug", bool, False, "show debugging messages"),
    Flag("local-run", bool, True, "record to the local log alone"),
    Flag("http-run", bool, False, "also send events to --http-run-url"),
    Flag("http-run-url", str, None, "where events are sent with --http-run", "URL"),
    Flag("http-batch-size", int, 100, "events in one HTTP request; 1 sends them singly", "N"),
    Flag(
        "http-fail-percent-threshold",
        float,
        5,
        "percent of events that may stay undelivered (also with --sql-run)",
        "N",
    ),
    Flag("sql-run", bool, False, "also keep events in the database at --sql-run-url"),
    Flag("sql-run-url", str, None, "the database of --sql-run (else: AIGC_EVALS_SQL_URL)", "URL"),
    Flag("dry-run", bool, False, "ask and score, but write no log"),
    Flag("dry-run-logging", bool, True, "print the events of a dry run"),
    Flag("recorder", str, None, "also send events to this recorder of a plugin; may be repeated", "NAME[=ARG]", True),
    Flag("resume", bool, False, "continue the newest unfinished log of this function and eval"),
    Flag("retry_errors", bool, False, "when continuing a log, ask samples again that ended in an error"),
    Flag(
        "max_invalid", float, 1.0, "share of samples that may end without a score before the run counts as failed", "X"
    ),
    Flag("fail-under", str, None, "fail if a metric is lower; may be repeated", "METRIC=VALUE", True),
    Flag("concurrency", int, None, "calls in flight at one endpoint (adaptive if nothing says otherwise)", "N"),
    Flag("timeout", float, None, "seconds for one attempt of a call (300 if nothing says otherwise)", "SECONDS"),
    Flag("max_retries", int, None, "repeats of a call that may succeed later (6 if nothing says otherwise)", "N"),
    Flag("junit", str, None, "write what came of it as JUnit XML, for build servers", "FILE"),
    Flag("json", bool, False, "print the final report as JSON on stdout"),
)

SET_FLAGS: tuple[Flag, ...] = (
    *(
        flag.but(default=True, help="continue from the logs of an earlier run of the set")
        if flag.name == "resume"
        else flag.but(help="folder for the logs, one per eval", metavar="DIR")
        if flag.name == "record_path"
        else flag
        for flag in RUN_FLAGS
    ),
    Flag("exit-on-error", bool, True, "stop at the first eval that fails"),
)


REPLAY_FLAGS: tuple[Flag, ...] = (
    Flag("url", str, None, "send to this address over HTTP", "URL"),
    Flag("http-batch-size", int, 100, "events in one request", "N"),
    Flag("sql-run-url", str, None, "send to this database (without --url: else AIGC_EVALS_SQL_URL)", "URL"),
)

CACHE_FLAGS: tuple[Flag, ...] = (
    Flag("model", str, None, "with rm: only what this model answered", "NAME"),
    Flag("older-than", float, None, "with rm: only what is older than so many days", "DAYS"),
    Flag("json", bool, False, "print as JSON"),
)


LIST_FLAGS: tuple[Flag, ...] = (
    Flag("registry_path", str, None, "a further registry folder; may be repeated", "DIR", True),
    _MODELS,
    Flag("all", bool, False, "also list the full names that listed aliases lead to"),
    Flag("json", bool, False, "print as JSON"),
)

SHOW_FLAGS: tuple[Flag, ...] = (
    Flag("registry_path", str, None, "a further registry folder; may be repeated", "DIR", True),
    _MODELS,
    Flag("json", bool, False, "print as JSON"),
)

CHECK_FLAGS: tuple[Flag, ...] = (
    Flag(
        "registry_path",
        str,
        None,
        "check this registry folder; may be repeated (else: all that are known)",
        "DIR",
        True,
    ),
    Flag("all", bool, False, "print every finding, also where a rule finds many in one file"),
    Flag("json", bool, False, "print as JSON"),
)


_HOW_FLAGS_READ = """
A flag without a value is a switch: --flag, --flag true|false|1|0, or --no-flag. In names, - and _ are the same.
"""


class Command:
    """A command as its user sees it: name, purpose, positional arguments (name, help), flags.

    A positional whose name stands in brackets may be left out and is None then; of one that ends in dots there may be
    several (``[name...]``). One without flags is a list of commands: its positionals are their names.
    """

    def __init__(self, name: str, purpose: str, positionals: Sequence[tuple[str, str]], flags: Sequence[Flag]) -> None:
        self.name = name
        self.purpose = purpose
        self.positionals = tuple(positionals)
        self.flags = tuple(flags)

    @property
    def usage(self) -> str:
        if not self.flags:
            return f"{self.name} COMMAND ..."
        return f"{self.name} {' '.join(name.upper() for name, _ in self.positionals)} [flags]"

    @property
    def help(self) -> str:
        """What ``--help`` prints; made without argparse, which takes longer to load than Python itself."""
        rows = list(self.positionals)
        for flag in self.flags:
            name = f"--{flag.name}" if flag.kind is bool else f"--{flag.name} {flag.metavar}"
            default = f" (default: {flag.default})" if flag.default else ""
            rows.append((name, flag.help + default))
        rows += [("--version", "print the version and exit"), ("--help", "show this and exit")]
        width = max(len(name) for name, _ in rows)
        lines = "\n".join(f"  {name:<{width}}  {text}" for name, text in rows)
        return f"usage: {self.usage}\n\n{self.purpose}\n\n{lines}\n{_HOW_FLAGS_READ if self.flags else ''}".rstrip()

    def parse(self, argv: Sequence[str]) -> argparse.Namespace:
        """The arguments by name; ends the process with exit code 2 and a message where they are not understood."""
        parser = self._parser()
        parsed, strange = parser.parse_known_args(spelled_out(argv, self.flags))
        if strange:
            parser.error("\n".join([f"unrecognized arguments: {' '.join(strange)}", *self._meant(strange)]))
        return parsed

    def _meant(self, strange: Sequence[str]) -> list[str]:
        """For each misspelt flag, the one it is nearest to."""
        from aigc_evals.errors import nearest

        known = [f"--{flag.dest}" for flag in self.flags]
        misspelt = [word.partition("=")[0] for word in strange if word.startswith("--")]
        hints = [nearest(f"--{word[2:].replace('-', '_')}", known, 1) for word in misspelt]
        return [hint for hint in hints if hint]

    def _parser(self) -> argparse.ArgumentParser:
        import argparse

        usage = f"{self.usage}   (--help lists them)"
        made = argparse.ArgumentParser(prog=self.name, usage=usage, add_help=False, allow_abbrev=False)
        for name, _ in self.positionals:
            nargs = "*" if name.endswith("...]") else "+" if name.endswith("...") else "?" if name[0] == "[" else None
            made.add_argument(name.strip("[]."), nargs=nargs)
        for flag in self.flags:
            spellings = dict.fromkeys(
                "--" + name for name in (flag.name, flag.name.replace("-", "_"), flag.name.replace("_", "-"))
            )
            made.add_argument(
                *spellings,
                dest=flag.dest,
                type=boolean if flag.kind is bool else flag.kind,
                default=flag.default,
                metavar=flag.metavar,
                action="append" if flag.repeatable else "store",
            )
        return made


def boolean(text: str) -> bool:
    """``true``, ``1``, ``yes``, ``on`` and their opposites; ValueError for anything else."""
    if text.lower() in TRUE:
        return True
    if text.lower() in FALSE:
        return False
    raise ValueError(f"expected true or false, got {text!r}")


def spelled_out(argv: Sequence[str], flags: Sequence[Flag]) -> list[str]:
    """``argv`` with every boolean flag as ``--flag=value``, so that ``--flag``, ``--flag VALUE``, ``--no-flag`` all parse."""
    booleans = {flag.dest for flag in flags if flag.kind is bool}
    out: list[str] = []
    rest = list(argv)
    while rest:
        word = rest.pop(0)
        name = word[2:].replace("-", "_") if word.startswith("--") else ""
        if word == "--":
            return [*out, word, *rest]
        if name in booleans:
            given = rest.pop(0) if rest and rest[0].lower() in (*TRUE, *FALSE) else "true"
            out.append(f"--{name}={given}")
        elif name.startswith("no_") and name[3:] in booleans:
            out.append(f"--{name[3:]}=false")
        else:
            out.append(word)
    return out
