"""Device templates, and what slots take of them."""

from __future__ import annotations

from typing import Final

RULES: Final[dict[str, tuple[str, str]]] = {
    "profile-unknown": (
        "no such profile is shipped; there are: {known}{guess}. One of your own is a file beside the plan, as in"
        " ./profiles/acme-ca200.yaml",
        "제공하는 장비 서식이 아닙니다. 있는 서식: {known}{guess}. 자체 서식은 계획 파일 옆에 두고"
        " ./profiles/acme-ca200.yaml처럼 적으십시오",
    ),
    "profile-path": (
        "a profile is a .yaml file in the plan's folder or below it, as in ./profiles/acme-ca200.yaml: no .., no absolute path,"
        " no link to elsewhere",
        "장비 서식은 계획 파일의 폴더나 그 아래의 .yaml 파일입니다(예: ./profiles/acme-ca200.yaml). .., 절대 경로, 폴더 밖을"
        " 가리키는 링크는 쓸 수 없습니다",
    ),
    "profile-folder": (
        "this plan was not read from a file, so nothing lies beside it: give the plan as a file, or name a shipped profile",
        "파일에서 읽은 계획이 아니어서 옆에 있는 장비 서식을 찾을 수 없습니다: 계획을 파일로 주거나 제공되는 서식을 쓰십시오",
    ),
    "profile-none": ("there is no file {path} beside the plan", "계획 파일 옆에 {path} 파일이 없습니다"),
    "profile-unreadable": ("the file cannot be read: {why}", "파일을 읽을 수 없습니다: {why}"),
    "profile-size": ("a profile has at most {most} bytes", "장비 서식은 최대 {most}바이트입니다"),
    "profile-stored": (
        "it was not stored with this plan; stored are: {known}",
        "이 계획과 함께 저장된 장비 서식이 아닙니다. 저장된 서식: {known}",
    ),
    "profile-within": (
        "a profile names no other profile: write what it takes from there out",
        "장비 서식 안에서 다른 서식을 쓸 수 없습니다: 내용을 직접 적으십시오",
    ),
    "profile-empty": (
        "a profile has channels, events or a connection",
        "장비 서식에는 channels, events, connection 가운데 하나는 있어야 합니다",
    ),
    "profile-connection": (
        "this profile says nothing of connections: name it at the slot alone",
        "connection이 없는 장비 서식입니다: 지점에만 적으십시오",
    ),
    "profile-protocol": (
        "its device speaks {theirs}, the slot's connection {connection} {ours}: name the profile at that connection too, or"
        " write the channels out",
        "이 서식의 장비는 {theirs}, 지점의 {connection} 연결은 {ours} 프로토콜입니다: 그 연결에도 profile을 적거나 항목을 직접"
        " 적으십시오",
    ),
    "profile-serial": (
        "it stands in a topic of the profile, so it holds no /, + or #",
        "장비 서식의 토픽에 들어가므로 /, +, #을 쓸 수 없습니다",
    ),
    "without-profile": (
        "without leaves out what a profile brings: name a profile, or remove it",
        "without은 장비 서식의 항목을 빼는 것입니다: profile을 적거나 지우십시오",
    ),
    "without-unknown": (
        "the profile has no such channel; it has: {known}{guess}",
        "장비 서식에 없는 항목입니다. 있는 항목: {known}{guess}",
    ),
    "without-given": (
        "the slot writes this channel itself: remove it here or there",
        "지점의 channels에 직접 적은 항목입니다: 한쪽을 지우십시오",
    ),
}
