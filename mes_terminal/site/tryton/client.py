"""Calls of a Tryton server: JSON-RPC over HTTP, in a session of one user (Tryton 8.0).

Each call is a transaction of the server's own. Whoever calls gets the result or one of three
errors: `TransportError` (nobody knows whether it had its effect: ask, and try again for ever),
`ErpRefusedError` (Tryton said no, for a reason that a person can mend) and `ErpDeniedError` (the
bridge itself may not). Numbers are exact: what is no integer is a `Decimal` both ways.
"""

import base64
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import httpx
import msgspec

from mes_terminal.errors import StationError, TransportError

CONNECT_S: Final = 5.0
READ_S: Final = 60.0
"""How long one call may take: a close of a large order under load, many times over."""
RETRIED_FAILURES: Final = ("OperationalError", "InterfaceError", "PoolTimeout", "PoolError")
"""What the server's own failure is called when its database is away or overloaded."""

Row = dict[str, Any]
Domain = list[Any]

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ErpRefusedError(StationError):
    """Tryton refused: mend what the sentence says there and send again, or take it back."""

    def __init__(self, sentence: str, *, reason: str = "erp_refused") -> None:
        super().__init__(sentence, reason=reason)


class ErpDeniedError(StationError):
    """Tryton does not let the bridge in, or not do it: a matter of its user and its rights."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, reason="erp_denied")


class TrytonClient:
    """A session at one database of a Tryton server; begun by the first call, and again when the
    server has forgotten it. Not for several threads at once."""

    def __init__(
        self,
        url: str,
        database: str,
        user: str,
        password: str,
        *,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            timeout=httpx.Timeout(READ_S, connect=CONNECT_S),
            transport=transport,
            trust_env=False,
        )
        self._path = f"/{database}/rpc/"
        self._database = database
        self._user = user
        self._password = password
        self._session: str | None = None
        self.preferences: Row = {}
        """What Tryton takes for granted of this user: company, language."""

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def call(self, method: str, *params: Any, context: Row | None = None) -> Any:
        """Call a method and return its result."""
        self.log_in()
        told = self.preferences | (context or {})
        response = self._send(method, [*params, told])
        if response.status_code == httpx.codes.UNAUTHORIZED:  # the session was forgotten
            self._session = None
            self.log_in()
            response = self._send(method, [*params, told])
        return self._result(method, response)

    def log_in(self) -> None:
        """Begin a session if there is none. A refusal here has nothing to do with the call."""
        if self._session is not None:
            return
        try:
            self._log_in()
        except StationError as error:
            self._session = None  # without what the user prefers, a session is none
            if isinstance(error, ErpRefusedError):
                raise TransportError(error.sentence, reason="busy") from error
            raise

    def _log_in(self) -> None:
        parameters = [self._user, {"password": self._password}, "en"]
        response = self._send("common.db.login", parameters)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            raise ErpDeniedError(
                f"Tryton does not know user {self._user} with this password. "
                "Mend site.tryton.user or the password's file."
            )
        user_id, token, *_ = self._result("common.db.login", response)
        told = base64.b64encode(f"{self._user}:{user_id}:{token}".encode()).decode()
        self._session = f"Session {told}"
        response = self._send("model.res.user.get_preferences", [True, {}])
        told_of_user: Row = self._result("model.res.user.get_preferences", response)
        self.preferences = {
            name: told_of_user[name] for name in ("company", "language") if name in told_of_user
        }

    def search(
        self,
        model: str,
        domain: Domain,
        fields: list[str],
        *,
        limit: int | None = None,
        order: list[tuple[str, str]] | None = None,
        context: Row | None = None,
    ) -> list[Row]:
        """Return the records that fit, with these fields; by id unless `order` says otherwise."""
        sort = order or [("id", "ASC")]
        found: list[Row] = self.call(
            f"model.{model}.search_read", domain, 0, limit, sort, fields, context=context
        )
        return found

    def create(self, model: str, values: list[Row]) -> list[int]:
        """Create records and return their ids."""
        ids: list[int] = self.call(f"model.{model}.create", values)
        return ids

    def write(self, model: str, *changes: tuple[int, Row], context: Row | None = None) -> None:
        """Write several records in one transaction."""
        params: list[Any] = []
        for record_id, values in changes:
            params += [[record_id], values]
        self.call(f"model.{model}.write", *params, context=context)

    def press(self, model: str, button: str, *record_ids: int, no_warnings: bool = False) -> None:
        """Press a button of records' forms, in one transaction; those whose state does not fit are
        left as they are. `no_warnings`: as if somebody said yes to each."""
        context = {"_skip_warnings": True} if no_warnings else None
        self.call(f"model.{model}.{button}", list(record_ids), context=context)

    def _send(self, method: str, params: list[Any]) -> httpx.Response:
        headers = {"Content-Type": "application/json"}
        if self._session is not None:
            headers["Authorization"] = self._session
        body = _encode({"id": 0, "method": method, "params": params})
        try:
            response = self._http.post(self._path, content=body, headers=headers)
        except httpx.HTTPError as error:
            said = f"Tryton cannot be reached: {error or type(error).__name__}"
            raise TransportError(said) from error
        self._check(method, response)
        return response

    def _check(self, method: str, response: httpx.Response) -> None:
        status = response.status_code
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise TransportError(
                f"Tryton answered {status} to {method}", reason="busy",
                retry_after_s=_seconds(response.headers.get("Retry-After")),
            )  # fmt: skip
        if status == httpx.codes.NOT_FOUND:
            raise TransportError(
                f"Tryton has no database {self._database}, or it is away", reason="busy"
            )
        if status == httpx.codes.FORBIDDEN:
            raise ErpDeniedError(f"Tryton does not let {self._user} call {method}")
        if not response.is_success and status != httpx.codes.UNAUTHORIZED:
            raise ErpRefusedError(f"Tryton answered {status} to {method}", reason="erp_failed")

    def _result(self, method: str, response: httpx.Response) -> Any:
        try:
            told = json.loads(response.content, parse_float=Decimal, object_hook=_value)
        except ValueError as error:
            raise TransportError(f"Tryton answered {method} with no JSON", reason="busy") from error
        if isinstance(told, dict) and "error" in told:
            raise _error(method, told["error"])
        return told["result"] if isinstance(told, dict) and "result" in told else told


def numeric(value: Decimal) -> Row:
    """Return an amount of money as Tryton's JSON has it."""
    return {"__class__": "Decimal", "decimal": str(value)}


