"""Keeps secrets out of logs and off the screen: known values and the shapes that keys and tokens have.

``Redactor.line`` is called for every line of a log and is built to cost next to nothing when there is no
secret. It finds what ``text`` finds; only ``value`` also goes by the names of keys, for settings and headers
(a sample's own "token" fields are data and stay).
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote, unquote_plus, urlsplit

from aigc_evals.fastjson import decode, encode

MARK = "[redacted]"
MIN_LENGTH = 6
"""Shorter values are not masked: they would turn up in ordinary text everywhere."""

_RUN = 13
_WORD = 24
"""``line`` looks for runs of at least ``_RUN`` of the ``_RUN_CHARACTERS``; runs of lower-case letters shorter
than ``_WORD`` are words and passed over. Every token pattern below demands a run that is found so."""

_RUN_CHARACTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
_FLATTEN = bytes(120 if i in _RUN_CHARACTERS else 32 for i in range(256))
_LONG_RUN = b"x" * _RUN
_BEFORE = 48
"""How far before a long run the word may stand that makes it a secret ("Bearer", "PRIVATE KEY")."""

_FIELD_NAMES = frozenset(
    b"prompt_tokens completion_tokens finish_reason system_fingerprint reasoning_content reasoning_tokens".split()
)
"""Names that the lines of a log are full of; passed over so that they need not be looked at in every line."""

_LOG_PREFIX = b'{"run_id":"'

# A token starts where no letter or digit precedes it, or after the escape of a line end in quoted JSON.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf]))"
_GAP = r"(?:\s|\\[nrt])"
_RUN_HERE = rf"(?:[a-z]{{{_WORD}}}|(?=[a-z]*[A-Z0-9_-])[A-Za-z0-9_-]{{{_RUN}}})"
_SCHEMES = "basic|bearer|digest|token|apikey|api-key|negotiate|hmac"
_TELLING = "key|token|secret|password|passwd|auth"
"""What long names of secrets, written as one word, are made of."""

_QUERY_NAMES = rf"[\w.-]*(?:{_TELLING}|credential|signature|sig)"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class _Shape(NamedTuple):
    needles: tuple[str, ...]
    """One of these occurs in every match."""
    pattern: re.Pattern[str]
    replacement: str


def _shape(needles: str, pattern: str, replacement: str = MARK) -> _Shape:
    return _Shape(tuple(needles.split()), re.compile(pattern), replacement)


_SHAPES = (
    _shape(
        "PRIVATE",
        r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----"
        rf"(?=(?:[^A-Za-z0-9+/]|\\[nrt])*{_RUN_HERE})"
        r"(?s:.{0,20000}?-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----|[A-Za-z0-9+/=\s\\]*)",
    ),
    _shape("sk-", rf"{_START}sk-[A-Za-z0-9_-]{{20,}}"),
    _shape("AKIA ASIA", rf"{_START}(?:AKIA|ASIA)[A-Z0-9]{{16}}(?![A-Za-z0-9])"),
    _shape("ghp_ gho_ ghu_ ghs_ ghr_", rf"{_START}gh[pousr]_[A-Za-z0-9]{{20,}}"),
    _shape("github_pat_", rf"{_START}github_pat_[A-Za-z0-9_]{{20,}}"),
    _shape("hf_", rf"{_START}hf_[A-Za-z0-9]{{20,}}"),
    _shape("xox", rf"{_START}xox[abeoprs]-[A-Za-z0-9-]{{10,}}"),
    _shape("AIza", rf"{_START}AIza[A-Za-z0-9_-]{{30,}}"),
    _shape("eyJ", rf"{_START}eyJ[A-Za-z0-9_-]{{10,}}(?:\.[A-Za-z0-9_-]+){{2,4}}"),
    _shape(
        "uthorization UTHORIZATION",
        rf"(?i)(authorization(?:\\*[\"'])?{_GAP}*[:=]{_GAP}*(?:\\*[\"'])?(?:{_SCHEMES}){_GAP}+)"
        r"[A-Za-z0-9._~+/=:-]{6,}",
        rf"\1{MARK}",
    ),
    _shape(
        "earer EARER",
        rf"((?i:{_START}bearer){_GAP}{{1,8}})(?=[A-Za-z0-9._~+/=-]*?{_RUN_HERE})[A-Za-z0-9._~+/=-]{{16,}}",
        rf"\1{MARK}",
    ),
    _shape(
        "asic ASIC",
        rf"((?i:{_START}basic){_GAP}{{1,8}})(?=[A-Za-z0-9+/]*[A-Z])(?=[A-Za-z0-9+/]*[0-9=])"
        rf"(?=[A-Za-z0-9+/]*?{_RUN_HERE})[A-Za-z0-9+/]{{16,}}={{0,2}}",
        rf"\1{MARK}",
    ),
    _shape("@", r"(://)[^/\s\"'<>?#\\@]{1,200}(?:@[^/\s\"'<>?#\\@]{1,200})*@", rf"\1{MARK}@"),
    _shape("=", rf"(?i)([?&]{_QUERY_NAMES}=)[^&\s\"'<>#\\;\[\]]+", rf"\1{MARK}"),
)

_WORTH_A_LOOK = re.compile(
    b"|".join(re.escape(needle.encode()) for shape in _SHAPES for needle in shape.needles if len(needle) > 1)
)
_USERINFO = re.compile(rb"://[^/\s\"'<>?#\\]{1,400}@")
_QUERY = re.compile(_QUERY_NAMES.join((r"(?i)[?&]", "=")).encode())

_PASSWORD_NAMES = _words("PASSWORD PASSWORDS PASSWD PASS PASSPHRASE PWD SECRET SECRETS")
_SECRET_NAMES = _PASSWORD_NAMES | _words(
    "KEY KEYS APIKEY APPKEY ACCESSKEY SECRETKEY TOKEN TOKENS APPSECRET CREDENTIAL CREDENTIALS AUTH AUTHORIZATION BEARER "
    "COOKIE COOKIES JWT CSRF XSRF AK SK SIGN SIGNATURE SIG ODBC"
)
_SESSION = "SESSION"
_DESKTOP = "DESKTOP"
_NAME_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_NAME_PARTS = re.compile(r"[A-Z]+")
_ANYWHERE = re.compile(rf"(?i){_TELLING}|odbc|jwt|csrf|xsrf|pass")
_ORDINARY = re.compile(
    r"(?i)authors?(?!i)|tokeni[sz]\w*|keyword|keyboard|keynote|passage|passive|passing|passthrough|compass|bypass"
)
"""Words that only have the letters of those: what an argument of such a name says is to be read."""

_SURELY = re.compile(
    r"(?:^|.* )(?:APIKEY|PASSWORD|PASSWD|PASSPHRASE|SECRET|CREDENTIALS|AUTHORIZATION|COOKIE|JWT|CSRF|XSRF"
    r"|(?:API|ACCESS|PRIVATE|SECRET|SUBSCRIPTION) KEY"
    r"|(?:ACCESS|API|AUTH|BEARER|CSRF|ID|JWT|REFRESH|SESSION|XSRF) TOKEN)|TOKEN"
)
_NOT_SECRET = _words(
    "anonymous anything api-key api_key apikey basic bearer change-me changeit changeme default digest disabled dummy "
    "dummy-api-key dummy-key dummy_key empty enabled environment external fake fake-api-key fake-key fake_key false "
    "file interactive internal kerberos keyring llama.cpp llamafile lm-studio lm_studio lmstudio local local-only "
    "localai localhost negotiate no-api-key no-key no-key-required no_api_key no_key nokey none not-needed "
    "not-required not_needed not_required notneeded null ollama optional password placeholder required secret-key "
    "secrets sglang sk-dummy sk-fake sk-local sk-no-key sk-no-key-required sk-none sk-placeholder undefined unused "
    "vllm xinference your-api-key your_api_key"
)
"""What servers without keys are given for one, in lower case, and settings that are words: in prompts and answers these are
words like any other."""


class Redactor:
    """Masks the given values, and whatever has the shape of a secret, with ``[redacted]``.

    Values shorter than ``MIN_LENGTH`` and well-known placeholders are ignored. Applying it twice changes
    nothing.
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values: frozenset[str] = frozenset()
        self._forms: tuple[str, ...] = ()
        self._cores: tuple[bytes, ...] = ()
        self._short: tuple[bytes, ...] = ()
        for value in values:
            self.add(value)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str], extra: Iterable[str] = ()) -> Redactor:
        """For the secrets of an environment: variables named like one, and passwords in URLs; ``extra``
        values too.
        """
        redactor = cls(extra)
        for name, value in environ.items():
            if "://" in value:
                try:
                    password = urlsplit(value).password
                except ValueError:
                    password = None
                if password:
                    redactor.add(password)
                    redactor.add(unquote(password))
            if _is_secret(name, value):
                redactor.add(value)
        return redactor

    def add(self, value: str) -> None:
        """Mask ``value`` from now on."""
        value = value.strip()
        if len(value) < MIN_LENGTH or value.lower() in _NOT_SECRET or "redacted" in value.lower():
            return
        if value in self._values:
            return
        self._values |= {value}
        forms = {form for known in self._values for form in _forms(known)}
        # Longest first, so that a secret within another does not leave the rest of it standing.
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        encoded = {form.encode("utf-8", "replace") for form in forms}
        self._cores = tuple({core for core in map(_core, encoded) if core})
        self._short = tuple({form for form in encoded if not _core(form)})

    def text(self, text: str) -> str:
        """``text`` with its secrets masked."""
        while True:
            # Parts between marks only: what a mark makes with its neighbours is nobody's secret. Every round
            # that changes something shortens the rest, so it ends, at a text that a second call leaves alone.
            masked = MARK.join(map(self._part, text.split(MARK)))
            if masked == text:
                return text
            text = masked

    def line(self, line: bytes) -> bytes:
        """An encoded JSON line with its secrets masked, valid JSON again; the same object when it has
        none.
        """
        if not self._suspicious(line):
            return line
        body = line.rstrip(b"\r\n")
        try:
            value = decode(body)
            masked = self._walk(value, by_key=False)
        except (ValueError, RecursionError):  # no JSON after all
            text = line.decode("utf-8", "surrogateescape")
            return self.text(text).encode("utf-8", "surrogateescape")
        return line if masked == value else encode(masked) + line[len(body) :]

    def value(self, obj: Any) -> Any:
        """A copy of a plain value with the secrets masked in its texts, and under keys such as api_key
        altogether.
        """
        try:
            return self._walk(obj, by_key=True)
        except RecursionError:
            return self._walk(decode(encode(obj)), by_key=True)

    def _suspicious(self, line: bytes) -> bool:
        for secret in self._short:
            if secret in line:
                return True
        if b"@" in line and _USERINFO.search(line):
            return True
        if b"=" in line and (b"?" in line or b"&" in line) and _QUERY.search(line):
            return True
        start = 32 if line.startswith(_LOG_PREFIX) and line[11:13].isdigit() and line[31:32] == b'"' else 0
        flat = line.translate(_FLATTEN)
        begin = flat.find(_LONG_RUN, start)
        while begin >= 0:
            end = flat.find(b" ", begin)
            end = len(line) if end < 0 else end
            run = line[begin:end]
            word = run.isalpha() and run.islower() and len(run) < _WORD and b"uthorization" not in run
            if not word and run not in _FIELD_NAMES:
                if _WORTH_A_LOOK.search(line, begin - _BEFORE if begin > _BEFORE else 0, end):
                    return True
                for core in self._cores:
                    if core in run:
                        return True
            begin = flat.find(_LONG_RUN, end)
        return False

    def _part(self, text: str) -> str:
        for form in self._forms:
            if form in text:
                text = text.replace(form, MARK)
        for needles, pattern, replacement in _SHAPES:
            for needle in needles:
                if needle in text:
                    text = pattern.sub(replacement, text)
                    break
        return text

    def _walk(self, obj: Any, by_key: bool) -> Any:
        if isinstance(obj, str):
            return self.text(obj)
        if isinstance(obj, dict):
            return {
                self.text(k) if isinstance(k, str) else k: (
                    MARK
                    if by_key and isinstance(v, str) and v and isinstance(k, str) and names_a_secret(k, surely=True)
                    else self._walk(v, by_key)
                )
                for k, v in obj.items()
            }
        if isinstance(obj, list):
            return [self._walk(item, by_key) for item in obj]
        if type(obj) is tuple:
            return tuple(self._walk(item, by_key) for item in obj)
        return obj


