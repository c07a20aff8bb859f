"""Why something was set aside or refused, in few words: one line a code of the intake's closed list."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from core.language import N_, translator

SHORT: Mapping[str, str] = MappingProxyType(
    {
        "not_json": N_("JSON 형식이 아님"),
        "empty": N_("내용이 없음"),
        "too_large": N_("허용 크기를 넘음(앞부분과 해시값만 보관)"),
        "too_deep": N_("중첩이 너무 깊음"),
        "bad_shape": N_("약속한 구조가 아님"),
        "no_binding": N_("계획서에 없는 토픽"),
        "no_slot": N_("어느 설치 지점인지 알 수 없음"),
        "no_known_value": N_("계획서의 측정 항목이 하나도 없음"),
        "rate_limited": N_("허용된 전송 속도를 넘음"),
        "topic_too_long": N_("토픽 이름이 너무 긺"),
        "refused_by_store": N_("저장소가 받아들이지 않음"),
        "decoder_failed": N_("플랫폼의 해석기 오류"),
        "unknown_channel": N_("계획서에 없는 측정 항목"),
        "unknown_state": N_("계획서에 없는 상태값"),
        "unknown_event": N_("계획서에 없는 발생 기록"),
        "no_value": N_("값이 비어 있음"),
        "not_a_number": N_("숫자가 아님"),
        "not_finite": N_("유한한 숫자가 아님"),
        "not_exact": N_("정확히 저장할 수 없는 큰 정수"),
        "time_missing": N_("측정 시각이 없음"),
        "time_unreadable": N_("측정 시각을 읽을 수 없음"),
        "in_future": N_("미래 시각(수신 시각보다 5분 넘게 늦음)"),
        "before_pilot": N_("실증 기간 시작 전의 시각"),
        "after_pilot": N_("실증 기간이 끝난 뒤의 시각"),
        "bad_event": N_("발생 기록의 형식 오류"),
        "bad_status": N_("상태 메시지의 형식 오류"),
        "nul_character": N_("저장할 수 없는 글자"),
        "repeated_key": N_("같은 이름이 두 번 있음"),
        "bad_sequence": N_("메시지 번호의 형식 오류"),
        "not_of_protocol": N_("통신 연결의 규격이 아님"),
        "unknown_unit": N_("단위 표에 없는 단위"),
        "other_unit": N_("측정 항목과 다른 양의 단위"),
        "before_birth": N_("birth를 아직 받지 못함"),
        "unknown_alias": N_("birth에 없는 별칭"),
        "not_in_birth": N_("birth에 없는 측정 항목"),
        "other_type": N_("birth와 다른 자료형"),
        "not_a_single_value": N_("값 하나가 아닌 자료"),
        "bad_quality": N_("장비가 불량으로 표시한 값"),
        "inflated_too_large": N_("압축을 풀면 허용 크기를 넘음"),
        "wrong_type": N_("규격과 다른 자료형"),
        "too_many": N_("목록 항목이 한도를 넘음"),
        "unknown_source": N_("규격에 없는 값 이름(source)"),
        "bad_checksum": N_("프레임 검사합(CRC) 불일치"),
        "no_frame": N_("프레임에 속하지 않는 바이트"),
        "unknown_message": N_("방언에 없는 메시지 번호"),
    }
)


def reason_text(code: str, language: str) -> str:
    """A reason in few words; an unknown code is shown as it is."""
    return translator(language)(SHORT[code]) if code in SHORT else code