def day(value: date) -> Row:
    """Return a day as Tryton's JSON has it."""
    return {"__class__": "date", "year": value.year, "month": value.month, "day": value.day}


def instant(value: datetime) -> Row:
    """Return an instant as Tryton's JSON has it; it keeps UTC without saying so."""
    return day(value) | {
        "__class__": "datetime", "hour": value.hour, "minute": value.minute,
        "second": value.second, "microsecond": value.microsecond,
    }  # fmt: skip


def _value(told: Row) -> Any:
    match told.get("__class__"):
        case "Decimal":
            return Decimal(told["decimal"])
        case "date":
            return date(told["year"], told["month"], told["day"])
        case "datetime":
            return datetime(
                told["year"], told["month"], told["day"],
                told["hour"], told["minute"], told["second"], told["microsecond"],
            )  # fmt: skip
        case _:
            return told


def _error(method: str, error: Any) -> StationError:
    kind, *rest = error if isinstance(error, list) and error else [str(error)]
    match kind:
        case "UserError" | "UserWarning":
            parts = rest[0] if rest and isinstance(rest[0], list) else [str(rest)]
            words = parts[1:] if kind == "UserWarning" else parts[:2]
            return ErpRefusedError(f"Tryton: {' '.join(str(one) for one in words if one)}")
        case "ConcurrencyException":
            return TransportError("Somebody else changed it in Tryton meanwhile", reason="busy")
        case "LoginException" | "RateLimitException":
            return ErpDeniedError(f"Tryton does not let the bridge in: {rest}")
        case _:
            trace = str(rest[0]) if rest else ""
            if any(name in trace for name in RETRIED_FAILURES):
                return TransportError(f"Tryton's database is away: {kind}", reason="busy")
            return ErpRefusedError(f"Tryton failed in {method}: {kind}", reason="erp_failed")


def _seconds(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None