def redact_error(error: BaseException, redactor: Redactor) -> None:
    """Mask the secrets in the text of an error of this package."""
    for name in ("message", "hint"):
        text = getattr(error, name, None)
        if isinstance(text, str):
            setattr(error, name, redactor.text(text))
    error.args = tuple(redactor.text(item) if isinstance(item, str) else item for item in error.args)


def url_secrets(url: str) -> list[str]:
    """What must not be shown of a database's URL: its password, as written and as meant, and keys in its query.

    If there is any, the URL as a whole too: such a password may hold characters that no address has.
    """
    # An unescaped @ in a password is an error, but no reason to show any of it.
    ends = (r"[^@]*", r".*")
    matches = (re.match(rf"(?s)[^:/]+://[^:/]*:({end})@", url) for end in ends)
    found = [match[1] for match in matches if match is not None]
    fields = (field.partition("=") for field in url.partition("?")[2].split("&"))
    found += [value for name, _, value in fields if value and names_a_secret(name, anywhere=True)]
    values = dict.fromkeys([*found, *map(unquote, found), *map(unquote_plus, found)])
    return [url, shlex.quote(url), *values] if values else []


def names_a_secret(name: str, *, surely: bool = False, anywhere: bool = False) -> bool:
    """Whether a variable, header or argument of that name (``api_key``, ``X-Token``, ``appSecret``) is not to be shown.

    One of its words decides. ``surely`` asks for more, for where it does harm to hide too much: it has to end in what
    stands for nothing but a secret (``stop_token`` and ``api_key_env`` do not). ``anywhere`` asks for less, for where it
    does none: such a word may be a part of another (``userkey``), unless that is an ordinary one (``tokenizer``).
    """
    readings = _readings(name)
    if surely:
        return any(_SURELY.fullmatch(" ".join(words)) for words in readings)
    if anywhere and _ANYWHERE.search(_ORDINARY.sub("", name)):
        return True
    return any(not _SECRET_NAMES.isdisjoint(words) or _names_a_session(words) for words in readings)


