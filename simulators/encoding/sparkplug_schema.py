"""The few fields of Sparkplug B's payload that an edge node writes and hears, by their numbers in the specification (6.4)."""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError as DecodeError  # type: ignore[import-untyped]

INT64, DOUBLE, BOOLEAN, STRING = 4, 10, 11, 12
"""Data types (6.4.16)."""

_Field: Final = descriptor_pb2.FieldDescriptorProto
_PACKAGE: Final = "edge"


def _message(name: str, fields: dict[str, tuple[int, int]]) -> descriptor_pb2.DescriptorProto:
    made = descriptor_pb2.DescriptorProto(name=name)
    for field, (number, kind) in fields.items():
        made.field.add(name=field, number=number, type=kind, label=_Field.LABEL_OPTIONAL)
    return made


_metric: Final = _message(
    "Metric",
    {
        "name": (1, _Field.TYPE_STRING),
        "alias": (2, _Field.TYPE_UINT64),
        "timestamp": (3, _Field.TYPE_UINT64),
        "datatype": (4, _Field.TYPE_UINT32),
        "is_null": (7, _Field.TYPE_BOOL),
        "long_value": (11, _Field.TYPE_UINT64),
        "double_value": (13, _Field.TYPE_DOUBLE),
        "boolean_value": (14, _Field.TYPE_BOOL),
        "string_value": (15, _Field.TYPE_STRING),
    },
)
_payload: Final = _message("Payload", {"timestamp": (1, _Field.TYPE_UINT64), "seq": (3, _Field.TYPE_UINT64)})
_payload.field.add(
    name="metrics", number=2, type=_Field.TYPE_MESSAGE, type_name=f".{_PACKAGE}.Metric", label=_Field.LABEL_REPEATED
)
# A pool of its own: another Sparkplug library in the same process does not clash with it.
_pool: Final = descriptor_pool.DescriptorPool()
_pool.Add(descriptor_pb2.FileDescriptorProto(name="edge.proto", package=_PACKAGE, message_type=[_metric, _payload]))
Payload: Final[Any] = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.Payload"))
