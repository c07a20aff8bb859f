"""The messages of ``sparkplug_b.proto``, made at import: no generated code has to fit the library's version.

They live in a pool of their own, so that another Sparkplug library in the same process does not clash with them.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError as DecodeError  # type: ignore[import-untyped]

PACKAGE: Final = "pilotbed.sparkplug"
_Field = descriptor_pb2.FieldDescriptorProto
_SCALARS: Final = {
    "uint32": _Field.TYPE_UINT32,
    "uint64": _Field.TYPE_UINT64,
    "float": _Field.TYPE_FLOAT,
    "double": _Field.TYPE_DOUBLE,
    "bool": _Field.TYPE_BOOL,
    "bytes": _Field.TYPE_BYTES,
}
_MESSAGES: Final = {
    "PropertyValue": (
        "type 1 uint32", "is_null 2 bool", "int_value 3 uint32 oneof", "long_value 4 uint64 oneof", "float_value 5 float oneof",
        "double_value 6 double oneof", "boolean_value 7 bool oneof", "string_value 8 bytes oneof",
        "propertyset_value 9 bytes oneof", "propertysets_value 10 bytes oneof", "extension_value 11 bytes oneof",
    ),
    "PropertySet": ("keys 1 bytes repeated", "values 2 PropertyValue repeated"),
    "Metric": (
        "name 1 bytes", "alias 2 uint64", "timestamp 3 uint64", "datatype 4 uint32", "is_historical 5 bool",
        "is_transient 6 bool", "is_null 7 bool", "properties 9 PropertySet", "int_value 10 uint32 oneof",
        "long_value 11 uint64 oneof", "float_value 12 float oneof", "double_value 13 double oneof",
        "boolean_value 14 bool oneof", "string_value 15 bytes oneof", "bytes_value 16 bytes oneof",
        "dataset_value 17 bytes oneof", "template_value 18 bytes oneof", "extension_value 19 bytes oneof",
    ),
    "Payload": ("timestamp 1 uint64", "metrics 2 Metric repeated", "seq 3 uint64", "uuid 4 bytes", "body 5 bytes"),
}  # fmt: skip


def file_descriptor() -> descriptor_pb2.FileDescriptorProto:
    """What a compiler makes of ``sparkplug_b.proto``."""
    made = descriptor_pb2.FileDescriptorProto(name="sparkplug_b.proto", package=PACKAGE)
    for name, fields in _MESSAGES.items():
        message = made.message_type.add(name=name)
        for field in fields:
            _add_field(message, *field.split(" "))
    return made


def _add_field(message: descriptor_pb2.DescriptorProto, name: str, number: str, kind: str, place: str = "") -> None:
    repeated = place == "repeated"
    field = message.field.add(name=name, number=int(number))
    field.label = _Field.LABEL_REPEATED if repeated else _Field.LABEL_OPTIONAL
    if kind in _SCALARS:
        field.type = _SCALARS[kind]
    else:
        field.type, field.type_name = _Field.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
    if place == "oneof":
        if not message.oneof_decl:
            message.oneof_decl.add(name="value")
        field.oneof_index = 0


_pool: Final = descriptor_pool.DescriptorPool()
_pool.Add(file_descriptor())
Payload: Final[Any] = message_factory.GetMessageClass(_pool.FindMessageTypeByName(f"{PACKAGE}.Payload"))
"""``FromString`` reads one, and raises :class:`DecodeError` alone."""
