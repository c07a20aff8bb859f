"""The data types of metrics: what stands in a metric's value → a plain number, text or truth.

Source: Sparkplug 3.0.0, 6.4.16. Signed integers travel as two's complement in unsigned fields, of their own width or the field's.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from ingest import reasons
from ingest.reasons import Refused

(INT8, INT16, INT32, INT64, UINT8, UINT16, UINT32, UINT64, FLOAT, DOUBLE, BOOLEAN, STRING, DATETIME, TEXT, UUID) = (
    range(1, 16)
)
"""What a channel's value may be of. 0 is none that we know; the others, to 34, are named and passed over."""
NAMES: Final = (
    "Unknown", "Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64", "Float", "Double", "Boolean", "String",
    "DateTime", "Text", "UUID", "DataSet", "Bytes", "File", "Template", "PropertySet", "PropertySetList", "Int8Array",
    "Int16Array", "Int32Array", "Int64Array", "UInt8Array", "UInt16Array", "UInt32Array", "UInt64Array", "FloatArray",
    "DoubleArray", "BooleanArray", "StringArray", "DateTimeArray",
)  # fmt: skip
SIGNED_BITS: Final = {INT8: 8, INT16: 16, INT32: 32, INT64: 64}
UNSIGNED_BITS: Final = {UINT8: 8, UINT16: 16, UINT32: 32, UINT64: 64}
_TEXTS: Final = frozenset({STRING, TEXT, UUID})
_NUMBERS: Final = frozenset({*SIGNED_BITS, *UNSIGNED_BITS, FLOAT, DOUBLE})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 253_402_300_799_999
_BAD, _STALE = 0, 500
_OWN_FIELD: Final = {
    "float_value": FLOAT, "double_value": DOUBLE, "boolean_value": BOOLEAN, "string_value": STRING,
}  # fmt: skip
"""The fields that say by themselves what they hold."""


def named(datatype: int) -> str:
    """
    >>> named(3), named(99)
    ('Int32', '99')
    """
    return NAMES[datatype] if datatype < len(NAMES) else str(datatype)


def is_told(metric: Any) -> bool:
    """Whether a metric says by itself how its value is to be read."""
    return (
        bool(metric.datatype) or bool(metric.is_null) or metric.WhichOneof("value") not in ("int_value", "long_value")
    )


def value(metric: Any, datatype: int) -> int | float | bool | str:
    """What a metric's value is, by its data type; 0: by its field.

    :raises Refused: it has none, or none of that type; its sender calls it bad.
    """
    field = metric.WhichOneof("value")
    if metric.is_null or field is None:
        raise Refused(reasons.NO_VALUE, "is_null" if metric.is_null else "-")
    _require_quality(metric)
    held = getattr(metric, field)
    datatype = datatype or _OWN_FIELD.get(field, 0)
    if datatype > UUID or field in ("bytes_value", "dataset_value", "template_value", "extension_value"):
        raise Refused(reasons.NOT_A_SINGLE_VALUE, f"{named(datatype)} {field}")
    if field in ("int_value", "long_value"):
        if datatype in SIGNED_BITS:
            return _signed(held, SIGNED_BITS[datatype], field)
        if datatype in UNSIGNED_BITS and held < 1 << UNSIGNED_BITS[datatype]:
            return int(held)
        if datatype == DATETIME and held <= _LAST_MS:
            return (_EPOCH + timedelta(milliseconds=held)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    elif field in ("float_value", "double_value"):
        if datatype in _NUMBERS:
            return float(held)
    elif field == "boolean_value":
        if datatype == BOOLEAN:
            return bool(held)
    elif datatype in _TEXTS:
        return bytes(held).decode("utf-8", "replace")
    raise Refused(reasons.OTHER_TYPE, f"{named(datatype)} {field}={_short(held)}")


def _signed(held: int, bits: int, field: str) -> int:
    half, whole = 1 << bits - 1, 1 << (32 if field == "int_value" else 64)
    if held < half:
        return held
    if held < 2 * half:
        return held - 2 * half
    if held >= whole - half:
        return held - whole
    if field == "long_value" and (1 << 32) - half <= held < 1 << 32:  # of a 32-bit field, moved into the longer one
        return held - (1 << 32)
    raise Refused(reasons.OTHER_TYPE, f"Int{bits} {field}={held}")


def _require_quality(metric: Any) -> None:
    """
    :raises Refused: the sender itself calls the value bad or stale.
    """
    if not metric.HasField("properties"):
        return
    properties = metric.properties
    for key, found in zip(properties.keys, properties.values, strict=False):
        if key in (b"Quality", b"quality") and found.WhichOneof("value") in ("int_value", "long_value"):
            code = found.int_value or found.long_value
            if code in (_BAD, _STALE):
                raise Refused(reasons.BAD_QUALITY, f"Quality={code}")


def shown(metric: Any) -> Any:
    """A metric's value for the record of what was refused."""
    field = metric.WhichOneof("value")
    if metric.is_null or field is None:
        return None
    return _short(getattr(metric, field))


def _short(held: Any) -> Any:
    if type(held) is bytes:
        return held[:60].decode("utf-8", "replace")
    return held if type(held) is not float or math.isfinite(held) else str(held)
