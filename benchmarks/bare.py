"""The least that asking N samples can be: aiohttp, JSON, a score and a line of log, and nothing else.

Called as ``python -m benchmarks.bare URL SAMPLES N CONCURRENCY LOG``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import aiohttp


async def main(url: str, samples: str, n: int, concurrency: int, log: str) -> float:
    """Ask the first ``n`` samples and return the share of answers that start with the ideal."""
    with open(samples, encoding="utf-8") as file:
        rows = [json.loads(line) for line, _ in zip(file, range(n), strict=False)]
    todo = iter(enumerate(rows))
    right = 0
    connector = aiohttp.TCPConnector(limit=concurrency)
    with open(log, "w", encoding="utf-8") as out:
        async with aiohttp.ClientSession(connector=connector) as session:

            async def work() -> None:
                nonlocal right
                for index, row in todo:
                    body: dict[str, Any] = {"model": "mock-model", "messages": row["input"], "temperature": 0.0}
                    async with session.post(f"{url}/chat/completions", json=body) as response:
                        reply = await response.json()
                    answer = reply["choices"][0]["message"]["content"]
                    correct = answer.startswith(row["ideal"])
                    right += correct
                    line = {"index": index, "prompt": row["input"], "sampled": answer, "correct": correct}
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")

            await asyncio.gather(*(work() for _ in range(concurrency)))
    return right / n


if __name__ == "__main__":
    address, path, count, in_flight, target = sys.argv[1:]
    print(asyncio.run(main(address, path, int(count), int(in_flight), target)))
