"""The error tree: every failure a caller may want to tell apart, in one place.

    HokusaiError
    ├── InvalidInputError (ValueError)           400  what the caller gave is wrong
    │   ├── ConfigurationError                        a setting, parameter or environment variable
    │   ├── DataError                                 a data file: unreadable, ragged, badly encoded
    │   │   └── SchemaError                           readable, but columns or values do not fit
    │   └── MetricError                               a metric's name or value
    ├── NotFoundError (LookupError)              404  a name that should exist does not
    ├── ConflictError                            409  somebody else holds this name or state
    ├── IntegrityError                           422  bytes, digest or signature do not match
    │   └── UntrustedModelError                       a model file that may not be loaded
    ├── MissingExtraError (ImportError)          501  an optional dependency is not installed
    └── BackendUnavailableError (ConnectionError) 503 MLflow, Redis, PostgreSQL or S3 cannot be reached

Each class also inherits the builtin that a caller would expect, has a stable `code` for machines and
one HTTP status. The text always says what was wrong and where, and `hint` says what to do about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from hokusai.domain.schema_report import SchemaReport


class HokusaiError(Exception):
    """Base of every error that Hokusai raises on purpose.

    Args:
        what: One sentence: what was got and what was expected.
        where: The file, line, column, parameter or address concerned, if there is one.
        hint: What the reader can do next, if it is known.

    >>> print(HokusaiError("The file is empty", where="a.csv", hint="Give a file with rows."))
    The file is empty (a.csv). Give a file with rows.
    """

    code: ClassVar[str] = "hokusai_error"
    http_status: ClassVar[int] = 500

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        super().__init__(what)

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        sentence = f"{self.what.rstrip('.')}{place}."
        return f"{sentence} {self.hint}" if self.hint else sentence

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.what, self.where, self.hint))


def _rebuild(cls: type[HokusaiError], what: str, where: str, hint: str) -> HokusaiError:
    return cls(what, where=where, hint=hint)


class InvalidInputError(HokusaiError, ValueError):
    """What the caller gave is wrong."""

    code = "invalid_input"
    http_status = 400


class ConfigurationError(InvalidInputError):
    """A setting, parameter or environment variable has a value that cannot be used."""

    code = "configuration_invalid"


class DataError(InvalidInputError):
    """A data file cannot be read as what it claims to be."""

    code = "data_invalid"


class SchemaError(DataError):
    """A data file was read, but its columns or values do not fit what the task needs.

    Attributes:
        report: What was found where, with values, if rows were held against a schema. It stays in this process: it is
            not part of the text, nor of what is pickled.
    """

    code = "schema_invalid"
    report: SchemaReport | None = None


class MetricError(InvalidInputError):
    """A metric's name or value is not usable."""

    code = "metric_invalid"


class NotFoundError(HokusaiError, LookupError):
    """Something that was named does not exist."""

    code = "not_found"
    http_status = 404


class ConflictError(HokusaiError):
    """The name is taken, or the state changed underneath."""

    code = "conflict"
    http_status = 409


class IntegrityError(HokusaiError):
    """Bytes, digest or signature do not match what was recorded."""

    code = "integrity_failed"
    http_status = 422


class UntrustedModelError(IntegrityError):
    """A model file may not be loaded because loading it could run somebody else's code."""

    code = "model_untrusted"


class MissingExtraError(HokusaiError, ImportError):
    """An optional dependency is not installed; the text names the pip line that installs it."""

    code = "extra_missing"
    http_status = 501


class BackendUnavailableError(HokusaiError, ConnectionError):
    """A server that the operation needs cannot be reached."""

    code = "backend_unavailable"
    http_status = 503
