"""The heads of all leaves of the bundled seals, as a Parquet member: by them an omission shows.

Those whose content is in the bundle have their proof: the neighbours on the way to the root of their seal, lowest first.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import RawIOBase
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from core.window import micros
from telemetry.evidence.damaged import Damaged
from telemetry.seals.leaves import Leaf

INSTANT: Final = pa.timestamp("us", tz="UTC")
SCHEMA: Final = pa.schema(
    [
        pa.field("seal", pa.int32(), metadata={"description": "number of the seal along the pilot's chain"}),
        pa.field("place", pa.int32(), metadata={"description": "of the leaf in the seal's tree, from 0"}),
        pa.field("kind", pa.string(), metadata={"description": "reading, or the kind of its lines"}),
        pa.field("identity", pa.string(), metadata={"description": "pilot/slot/channel/revision, or pilot:kind"}),
        pa.field("unit", pa.string(), metadata={"description": "of the readings"}),
        pa.field("hour", INSTANT, metadata={"description": "of receipt; empty: not of readings"}),
        pa.field("n", pa.int64(), metadata={"description": "rows"}),
        pa.field("first_observed", INSTANT, metadata={"description": "least instant of observation"}),
        pa.field("last_observed", INSTANT, metadata={"description": "greatest instant of observation"}),
        pa.field("hash", pa.binary(32), metadata={"description": "SHA-256 of the leaf"}),
        pa.field("proof", pa.binary(), metadata={"description": "hashes of 32 bytes; empty: content not in this bundle"}),
    ]
)  # fmt: skip
_AT_ONCE: Final = 16_384
"""Rows of a row group."""
_HASH: Final = 32
_HEAD: Final = np.dtype(
    [
        ("seal", "<i4"), ("place", "<i4"), ("hour_us", "<i8"), ("n", "<i8"), ("first_us", "<i8"), ("last_us", "<i8"),
        ("hash", "V32"),
    ]
)  # fmt: skip
_PACK: Final = struct.Struct("<iiqqqq32s")


@dataclass(frozen=True, slots=True)
class Proven:
    """A leaf's head, with its proof if its content is in the bundle."""

    leaf: Leaf
    proof: bytes | None
    """The hashes one after the other."""

    def path(self) -> list[bytes]:
        proof = self.proof or b""
        return [proof[at : at + _HASH] for at in range(0, len(proof), _HASH)]


class Hours:
    """The heads of the channel-hours whose rows are in a bundle, 68 bytes each, in the order in which the rows stand: by
    identity, then seal, then hour."""

    def __init__(self) -> None:
        self._packed: dict[str, bytearray] = {}
        self._units: dict[str, str] = {}
        self.rows = 0

    def add(self, seal: int, place: int, leaf: Leaf) -> None:
        assert leaf.hour_us is not None and leaf.first_us is not None and leaf.last_us is not None
        if self._units.setdefault(leaf.identity, leaf.unit) != leaf.unit:
            raise Damaged(
                f"The leaves of {leaf.identity} have several units: {self._units[leaf.identity]}, {leaf.unit}."
            )
        packed = _PACK.pack(seal, place, leaf.hour_us, leaf.n, leaf.first_us, leaf.last_us, leaf.hash)
        self._packed.setdefault(leaf.identity, bytearray()).extend(packed)
        self.rows += leaf.n

    def identities(self) -> list[str]:
        return sorted(self._packed, key=str.encode)

    def unit(self, identity: str) -> str:
        return self._units[identity]

    def of(self, identity: str) -> NDArray[Any]:
        """The heads as an array with the fields ``seal place hour_us n first_us last_us hash``."""
        return np.frombuffer(bytes(self._packed.get(identity, b"")), dtype=_HEAD)


class HeadsWriter:
    """Writes the member, seal by seal."""

    def __init__(self, into: RawIOBase) -> None:
        self._writer = pq.ParquetWriter(
            pa.PythonFile(into, mode="w"), SCHEMA, compression="zstd", use_dictionary=["seal", "kind", "identity", "unit"]
        )  # fmt: skip
        self._rows: list[tuple[Any, ...]] = []

    def write(self, seal: int, leaves: Sequence[Proven]) -> None:
        for place, one in enumerate(leaves):
            leaf = one.leaf
            self._rows.append(
                (seal, place, leaf.kind, leaf.identity, leaf.unit, leaf.hour_us, leaf.n, leaf.first_us, leaf.last_us,
                 leaf.hash, one.proof)
            )  # fmt: skip
            if len(self._rows) >= _AT_ONCE:
                self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        if self._rows:
            columns = [
                pa.array(column, field.type)
                for column, field in zip(zip(*self._rows, strict=True), SCHEMA, strict=True)
            ]
            self._writer.write_table(pa.table(columns, schema=SCHEMA), row_group_size=len(self._rows))
            self._rows = []


def read_heads(file: pq.ParquetFile) -> Iterator[tuple[int, list[Proven]]]:
    """Seal by seal the heads of its leaves, in the order of its tree.

    :raises Damaged: they are not in their order.
    """
    seal = 0
    found: list[Proven] = []
    for group in range(file.metadata.num_row_groups):
        if file.metadata.row_group(group).num_rows > _AT_ONCE:
            raise Damaged("A row group of the heads is larger than one of a bundle.")
        for row in file.read_row_group(group).to_pylist():
            if row["seal"] != seal:
                if seal:
                    yield seal, found
                if row["seal"] <= seal:
                    raise Damaged(f"The heads of seal {row['seal']} stand after those of seal {seal}.")
                seal, found = row["seal"], []
            if row["place"] != len(found):
                raise Damaged(f"Of seal {seal} the head at {len(found)} is missing: there is {row['place']}.")
            found.append(_proven(row))
    if seal:
        yield seal, found


def _proven(row: dict[str, Any]) -> Proven:
    if row["n"] < 1:
        raise Damaged(f"The head of {row['identity']} says {row['n']} rows.")
    instants = [
        None if row[name] is None else micros(row[name]) for name in ("hour", "first_observed", "last_observed")
    ]
    return Proven(
        leaf=Leaf(
            kind=row["kind"], identity=row["identity"], unit=row["unit"], hour_us=instants[0], n=row["n"],
            first_us=instants[1], last_us=instants[2], hash=row["hash"],
        ),
        proof=row["proof"],
    )  # fmt: skip
