"""What the loopback server says as a model that uses tools: a script of it, request body -> answer."""

from __future__ import annotations

import json
from typing import Any


def call(name: str, arguments: Any) -> dict[str, Any]:
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return {"name": name, "arguments": raw}


def reply(body: dict[str, Any]) -> Any:
    """By what the conversation asks for: a sum, every mistake there is, or tools without end."""
    messages = body["messages"]
    told = [message["content"] for message in messages if message["role"] == "tool"]
    text = messages[-1 - 2 * len(told)]["content"] if not told else next(
        message["content"] for message in reversed(messages) if message["role"] == "user"
    )  # fmt: skip
    if "for ever" in text:
        return {"tool_calls": [call("calculator", {"expression": "1"})]}
    if "mistakes" in text:
        if told:
            return "True " + " | ".join(told)
        wrong = [call("no_such", {}), call("calculator", "{bad"), call("calculator", "[1]")]
        return {
            "content": "I try.",
            "tool_calls": [*wrong, call("calculator", {"expr": "1"}), call("calculator", {"expression": "1/0"})],
        }
    if not told:
        calls = [call("calculator", {"expression": "6×7"}), call("count_characters", {"text": "北京欢迎你"})]
        return {"content": None, "tool_calls": calls}
    return f"True: {' and '.join(told)}"
