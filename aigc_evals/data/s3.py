"""The client of an S3-compatible object store, and reading its objects. Needs the extra ``s3`` (boto3).

Address, region and credentials come from where every AWS tool has them: ``AWS_ENDPOINT_URL``, ``AWS_REGION``,
``AWS_ACCESS_KEY_ID``, ``AWS_PROFILE``, ``~/.aws/config`` and so on. boto3 repeats a request that may succeed later, at
most five attempts in all unless ``AWS_MAX_ATTEMPTS`` says otherwise.
"""

from __future__ import annotations

import hashlib
import io
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple

from aigc_evals.errors import DataError, UsageError

SCHEME = "s3://"
SHA256 = "sha256"
"""The key of an object's metadata under which its checksum is kept, in hexadecimal."""

ATTEMPTS = 5
_CONNECT_SECONDS = 15
_READ_SECONDS = 60
_BLOCK = 1 << 18
_LOGGERS = ("boto3", "botocore", "s3transfer")

_GONE = ("404", "NoSuchKey", "NotFound")
_DENIED = ("403", "AccessDenied", "AllAccessDisabled", "Forbidden", "AccountProblem")
_KEYS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "ExpiredToken",
    "InvalidToken",
    "AuthFailure",
    "TokenRefreshRequired",
)


class StoreError(DataError):
    """What a store answered, in words.

    ``kind`` is ``no_bucket``, ``no_key``, ``denied``, ``credentials``, ``unreachable``, ``changed``, ``checksum`` or
    ``other``.
    """

    def __init__(self, message: str, *, kind: str, path: object = None, hint: str | None = None) -> None:
        super().__init__(message, path=path, hint=hint)
        self.kind = kind


class Listed(NamedTuple):
    """An object as a listing shows it: key, size in bytes, entity tag."""

    key: str
    size: int
    etag: str


