"""Connections and topics."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "protocol": ("the protocols are: {known}{guess}", "쓸 수 있는 프로토콜: {known}{guess}"),
    "protocol-options": (
        "the protocol {protocol} does not take it: {why}",
        "{protocol} 프로토콜의 옵션이 아닙니다: {why}",
    ),
    "select-key": (
        "the protocol {protocol} selects by: {known}{guess}",
        "{protocol} 프로토콜의 select에 쓸 수 있는 키: {known}{guess}",
    ),
    "select-value": (
        "the protocol {protocol} does not select by it: {why}",
        "{protocol} 프로토콜의 select에 쓸 수 없는 값입니다: {why}",
    ),
    "connection-unknown": (
        "no such connection; the plan has: {known}{guess}",
        "계획에 없는 연결입니다. 있는 연결: {known}{guess}",
    ),
    "connection-unused": (
        "no slot uses this connection: name it in a slot, or remove it",
        "어느 지점도 쓰지 않는 연결입니다: 지점에 적거나 지우십시오",
    ),
    "connection-own": (
        "a slot without connection: gets one by its own name, which is taken: write connection: {name}",
        "connection이 없는 지점은 자기 이름의 연결을 갖는데 이미 있습니다: connection: {name}을 쓰십시오",
    ),
    "topic-form": ("no MQTT filter: {why}", "MQTT 필터가 아닙니다: {why}"),
    "topic-all": (
        "a filter names where it speaks: # and + alone are everybody's topics",
        "필터는 범위를 밝혀야 합니다: 첫 단계에 #나 +를 쓸 수 없습니다",
    ),
    "topic-system": ("topics that begin with $ belong to the broker", "$로 시작하는 토픽은 브로커의 것입니다"),
    "topic-pilots": (
        "topics below pilots/ belong to the pilot they name: below it only pilots/{pilot}/… is this plan's",
        "pilots/ 아래에서는 pilots/{pilot}/…만 쓸 수 있습니다",
    ),
    "topic-ours": (
        "it overlaps {theirs}, on which only Pilotbed speaks",
        "Pilotbed만 발행하는 {theirs}와 겹칩니다",
    ),
    "topic-overlap": (
        "it overlaps {theirs} of the connection {other}: one topic has one speaker",
        "{other} 연결의 {theirs}와 겹칩니다: 한 토픽은 한 연결만 씁니다",
    ),
    "topic-foreign": (
        "it overlaps {theirs} of the connection {connection} of pilot {pilot}: one topic has one speaker",
        "{pilot} 과제 {connection} 연결의 {theirs}와 겹칩니다: 한 토픽은 한 연결만 씁니다",
    ),
    "topic-slots": (
        "it overlaps {theirs} of the slot {other}: both need select",
        "{other} 지점의 {theirs}와 겹칩니다: 두 지점 모두 select가 필요합니다",
    ),
    "select-needed": (
        "the connection {connection} has topics of its own and speaks for {count} slots: each needs select or topics",
        "{connection} 연결은 자체 토픽으로 {count}개 지점을 대신합니다: 지점마다 select나 topics가 필요합니다",
    ),
    "select-twice": (
        "the slot {other} of the same connection selects the same messages",
        "같은 연결의 {other} 지점과 select가 같습니다",
    ),
}
