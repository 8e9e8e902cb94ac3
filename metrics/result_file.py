"""``NAME.json``: a method's result as a file, written whole and read with distrust.

Strict JSON, UTF-8. Beside what :class:`~singinghead.metrics.results.MethodResult` holds, for people and scripts that read
it: ``metrics``, ``reasons`` and ``n_averaged`` are the headline, over the sequences valid for every method that was compared
(``compared_with``); ``units``; ``n_sequences`` measured and ``n_failed``; ``model`` and ``mask_sha256``, which are
conditions. These are made anew from the rest whenever results are compared again, and are not read back.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from os import PathLike
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args

from singinghead.flame_model.errors import InputError
from singinghead.flame_model.whole_file import write_whole
from singinghead.metrics.comparison import Comparison, compare
from singinghead.metrics.definitions import Better, Metric
from singinghead.metrics.results import MethodResult, Pooled, Role, SequenceRecord, check_result

SCHEMA = 1
"""Of the file; a reader refuses those that are newer than itself."""

_MARK = "singinghead_result"
_CURVE_DIGITS = 5

Read = TypeVar("Read")


def write_result(result: MethodResult, path: str | PathLike[str], comparison: Comparison | None = None) -> None:
    """Write a result.

    Args:
        result: what to write. Values keep every bit; curves, which are for figures, five digits.
        path: ``NAME.json``; overwritten.
        comparison: with which others its headline is; default: alone.

    Raises:
        InputError: it holds a value that is neither finite nor null with a reason, or the file cannot be written.
    """
    check_result(result)
    together = comparison or compare([result])
    values = {metric.name: together.value(result, metric.name) for metric in result.definitions}
    document: dict[str, Any] = {
        _MARK: SCHEMA,
        "method": result.method,
        "role": result.role,
        "benchmark": result.benchmark,
        "protocol": result.protocol,
        "metrics": {name: value.value for name, value in values.items()},
        "units": {metric.name: metric.unit for metric in result.definitions},
        "reasons": {name: value.reason for name, value in values.items() if value.value is None},
        "n_averaged": {name: value.n for name, value in values.items()},
        "compared_with": [other.method for other in together.methods if other.method != result.method],
        "n_sequences": len(result.sequences),
        "n_failed": len(result.failures),
        "failures": dict(result.failures),
        "n_samples": result.n_samples,
        "model": result.conditions.get("model"),
        "mask_sha256": result.conditions.get("mask_sha256"),
        "conditions": dict(result.conditions),
        "versions": dict(result.versions),
        "settings": dict(result.settings),
        "notes": list(result.notes),
        "definitions": [asdict(metric) for metric in result.definitions],
        "pooled": {name: asdict(value) for name, value in result.pooled.items()},
        "sequences": [_written(record) for record in result.sequences],
    }
    write_whole(Path(path), _text(document))


def read_result(path: str | PathLike[str]) -> MethodResult:
    """Read a result.

    Raises:
        InputError: the file is missing, broken, of another kind, of a newer version, or holds what no result may.
    """
    place = Path(path)
    try:
        document = json.loads(place.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=place) from None
    except RecursionError:
        raise InputError("is not a result: it is nested too deeply", file=place) from None
    except ValueError as error:
        raise InputError(f"is not strict JSON: {error}", file=place, remedy="measure the method anew") from None
    if not isinstance(document, dict) or _MARK not in document:
        raise InputError("is not a result of a singinghead benchmark", file=place, remedy="give the NAME.json it wrote")
    schema = document[_MARK]
    if type(schema) is not int or schema < 1:
        raise InputError(f"{_MARK} is no version", file=place)
    if schema > SCHEMA:
        raise InputError(f"is of version {schema}; this singinghead reads up to {SCHEMA}", file=place, remedy="update it")
    try:
        result = _result(_Fields(document))
    except _WrongTypeError as error:
        raise InputError(str(error), file=place, remedy="measure the method anew") from None
    check_result(result, str(place))
    return result


def _text(document: Mapping[str, Any]) -> str:
    """One line an entry, and one a sequence: a person can read it, and it can be compared by line."""

    def line(value: object) -> str:
        return json.dumps(value, ensure_ascii=False, allow_nan=False)

    entries = []
    for key, value in document.items():
        rows = [f"  {line(row)}" for row in value] if key in ("sequences", "definitions") else []
        entries.append(f" {line(key)}: " + ("[\n" + ",\n".join(rows) + "\n ]" if rows else line(value)))
    return "{\n" + ",\n".join(entries) + "\n}\n"


def _written(record: SequenceRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "metrics": {name: None if value is None else float(value) for name, value in record.metrics.items()},
        "reasons": dict(record.reasons),
        "notes": list(record.notes),
        "curves": {
            name: [float(f"{value:.{_CURVE_DIGITS}g}") for value in values] for name, values in record.curves.items()
        },
    }


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


class _WrongTypeError(Exception):
    """An entry of the file is missing or of another type; the message names it."""


class _Fields:
    """An object of the file, whose entries are asked for by type."""

    def __init__(self, entries: object, where: str = "") -> None:
        if not isinstance(entries, dict):
            raise _WrongTypeError(f"{where} must be an object")
        self._entries = entries
        self._prefix = f"{where}." if where else ""

    def text(self, key: str) -> str:
        return _text_of(*self._entry(key))

    def choice(self, key: str, kind: Any) -> Any:
        text = self.text(key)
        if text not in get_args(kind):
            raise _WrongTypeError(f"{self._prefix}{key} is {text!r}, not one of {', '.join(get_args(kind))}")
        return text

    def count(self, key: str) -> int:
        value, where = self._entry(key)
        if type(value) is not int:
            raise _WrongTypeError(f"{where} must be a whole number")
        return value

    def number(self, key: str) -> float | None:
        return _number_or_null(*self._entry(key))

    def tuple_of(self, key: str, read: Callable[[object, str], Read]) -> tuple[Read, ...]:
        return _tuple_of(read)(*self._entry(key))

    def mapping_of(self, key: str, read: Callable[[object, str], Read]) -> dict[str, Read]:
        value, where = self._entry(key)
        if not isinstance(value, dict):
            raise _WrongTypeError(f"{where} must be an object")
        return {_text_of(name, where): read(entry, f"{where}.{name}") for name, entry in value.items()}

    def _entry(self, key: str) -> tuple[object, str]:
        if key not in self._entries:
            raise _WrongTypeError(f"{self._prefix}{key} is missing")
        return self._entries[key], f"{self._prefix}{key}"


def _result(fields: _Fields) -> MethodResult:
    return MethodResult(
        method=fields.text("method"),
        benchmark=fields.text("benchmark"),
        protocol=fields.text("protocol"),
        definitions=fields.tuple_of("definitions", _metric),
        sequences=fields.tuple_of("sequences", _record),
        failures=fields.mapping_of("failures", _text_of),
        n_samples=fields.count("n_samples"),
        conditions=fields.mapping_of("conditions", _anything),
        versions=fields.mapping_of("versions", _text_of),
        settings=fields.mapping_of("settings", _anything),
        notes=fields.tuple_of("notes", _text_of),
        role=fields.choice("role", Role),
        pooled=fields.mapping_of("pooled", _pooled),
    )


def _record(value: object, where: str) -> SequenceRecord:
    fields = _Fields(value, where)
    return SequenceRecord(
        id=fields.text("id"),
        metrics=fields.mapping_of("metrics", _number_or_null),
        reasons=fields.mapping_of("reasons", _text_of),
        notes=fields.tuple_of("notes", _text_of),
        curves=fields.mapping_of("curves", _tuple_of(_number)),
    )


def _metric(value: object, where: str) -> Metric:
    fields = _Fields(value, where)
    return Metric(fields.text("name"), fields.text("unit"), fields.choice("better", Better), fields.text("meaning"))


def _pooled(value: object, where: str) -> Pooled:
    fields = _Fields(value, where)
    return Pooled(fields.number("value"), fields.tuple_of("ids", _text_of), fields.text("reason"))


def _tuple_of(read: Callable[[object, str], Read]) -> Callable[[object, str], tuple[Read, ...]]:
    def read_all(value: object, where: str) -> tuple[Read, ...]:
        if not isinstance(value, list):
            raise _WrongTypeError(f"{where} must be a list")
        return tuple(read(entry, f"{where}[{index}]") for index, entry in enumerate(value))

    return read_all


def _number(value: object, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _WrongTypeError(f"{where} must be a number")
    try:
        return float(value)
    except OverflowError:
        raise _WrongTypeError(f"{where} is too large for a number") from None


def _number_or_null(value: object, where: str) -> float | None:
    return None if value is None else _number(value, where)


def _text_of(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _WrongTypeError(f"{where} must be a text")
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _WrongTypeError(f"{where} holds half a character")
    return value


def _anything(value: object, _where: str) -> object:
    return value