class Store:
    """A connection to a store. Its errors are ``StoreError``s in which no credential occurs; safe to use from threads."""

    def __init__(self, client: Any, secrets: tuple[str, ...]) -> None:
        from aigc_evals.redact import Redactor

        self.client = client
        self._redactor = Redactor.from_environment(os.environ, secrets)
        self.endpoint = self.mask(str(client.meta.endpoint_url))
        self.region = str(client.meta.region_name or "us-east-1")

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give up the connections."""
        self.client.close()

    def mask(self, text: str) -> str:
        """``text`` without credentials."""
        return self._redactor.text(text)

    def call(self, operation: str, **arguments: Any) -> Any:
        """One request; raises StoreError."""
        try:
            return getattr(self.client, operation)(**arguments)
        except Exception as error:  # botocore's errors share no base with those of the libraries below it
            raise self.error(error, arguments.get("Bucket"), arguments.get("Key")) from None

    def error(self, error: BaseException, bucket: str | None = None, key: str | None = None) -> StoreError:
        """``error`` in words that name the object and say what to do."""
        if isinstance(error, StoreError):
            return error
        kind, message, hint = _explained(error, self.endpoint)
        if kind == "no_key" and key is None:  # a store would have said that there is no such bucket
            kind, message = "other", f"what answers at {self.endpoint} knows no buckets"
            hint = "See AWS_ENDPOINT_URL."
        name = None if bucket is None else SCHEME + bucket + (f"/{key}" if key and kind != "no_bucket" else "")
        return StoreError(self.mask(message), kind=kind, path=name, hint=self.mask(hint) if hint else None)

    def list(self, bucket: str, prefix: str) -> Iterator[Listed]:
        """All objects whose keys begin with ``prefix``, in the order of their keys; 1,000 a request."""
        more: dict[str, str] = {}
        while True:
            page = self.call("list_objects_v2", Bucket=bucket, Prefix=prefix, **more)
            for found in page.get("Contents", ()):
                yield Listed(found["Key"], found["Size"], found.get("ETag", ""))
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def under(self, bucket: str, path: str) -> Iterator[Listed]:
        """The object of the key ``path``, and all below ``path/``; all of the bucket where ``path`` is empty."""
        if path:
            # The key itself sorts before all other keys that begin with it.
            page = self.call("list_objects_v2", Bucket=bucket, Prefix=path, MaxKeys=1)
            for found in page.get("Contents", ()):
                if found["Key"] == path:
                    yield Listed(path, found["Size"], found.get("ETag", ""))
        yield from self.list(bucket, f"{path}/" if path else "")


class ObjectReader(io.RawIOBase):
    """The bytes of an object from ``start`` on, checked against its checksum (if it has one) at the end.

    A connection that breaks is taken up again at the same byte, of the same version of the object. ``digest`` holds what
    comes before ``start``. Raises StoreError.
    """

    def __init__(
        self, store: Store, bucket: str, key: str, *, start: int = 0, etag: str = "", digest: Any = None
    ) -> None:
        self._store = store
        self._name = {"Bucket": bucket, "Key": key}
        self._position = start
        self._digest = digest or hashlib.sha256()
        self._failures = 0
        self._etag = etag
        self._body: Any = None
        self._owner: Store | None = None
        self._open()

    def owning(self, store: Store) -> ObjectReader:
        """This reader; closing it will close ``store`` too."""
        self._owner = store
        return self

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._position < self.size:
            try:
                content = self._body.read(min(len(buffer), self.size - self._position))
            except Exception as error:  # the same as in Store.call
                self._again(error)
                continue
            if content:
                self._failures = 0
                self._position += len(content)
                self._digest.update(content)
                buffer[: len(content)] = content
                return len(content)
            self._again(EOFError("the connection ended early"))
        if self.sha256 is not None and self._digest.hexdigest() != self.sha256:
            raise StoreError(
                "damaged: the content does not have the checksum that is kept with it",
                kind="checksum",
                path=SCHEME + self._name["Bucket"] + "/" + self._name["Key"],
                hint="Push it again from a good copy, with overwrite.",
            )
        return 0

    def close(self) -> None:
        if not self.closed:
            if self._body is not None:
                self._body.close()
            if self._owner is not None:
                self._owner.close()
        super().close()

    def _open(self) -> None:
        wanted = {"IfMatch": self._etag} if self._etag else {}
        if self._position:
            wanted["Range"] = f"bytes={self._position}-"
        answer = self._store.call("get_object", **self._name, **wanted)
        self._body = answer["Body"]
        self._etag = self._etag or answer.get("ETag", "")
        metadata: Mapping[str, str] = answer.get("Metadata", {})
        self.sha256: str | None = metadata.get(SHA256)
        part = answer.get("ContentRange")
        self.size = int(part.rpartition("/")[2]) if part else int(answer["ContentLength"])
        if part is None:
            self._pass_over(self._position)

    def _pass_over(self, count: int) -> None:
        """Read what a server sent though it was not asked for."""
        while count:
            content = self._body.read(min(count, _BLOCK))
            if not content:
                raise self._error(EOFError("the connection ended early"))
            count -= len(content)

    def _again(self, error: Exception) -> None:
        self._failures += 1
        self._body.close()
        if self._failures >= ATTEMPTS:
            raise self._error(error) from None
        time.sleep(0.1 * 2**self._failures)
        self._open()

    def _error(self, error: Exception) -> StoreError:
        return self._store.error(error, self._name["Bucket"], self._name["Key"])


def connect(connections: int = 10, *, path: object = None) -> Store:
    """The store that the environment names, for ``connections`` requests at a time.

    Makes no request. Raises StoreError where there are no credentials or a setting is wrong, DataError without boto3.
    """
    import warnings

    try:
        import boto3
        from botocore.session import Session
    except ImportError:
        raise DataError(
            "an object store needs the package boto3", path=path, hint='pip install "aigc_evals[s3]"'
        ) from None
    _hush()
    try:
        with (
            warnings.catch_warnings()
        ):  # that a version of Python will soon be too old for it is not the user's concern
            warnings.simplefilter("ignore")
            session = Session()
            found = session.get_credentials()
            credentials = None if found is None else found.get_frozen_credentials()
            if credentials is None or not credentials.access_key:
                raise _no_credentials("there are no credentials for the object store", path)
            region = os.environ.get("AWS_REGION") or None  # which boto3 itself does not read
            config = _config(session, connections)
            client = boto3.Session(botocore_session=session).client("s3", region_name=region, config=config)
    except DataError:
        raise
    except Exception as error:
        kind, message, hint = _explained(error, os.environ.get("AWS_ENDPOINT_URL", ""))
        raise StoreError(_masked(message), kind=kind, path=path, hint=hint) from None
    return Store(client, tuple(filter(None, (credentials.access_key, credentials.secret_key, credentials.token))))


def split(url: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``; the key may be empty."""
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise DataError("this names no bucket", path=url, hint="Wanted: s3://bucket/key")
    return bucket, key


def open_url(url: str) -> BinaryIO:
    """The bytes of ``s3://bucket/key`` as they are stored; raises DataError."""
    bucket, key = split(url)
    if not key or key.endswith("/"):
        raise DataError("this names no object", path=url, hint="Wanted: s3://bucket/key")
    store = connect(1, path=url)
    try:
        return io.BufferedReader(ObjectReader(store, bucket, key).owning(store), _BLOCK)
    except BaseException:
        store.close()
        raise


def jsonl_urls(url: str, suffixes: tuple[str, ...]) -> list[str]:
    """``url`` if an object has that name, else all objects below it whose names end in one of ``suffixes``, sorted by key,
    without those in dot folders.
    """
    bucket, key = split(url)
    with connect(1, path=url) as store:
        names = [found.key for found in store.under(bucket, key.rstrip("/"))]
    if key in names and key:
        return [url]
    start = len(key.rstrip("/"))
    below = [name for name in names if not any(part.startswith(".") for part in name[start:].split("/"))]
    chosen = [f"{SCHEME}{bucket}/{name}" for name in below if name.endswith(suffixes)]
    if not names:
        raise StoreError("no such data file", kind="no_key", path=url)
    if not chosen:
        raise DataError("this folder has no JSONL files", path=url, hint=f"Wanted: *{', *'.join(suffixes)}")
    return sorted(chosen)


