"""``check`` and ``list`` on upstream's registry: hundreds of files, nothing crashes, and it is quick."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

from aigc_evals.check import RULES, check_registry
from aigc_evals.check.report import by_rule, counts
from aigc_evals.registry import BUILT_IN


def test_the_whole_registry_is_checked_at_once(upstream_registry: Path) -> None:
    began = time.process_time()
    found = list(check_registry([BUILT_IN, upstream_registry], within=[upstream_registry]))
    seconds = time.process_time() - began
    print(f"{seconds:.1f} s of CPU, {dict(counts(found))}")
    for rule, count in by_rule(found).items():
        print(f"{count:6d} {rule}")
    assert set(by_rule(found)) <= set(RULES)
    # Known faults of that registry, each at its place.
    places = {(f.rule, f.path.name, f.line) for f in found}
    assert ("set-entry-unmatched", "stock-options.yaml", 12) in places
    assert ("duplicate-key", "keywords.yaml", 20) in places
    assert ("unknown-field", "word-association.yaml", 4) in places
    # Nothing is said about classes of openai/evals that are ours as well.
    absent = [f.message for f in found if f.rule == "class-not-found"]
    assert not [message for message in absent if ".basic." in message or ".modelgraded." in message]
    assert not [f for f in found if f.rule in ("constructor-arguments", "yaml-syntax", "alias-cycle")]


def test_listing_it_reads_no_data_and_loads_nothing_heavy(upstream_registry: Path, tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == 'open' else None)\n"
        "from aigc_evals.cli.main import main\n"
        "code = main(sys.argv[1:])\n"
        "print(*opened, '', *sys.modules, sep='\\n', file=sys.stderr)\n"
        "sys.exit(code)"
    )
    words = [sys.executable, "-c", code, "list", "--all", "--json", "--registry_path", str(upstream_registry)]
    done = subprocess.run(words, capture_output=True, text=True, env={"HOME": str(tmp_path)}, check=True)
    assert len(json.loads(done.stdout)) > 1700
    opened, modules = (part.split() for part in done.stderr.split("\n\n"))
    yaml_files = [path for path in opened if path.endswith((".yaml", ".yml"))]
    assert len(yaml_files) == len(set(yaml_files)) > 500, "each file of the registry is read once"
    assert not [path for path in opened if ".jsonl" in path]
    assert not {"openai", "numpy", "requests", "aiohttp", "aigc_evals.engine"} & set(modules)
