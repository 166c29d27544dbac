"""Run the benchmarks and print their tables."""

from __future__ import annotations

import argparse
import inspect
import itertools
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aigc_evals.testing import LoopbackServer
from benchmarks.measure import Cost, command, cost, median, table
from benchmarks.workload import samples, write_registry

_counter = itertools.count()


def upstream() -> Any:
    """The tests' copy of openai/evals; OSError where it cannot be had."""
    from tests.upstream import environment

    try:
        environment.registry_path()
    except environment.UpstreamUnavailable as error:
        raise OSError(str(error)) from None
    return environment


class Bench:
    """One temporary folder with the work in it, and how each client is started on it."""

    def __init__(self, folder: Path, rounds: int) -> None:
        self.folder = folder
        self.rounds = rounds
        self.registry = folder / "registry"

    def ours(
        self, url: str, n: int, concurrency: int | None, *, model: str = "mock-model", of: int | None = None
    ) -> Cost:
        """``exec_aigc_evals`` on the first ``n`` of ``of`` samples."""
        total = of or n
        words = [command("exec_aigc_evals"), model, f"bench{total}", "--registry_path", str(self.registry)]
        words += ["--record_path", str(self._log()), "--max_samples", str(n)]
        if concurrency is not None:
            words += ["--concurrency", str(concurrency)]
        return cost(words, {"OPENAI_BASE_URL": url, "OPENAI_API_KEY": "local"})

    def bare(self, url: str, n: int, concurrency: int, *, of: int | None = None) -> Cost:
        path = samples(self.registry, of or n)
        return cost(
            [sys.executable, "-m", "benchmarks.bare", url, str(path), str(n), str(concurrency), str(self._log())]
        )

    def oaieval(self, url: str, n: int, concurrency: int, *, of: int | None = None) -> Cost:
        environment = upstream()
        words = [str(environment.oaieval()), "gpt-3.5-turbo", f"bench{of or n}", "--registry_path", str(self.registry)]
        words += ["--record_path", str(self._log()), "--max_samples", str(n)]
        environ = {**environment.process_environment(url), "EVALS_THREADS": str(concurrency)}
        return cost(words, environ)

    def _log(self) -> Path:
        return self.folder / f"log{next(_counter)}.jsonl"


def per_sample(bench: Bench) -> None:
    """CPU per sample (start-up taken off: 10,000 samples less 1), round by round against one server, and a run of 2,000.

    The ratio is the median of the rounds' own ratios. oaieval is measured on 100 samples, once.
    """
    n, some, few = 10_000, 2_000, 100
    write_registry(bench.registry, [n, few])
    rows = [["client", "in flight", "CPU ms a sample", "times bare aiohttp", "2,000 samples: whole process, s"]]
    # Plain token counts: oaieval cannot add up the detailed ones.
    with LoopbackServer(record=False, usage="plain") as server:
        url = server.base_url
        for concurrency in (32, 256):
            each: dict[str, list[float]] = {"bare aiohttp": [], "aigc_evals": []}
            walls: dict[str, list[float]] = {"bare aiohttp": [], "aigc_evals": []}
            for _ in range(bench.rounds):
                for name, client in (("bare aiohttp", bench.bare), ("aigc_evals", bench.ours)):
                    whole = client(url, n, concurrency, of=n)
                    one = client(url, 1, concurrency, of=n)
                    each[name].append((whole.cpu - one.cpu) / (n - 1) * 1000)
                    walls[name].append(client(url, some, concurrency, of=n).wall)
            for name, values in each.items():
                ratio = median([value / bare for value, bare in zip(values, each["bare aiohttp"], strict=True)])
                rows.append(
                    [name, str(concurrency), f"{median(values):.3f}", f"{ratio:.2f}", f"{median(walls[name]):.2f}"]
                )
        try:
            whole = bench.oaieval(url, few, 32)
            one = bench.oaieval(url, 1, 32, of=few)
            spent = (whole.cpu - one.cpu) / (few - 1) * 1000
            rows.append(["oaieval", "32", f"{spent:.0f}", f"{spent / median(each['bare aiohttp']):.0f}", "-"])
        except OSError as error:
            print(f"(without oaieval: {error})", file=sys.stderr)
    print(table(rows))


def latency(bench: Bench) -> None:
    """How near a run comes to the ideal when every answer takes 200 ms: 40 answers one after another, 8 s, start included."""
    waves, delay = 40, 0.2
    rows = [["in flight", "samples", "ideal, s", "run, s", "of the ideal", "CPU, s", "most in flight at the server"]]
    for concurrency in (100, 500):
        n = waves * concurrency
        write_registry(bench.registry, [n])
        costs: list[Cost] = []
        most = 0
        for _ in range(bench.rounds):
            with LoopbackServer(record=False, latency=delay) as server:
                costs.append(bench.ours(server.base_url, n, concurrency))
                most = max(most, server.stats()["max_in_flight"])
        wall, cpu = median([c.wall for c in costs]), median([c.cpu for c in costs])
        ideal = waves * delay
        rows.append(
            [str(concurrency), str(n), f"{ideal:.1f}", f"{wall:.2f}", f"{ideal / wall:.0%}", f"{cpu:.2f}", str(most)]
        )
    print(table(rows))