def _config(session: Any, connections: int) -> Any:
    from botocore.config import Config

    profile = session.get_scoped_config()
    settings: dict[str, Any] = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": _READ_SECONDS,
        "max_pool_connections": connections,
    }
    retries: dict[str, Any] = {}
    settings["retries"] = retries
    if not _chosen(profile, "retry_mode"):
        retries["mode"] = "standard"
    if not _chosen(profile, "max_attempts"):
        retries["total_max_attempts"] = ATTEMPTS
    # Further checksums are refused by many stores that are not AWS's; ours is in the metadata, and requests are signed
    # with the checksum of what they carry.
    for name in ("request_checksum_calculation", "response_checksum_validation"):
        if not _chosen(profile, name):
            settings[name] = "when_required"
    return Config(**settings)


def _chosen(profile: Mapping[str, Any], name: str) -> bool:
    return bool(profile.get(name) or os.environ.get(f"AWS_{name.upper()}"))


def _hush() -> None:
    """Debugging messages of these packages have the headers that requests are signed with; they are never shown."""
    import logging

    for name in _LOGGERS:
        if logging.getLogger(name).level == logging.NOTSET:
            logging.getLogger(name).setLevel(logging.WARNING)


def _masked(text: str) -> str:
    from aigc_evals.redact import Redactor

    return Redactor.from_environment(os.environ).text(text)


def _no_credentials(message: str, path: object = None) -> StoreError:
    hint = "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with AWS_PROFILE."
    return StoreError(message, kind="credentials", path=path, hint=hint)


def _explained(error: BaseException, endpoint: str) -> tuple[str, str, str | None]:
    """The kind of an error, what it says, and what to do."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict) and "Error" in answer:
        return _answered(answer["Error"].get("Code", ""), answer["Error"].get("Message") or "", endpoint)
    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError") or "Token" in name:
        lacking = _no_credentials(f"the credentials of the object store cannot be used: {error}")
        return lacking.kind, lacking.message, lacking.hint
    if name in ("ProfileNotFound", "ConfigParseError", "ConfigNotFound", "InvalidConfigError"):
        return "credentials", str(error), "See AWS_PROFILE and ~/.aws/config."
    if name == "ParamValidationError":
        bucket = "Invalid bucket name" in str(error)
        return "other", "this is no name of a bucket" if bucket else f"{error}", None
    if name in ("ResponseParserError", "UnknownServiceError"):
        return "other", f"what answers at {endpoint} is no object store", "See AWS_ENDPOINT_URL."
    if isinstance(error, ValueError) and "endpoint" in str(error):
        return "other", str(error), "AWS_ENDPOINT_URL must be a whole address, such as http://localhost:9000"
    if isinstance(error, OSError) or _from_network(error):
        reason = " ".join(str(error).split()) or name
        return (
            "unreachable",
            f"the object store does not answer: {reason}",
            f"Is AWS_ENDPOINT_URL right? It is {endpoint}",
        )
    return "other", f"{name}: {error}", None


def _answered(code: str, message: str, endpoint: str) -> tuple[str, str, str | None]:
    if code == "NoSuchBucket":
        return "no_bucket", "no such bucket", f"Looked at {endpoint}"
    if code == "InvalidBucketName":
        return "other", "this is no name of a bucket", None
    if code in _GONE:
        return "no_key", "no such data file", None
    if code in _DENIED:
        return "denied", "access denied", "The credentials in use do not allow this."
    if code in _KEYS:
        hint = "See AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_PROFILE."
        return "credentials", f"the object store refuses the credentials: {code}", hint
    if code in ("412", "PreconditionFailed"):
        return "changed", "changed while it was read", "Try again."
    if code in ("301", "PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException"):
        return "other", f"the bucket is in another region: {message or code}", "See AWS_REGION and AWS_ENDPOINT_URL."
    away = code in ("500", "502", "503", "504", "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout")
    return "unreachable" if away else "other", f"the object store says {code}: {message}".removesuffix(": "), None


def _from_network(error: BaseException) -> bool:
    names = {cls.__name__ for cls in type(error).__mro__}
    return bool(names & {"HTTPClientError", "ConnectionError", "EOFError", "IncompleteReadError", "HTTPError"})


def require_plain_bucket(bucket: str) -> str:
    """``bucket`` if it is a name and no address; raises UsageError."""
    if not bucket or "/" in bucket or ":" in bucket:
        raise UsageError(f"a bucket is wanted by its name alone, got {bucket!r}", key="bucket")
    return bucket
