"""What is said tells who speaks: carriers, voicemail boxes, call assistants; and people, who are never
taken for them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.call.answering.announcements import read
from bot.call.answering.kinds import PEOPLE as PEOPLE_KINDS
from bot.call.answering.parameters import AnsweringParameters
from bot.call.answering.verdict import Answering

P = AnsweringParameters()

ANNOUNCEMENTS = [
    ("您好您拨打的用户暂时无法接通", "unreachable"),
    ("对不起，您拨打的用户已关机，请稍后再拨", "powered_off"),
    ("您拨打的号码是空号，请核对后再拨", "invalid_number"),
    ("您所拨打的号码不存在", "invalid_number"),
    ("您好您拨打的电话已停机", "suspended"),
    ("您拨打的用户已暂停服务", "suspended"),
    ("您拨打的用户正在通话中，请稍后再拨", "busy"),
    ("您拨打的用户正忙", "busy"),
    ("您呼叫的用户无人接听", "no_answer"),
    ("您拨打的电话不在服务区", "unreachable"),
    ("您拨打的用户设置了呼入限制", "restricted"),
    ("您撥打的電話暫時無法接通，請稍後再撥", "unreachable"),
    ("您播打的永户已关几请稍侯在拨", "powered_off"),
    ("你波打的用户暂是无法结通", "unreachable"),
    ("您 拨 打 的 用 户 正 在 通 话 中", "busy"),
    ("网络忙，请稍后再拨", "unreachable"),
    ("the number you have dialed is not in service please check the number", "invalid_number"),
    ("Sorry, the subscriber you dialed is powered off, please redial later", "powered_off"),
    ("The person you are calling is on another call. Please try again later", "busy"),
    ("your call cannot be completed as dialed", "invalid_number"),
    ("the customer you are calling is unavailable please try again later", "unreachable"),
]
BOXES = [
    "您好，我现在不在，请在嘟声后留言",
    "请在提示音后留下您的姓名和电话",
    "听到滴的一声之后请留言",
    "您的电话将转接到语音信箱，嘟声后开始计费",
    "請在嗶聲後留言",
    "please leave a message after the tone",
    "at the tone please record your message when you have finished recording you may hang up",
    "you have reached the voicemail box of John Smith please leave a message",
    "the mailbox is full and cannot accept any messages at this time",
    "your call has been forwarded to an automatic voice message system",
]
ASSISTANTS = [
    "您好我是机主的智能助理机主现在不方便接听电话",
    "机主现在不方便接听，请留言",
    "您好，这里是来电助手，请说出您的来意，我会转告机主",
    "我是机主的AI助理，您可以告诉我来电的原因，我会转告他",
    "您好，我是接听助手，您的通话将转成文字发给机主",
    "Hi, the person you're calling is using a screening service from Google",
    "please record your name and reason for calling and I'll see if this person is available",
]
PEOPLE = [
    "喂",
    "喂你好哪位",
    "您好这里是华宁公司请讲",
    "我现在在通话中",
    "我在通话中请稍后再拨",
    "我手机快停机了",
    "你拨打的是我老婆的手机",
    "你拨打的号码是空号吧怎么打到我这来了",
    "你拨打的这个电话是我爸的他关机了",
    "昨天打你电话一直说您拨打的用户正在通话中",
    "您拨打的用户已关机哈哈骗你的",
    "您拨打的用户正在吃饭",
    "刚才关机了不好意思",
    "我这边不在服务区信号不好",
    "我欠费停机了刚充上",
    "你是不是智能语音助手啊",
    "你们是机器人吧",
    "我是王总的助理，他在开会",
    "他现在不方便接听电话，我是他的秘书，有什么事我可以帮您转达",
    "我现在不方便接电话，你给我微信留言吧",
    "你发个短信吧我现在没空",
    "机主不在，我是他同事",
    "我不是机主你打错了",
    "什么留言啊我不懂",
    "这个号码被防骚扰拦截了吧",
    "hello who is this",
    "good morning Parker and Sons this is Amy speaking how can I help you",
    "you've reached Doctor Smith's office how may I help you",
    "the person you're trying to reach is not available can I take a message",
    "she can't come to the phone right now",
    "sorry I was on another call",
    "my phone was switched off",
    "did you leave a message",
    "the number you have dialed belongs to my sister",
    "you can leave me a message on WhatsApp",
    "I'm away from my desk but go on",
    "wrong number, this number is out of service for him",
    "my mailbox is full so don't leave a message",
]


def suspected(*utterances: str) -> bool:
    """Whether these words alone lead to a verdict."""
    reading = read(utterances)
    enough = P.recorded if reading.kind == "machine" else P.certain
    return reading.score >= enough and not reading.person and not reading.hold


@pytest.mark.parametrize(("text", "reason"), ANNOUNCEMENTS)
def test_an_announcement_is_known_with_its_reason(text: str, reason: str) -> None:
    reading = read([text])
    assert (reading.kind, reading.reason) == ("announcement", reason)
    assert suspected(text)


@pytest.mark.parametrize("text", BOXES)
def test_a_voicemail_box_is_known_and_its_beep_decides(text: str) -> None:
    reading = read([text])
    assert reading.kind == "machine"
    assert reading.score >= P.suspect and not reading.person


@pytest.mark.parametrize("text", ASSISTANTS)
def test_a_call_assistant_is_known(text: str) -> None:
    assert read([text]).kind == "assistant"
    assert suspected(text)


@pytest.mark.parametrize("text", PEOPLE)
def test_a_person_is_never_suspected(text: str) -> None:
    assert not suspected(text)
    assert not suspected("喂", text)


@pytest.mark.parametrize("text", PEOPLE)
def test_no_person_is_dropped_while_his_words_come_in_or_after(text: str) -> None:
    """Partial texts may look like an announcement: the verdict waits until he has said all."""
    ear, now = Answering(), 0
    ear.voice(True, 0)
    for end in range(1, len(text) + 1):
        for _ in range(6):
            now += 20
            ear.hear_frame(bytes(320), now)
        ear.hear_words(text[:end], end == len(text), now)
    ear.voice(False, now)
    for _ in range(2000):
        now += 20
        ear.hear_frame(bytes(320), now)
    assert ear.verdict is not None and ear.verdict.kind in PEOPLE_KINDS


def test_the_first_syllables_tell_an_announcement_already() -> None:
    reading = read(["您好您拨打的用"])
    assert reading.kind == "announcement" and P.suspect <= reading.score < P.certain


@pytest.mark.parametrize(
    "text",
    [
        "您的呼叫正在转接，请稍候",
        "请不要挂机，您拨打的用户正在通话中",
        "please hold while I connect your call",
    ],
)
def test_who_may_still_be_connected_is_not_given_up(text: str) -> None:
    assert read([text]).hold
    assert not suspected(text)


def test_what_follows_a_forwarding_decides() -> None:
    assert suspected("您的呼叫正在转接，请稍候", "对不起，您拨打的用户无人接听，请稍后再拨")


def test_a_laugh_after_the_announcement_takes_the_suspicion_away() -> None:
    assert suspected("您拨打的用户已关机，请稍后再拨")
    assert not suspected("您拨打的用户已关机，请稍后再拨", "哈哈哈")


def test_what_was_said_before_the_announcement_does_not() -> None:
    assert suspected("喂", "您拨打的用户已关机，请稍后再拨")


def test_two_languages_are_stronger_than_one() -> None:
    one = read(["您拨打的用户已关机，请稍后再拨"])
    both = read(["您拨打的用户已关机，请稍后再拨 sorry the subscriber you dialed is powered off"])
    assert one.score < P.immediate <= both.score


@given(st.lists(st.text(max_size=80), max_size=4))
def test_any_text_can_be_read(utterances: list[str]) -> None:
    assert read(utterances).score >= 0


@given(st.text(alphabet="您拨打的用户号码是空已关机停请稍后再留言嘟声我你吗", max_size=40))
def test_spaces_and_commas_change_nothing(text: str) -> None:
    spaced = "，".join(text)
    plain, other = read([text]), read([spaced])
    assert (plain.kind, plain.reason, plain.score) == (other.kind, other.reason, other.score)