def _names_a_session(words: list[str]) -> bool:
    """``X-Session``, and not ``session_id``, ``XDG_SESSION_TYPE`` or ``DESKTOP_SESSION``, which say what was run where; an
    id that is a key is known by its looks.
    """
    return words[-1:] == [_SESSION] and _DESKTOP not in words


def _readings(name: str) -> tuple[list[str], list[str]]:
    """The words of a name: with a capital as the beginning of one (``appSecret``), and without (``PassPhrase``)."""
    return [word.upper() for word in _NAME_WORDS.findall(name)], _NAME_PARTS.findall(name.upper())


def _is_secret(name: str, value: str) -> bool:
    value = value.strip()
    if not names_a_secret(name) or len(value) < 8 or "://" in value:
        return False
    if value.lower() in _NOT_SECRET or value.startswith(("/", "./", "../", "~", "\\\\")) or value[1:3] == ":\\":
        return False
    if not _PASSWORD_NAMES.isdisjoint(word for words in _readings(name) for word in words):
        return not _exists(value)
    # Numbers (limits, sizes) and single words (methods, modes) are settings, not keys.
    return not (value.isdigit() or (value.isalpha() and value.islower() and len(value) < 16)) and not _exists(value)


def _exists(value: str) -> bool:
    try:
        return os.path.exists(value)
    except (OSError, ValueError):
        return False


def _forms(value: str) -> set[str]:
    """The ways a value can stand in a text: as it is, quoted in JSON once or twice, in a URL."""
    once = {value, _escaped(value), _ascii(value)}
    return once | {_escaped(form) for form in once} | {quote(value.encode("utf-8", "replace"), safe="")}


def _escaped(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _ascii(text: str) -> str:
    return json.dumps(text)[1:-1]


def _core(form: bytes) -> bytes:
    """The longest part of a value that ``line`` comes across in its runs for sure; empty when there is none."""
    core = max(re.findall(rb"[A-Za-z0-9_-]+", form), key=len, default=b"")
    word = core.isalpha() and core.islower()
    return core if len(core) >= (_WORD if word else _RUN) else b""