def startup(bench: Bench) -> None:
    """CPU of a start: ``--help`` against bare Python, one sample, and a name out of the whole openai/evals registry."""
    write_registry(bench.registry, [1])
    rows = [["what", "CPU, s", "times python -c pass"]]
    with LoopbackServer(record=False) as server:
        registry: list[str] = []
        try:
            registry = ["--registry_path", str(upstream().registry_path())]
        except OSError as error:
            print(f"(without the registry of openai/evals: {error})", file=sys.stderr)
        pass_ = [sys.executable, "-c", "pass"]
        cases = {
            "python -c pass": lambda: cost(pass_),
            "exec_aigc_evals --help": lambda: cost([command("exec_aigc_evals"), "--help"]),
            "a run of one sample": lambda: bench.ours(server.base_url, 1, None),
        }
        if registry:
            name = "resolving one eval in the registry of openai/evals"
            code = (
                "import sys; from aigc_evals.registry import Registry; r = Registry(); "
                "r.add_registry_paths(sys.argv[2:]); print(r.eval('2d_movement').key)"
            )
            cases[name] = lambda: cost([sys.executable, "-c", code, *registry])
            everything = [command("aigc_evals"), "list", "--all", "--json", *registry]
            cases["listing all of that registry"] = lambda: cost(everything)
        found: dict[str, list[float]] = {}
        for _ in range(max(5, bench.rounds)):
            for name, case in cases.items():
                found.setdefault(name, []).append(case().cpu)
    bare = median(found["python -c pass"])
    rows += [[name, f"{median(values):.3f}", f"{median(values) / bare:.1f}"] for name, values in found.items()]
    print(table(rows))


def million(bench: Bench) -> None:
    """A million samples with a function in the process: wall, CPU, and how much memory a sample takes."""
    n, few = 1_000_000, 1_000
    write_registry(bench.registry, [n, few])
    small = bench.ours("http://127.0.0.1:9/v1", few, None, model="dummy")
    large = bench.ours("http://127.0.0.1:9/v1", n, None, model="dummy")
    rows = [["samples", "wall, s", "CPU, s", "peak memory, MB"]]
    rows += [
        [f"{count:,}", f"{c.wall:.1f}", f"{c.cpu:.1f}", f"{c.peak_mb:.0f}"] for count, c in ((few, small), (n, large))
    ]
    print(table(rows))
    print(f"\nmemory: {(large.peak_mb - small.peak_mb) * (1 << 20) / (n - few):.0f} bytes a sample")


def cache(bench: Bench) -> None:
    """How long it takes to find an answer in the cache of completions: the request's key, and the row in the file."""
    from aigc_evals.api import TextResult
    from aigc_evals.completion_fns.openai import OpenAIChatCompletionFn
    from aigc_evals.sampling.cache import CompletionCache

    fn = OpenAIChatCompletionFn(model="mock-model", api_base="http://127.0.0.1:9/v1", api_key="local")
    prompts = [f"question {number} " * 50 for number in range(2_000)]
    path = bench.folder / "cache.sqlite3"
    filled = CompletionCache(path)
    for prompt in prompts:
        request = filled.request(fn, prompt, {}, None)
        if request is not None:
            filled.put(request, TextResult("answer " * 30))
    filled.close()
    opened, seconds = CompletionCache(path), []
    for prompt in prompts:
        began = time.perf_counter()
        request = opened.request(fn, prompt, {}, None)
        found = request and opened.get(request)
        seconds.append(time.perf_counter() - began)
        if not found:
            raise RuntimeError("an answer that was put into the cache is not in it")
    opened.close()
    rows = [["entries", "median, microseconds", "slowest of a hundred"]]
    ordered = sorted(seconds)
    rows += [[f"{len(prompts):,}", f"{ordered[len(ordered) // 2] * 1e6:.0f}", f"{ordered[-20] * 1e6:.0f}"]]
    print(table(rows))


CASES: dict[str, Callable[[Bench], None]] = {
    "per-sample": per_sample,
    "latency": latency,
    "startup": startup,
    "million": million,
    "cache": cache,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which ones: {', '.join(CASES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=5, help="rounds; the medians are shown")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in CASES]
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}")
    for name in args.names or CASES:
        print(f"\n### {name}\n\n{inspect.cleandoc(CASES[name].__doc__ or '')}\n", flush=True)
        with tempfile.TemporaryDirectory(prefix="aigc_evals-bench-") as folder:
            CASES[name](Bench(Path(folder), args.rounds))


if __name__ == "__main__":
    main()
