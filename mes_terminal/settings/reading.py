"""From TOML and the environment to `Settings`, with a clear sentence for every mistake.

Order of search: the file named, `config/station.toml`, the user's configuration folder, none.
`MES_TERMINAL_STATION__ID` in the environment wins over `station.id` in the file. An unknown key or
a wrong type is an `InputError` that names the key and the mend.
"""

import difflib
import os
import tomllib
import types
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeGuard, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from mes_terminal.domain.policy import APPROVAL_DEVICE
from mes_terminal.domain.said_value import said_value
from mes_terminal.errors import InputError
from mes_terminal.settings.tables import Percent, Settings, check_levels, code_patterns
from mes_terminal.settings.upstream_tables import SECRETS

ENVIRONMENT_PREFIX: Final = "MES_TERMINAL_"
CONFIG_FILE: Final = Path("config/station.toml")
SETTINGS_MAX_BYTES: Final = 1 << 20
"""More than any plant writes by hand; a larger file is not a settings file."""
PERCENT_MAX: Final = 1000
"""Ten times over is no tolerance any more; it also keeps micro-percent within 64 bits."""


def read_settings(
    file: Path | None = None, *, environment: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings of `file`, else of the first file found, with the environment's changes.

    Raises `InputError` with the path of the key and the mend.
    """
    found = file if file is not None else find_file()
    raw = _read_toml(found) if found is not None else {}
    where = f"{found}: " if found is not None else ""
    _check(raw, Settings, "", where)
    _refuse_secrets(raw, where)
    changes = os.environ if environment is None else environment
    for name in sorted(changes):
        if name.startswith(ENVIRONMENT_PREFIX) and "__" in name:
            _change(raw, name, changes[name])
    settings = msgspec.convert(raw, Settings, strict=False)
    settings.rules()
    return settings


def find_file() -> Path | None:
    """Return the settings file that is used when none is named; `None` if there is none."""
    if CONFIG_FILE.is_file():
        return CONFIG_FILE
    from platformdirs import user_config_path

    personal = user_config_path("mes-terminal") / "station.toml"
    return personal if personal.is_file() else None


def _read_toml(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            content = stream.read(SETTINGS_MAX_BYTES + 1)
    except OSError as error:
        raise _fault(
            f"{file}: cannot be read ({error.strerror}). Name another with --config."
        ) from error
    if len(content) > SETTINGS_MAX_BYTES:
        raise _fault(f"{file}: is too large for a settings file. Name another with --config.")
    try:
        return tomllib.loads(content.decode("utf-8-sig"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _fault(f"{file}: is no valid TOML: {error}. Mend that line.") from error


def _fault(sentence: str) -> InputError:
    return InputError(sentence, reason="settings")


def _refuse_secrets(raw: dict[str, Any], where: str) -> None:
    """Raise `InputError` for a secret that stands in the file."""
    for path in sorted(SECRETS):
        table: Any = raw
        for key in path.split("."):
            table = table.get(key) if isinstance(table, dict) else None
        if table is not None:
            name = ENVIRONMENT_PREFIX + path.upper().replace(".", "__")
            raise _fault(
                f"{where}{path} is a secret and does not belong here. Write it into a file and "
                f"name that in {path}_file, or set {name}."
            )


def _check(raw: Any, expected: Any, path: str, where: str, *, strict: bool = True) -> None:
    """Raise `InputError` at the first key of `raw` that is unknown or has a wrong type."""
    expected = _when_there(expected)
    if _is_table(expected) and isinstance(raw, dict):
        fields = {field.name: field.type for field in msgspec.structs.fields(expected)}
        for key, value in raw.items():
            here = f"{path}.{key}" if path else key
            if key not in fields:
                raise _fault(f"{where}{here} is no setting. {_nearest(key, path, list(fields))}")
            _check(value, fields[key], here, where, strict=strict)
    elif get_origin(expected) is dict and isinstance(raw, dict):
        key_type, value_type = get_args(expected)
        known = [str(name) for name in get_args(key_type)]
        for key, value in raw.items():
            if known and key not in known:
                raise _fault(f"{where}{path}.{key} is no setting. {_nearest(key, path, known)}")
            _check(value, value_type, f"{path}.{key}", where, strict=strict)
    else:
        _check_value(raw, expected, path, where, strict=strict)
    if path == "codes.patterns" and isinstance(raw, dict):
        code_patterns(raw, where)
    if path == "policy" and isinstance(raw, dict):
        check_levels(raw, where)
    if path == f"scanner.{APPROVAL_DEVICE}":
        raise _fault(f"{where}{path}: the station itself is called so. Rename it.")


def _check_value(raw: Any, expected: Any, path: str, where: str, *, strict: bool) -> None:
    wrong = strict and expected is Percent and isinstance(raw, str)
    try:
        value = msgspec.convert(raw, expected, strict=strict)
    except msgspec.ValidationError:
        wrong = True
    if wrong or (expected is Percent and not _is_percentage(value)):
        raise _fault(f"{where}{path} is {said_value(raw)}. It must be {_wanted(expected)}.")


def _is_percentage(value: Decimal) -> bool:
    return value.is_finite() and 0 <= value <= PERCENT_MAX and not (value * 1_000_000) % 1


def _is_table(expected: Any) -> TypeGuard[type[Struct]]:
    return isinstance(expected, type) and issubclass(expected, Struct)


def _when_there(expected: Any) -> Any:
    """Return what an optional type is when it is there; every other type as it is."""
    if get_origin(expected) in (Union, types.UnionType):
        inner = [part for part in get_args(expected) if part is not type(None)]
        return inner[0] if len(inner) == 1 else expected
    return expected


def _nearest(key: str, path: str, known: list[str]) -> str:
    close = difflib.get_close_matches(key.lower(), known, n=1)
    prefix = f"{path}." if path else ""
    if close:
        return f"Did you mean {prefix}{close[0]}?"
    return f"Known here: {', '.join(sorted(known))}."


_WORDS: Final[Mapping[Any, str]] = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    Decimal: f"a number from 0 to {PERCENT_MAX} with at most six decimal places",
}


def _wanted(expected: Any) -> str:
    """Say in words which values `expected` allows."""
    expected = _when_there(expected)
    origin = get_origin(expected)
    if origin is Literal:
        return "one of " + ", ".join(str(value) for value in get_args(expected))
    if origin is tuple:
        return f"a list, each {_wanted(get_args(expected)[0])}"
    if origin is dict or _is_table(expected):
        return "a table"
    if origin is Annotated:
        base, meta = get_args(expected)
        words = _WORDS[base]
        if meta.pattern is not None:
            words += f" like {meta.pattern}"
        if meta.min_length is not None:
            words += ", not empty"
        low = f" from {meta.ge}" if meta.ge is not None else ""
        return words + low + (f" to {meta.le}" if meta.le is not None else "")
    return _WORDS[expected]


def _change(raw: dict[str, Any], name: str, value: str) -> None:
    """Set one key from the environment; the value is read as the key's type wants it."""
    parts = name.removeprefix(ENVIRONMENT_PREFIX).split("__")
    table = raw
    for part in parts[:-1]:
        table = table.setdefault(_key(table, part), {})
        if not isinstance(table, dict):
            raise _fault(f"{name} names no setting. Its path is TABLE__KEY.")
    key = _key(table, parts[-1])
    if parts[0].upper() == "POLICY" and key in ("a", "b", "c"):
        key = key.upper()
    table[key] = _listed(value)
    _check(raw, Settings, "", f"{name}: ", strict=False)


def _key(table: Mapping[str, Any], part: str) -> str:
    """Return the key of `table` that `part` means, whatever its case and with `_` for `-`."""
    wanted = part.lower()
    return next((key for key in table if key.lower().replace("-", "_") == wanted), wanted)


def _listed(value: str) -> Any:
    if value.startswith("["):
        try:
            return tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            return value
    return value
