"""Which errors of MLflow pass by themselves (or once somebody mends the store), and which are its answer."""

from __future__ import annotations

import re
import sqlite3

# What MLflow says of the request itself: to send it again would get the same answer.
_ANSWERS = frozenset(
    {
        *("BAD_REQUEST", "INVALID_PARAMETER_VALUE", "INVALID_STATE", "MALFORMED_REQUEST", "RESOURCE_ALREADY_EXISTS"),
        *("RESOURCE_DOES_NOT_EXIST", "RESOURCE_CONFLICT", "NOT_IMPLEMENTED", "FEATURE_DISABLED"),
    }
)
_HTTP_ANSWERS = frozenset({400, 405, 409, 411, 413, 414, 415, 422})  # the same, for files
_SYSTEM_SAYS = re.compile(r"\[Errno -?\d+\] ([^'\")]+)|((?:read|connect)?.?timed out)", re.IGNORECASE)


class Unreachable(Exception):
    """The store does not take anything at present; to be tried again. Its text says why."""


def passes(error: BaseException) -> bool:
    """Whether to try again later: the store is down, slow, locked, or does not know us (yet)."""
    if isinstance(error, Unreachable | sqlite3.OperationalError):
        return True
    import requests
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import DBAPIError

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code not in _HTTP_ANSWERS
    if isinstance(error, DBAPIError | OSError):
        return True  # requests' other errors are OSErrors
    return isinstance(error, MlflowException) and error.error_code not in _ANSWERS


def reason(error: BaseException) -> str:
    """Why, in one line: the system's own words where a request failed on its way."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    found = _SYSTEM_SAYS.search(text)
    return (f"{text.split(' failed with exception')[0]}: {found[1] or found[2]}" if found else text)[:300]
