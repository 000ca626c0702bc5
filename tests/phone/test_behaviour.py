"""When a simulated customer speaks: after the bot, over it, beside it, or not at all."""

from __future__ import annotations

from bot.phone.behaviour import TURN_GAP_MS, Act, Behaviour
from bot.phone.persona import Expected, Murmur, Patience, Persona, Rule


def persona(**changes: object) -> Persona:
    settings: dict[str, object] = {
        "name": "t", "zh": "t", "en": "t", "script": "ringback", "contact": {},
        "expected": Expected(disposition=["accepted"]), "default": ["嗯"], "reaction_ms": 600,
    }  # fmt: skip
    return Persona(**(settings | changes))  # type: ignore[arg-type]


def run(
    behaviour: Behaviour, script: dict[int, str], until_ms: int, speaks_ms: int = 400
) -> list[tuple[int, Act]]:
    """The acts of a call in which the bot says each text from its time on, 200 ms a character."""
    acts, sounding_until, ends_at = [], 0, -1
    for now in range(0, until_ms, 20):
        if now in script:
            behaviour.bot_line(now, script[now])
            sounding_until = now + 200 * len(script[now])
        if now < sounding_until:
            behaviour.bot_sound(now, 20)
        if now == ends_at:
            behaviour.finished_speaking(now)
        act = behaviour.tick(now)
        if act is not None:
            acts.append((now, act))
            if act.hang_up:
                break
            if act.text:
                ends_at = now + speaks_ms
    return acts


def test_it_answers_its_reaction_time_after_the_bots_last_sound() -> None:
    rules = [Rule(hears="张先生", say=["是我"])]
    acts = run(Behaviour(persona(rules=rules)), {1000: "请问是张先生吗"}, 5000)
    assert acts == [(1000 + 7 * 200 - 20 + 600, Act("是我"))]


def test_a_pause_between_the_bots_clauses_is_not_its_end() -> None:
    behaviour = Behaviour(persona(reaction_ms=200))
    behaviour.bot_line(0, "您好，请问")
    for now in range(0, 2000, 20):
        if now < 600 or now >= 600 + TURN_GAP_MS - 40:
            behaviour.bot_sound(now, 20)
        assert behaviour.tick(now) is None


def test_it_answers_the_last_sentence_first() -> None:
    rules = [Rule(hears="取消", say=["能取消吗"]), Rule(hears="办理吗", say=["办"])]
    acts = run(Behaviour(persona(rules=rules)), {0: "随时可以取消。您需要办理吗"}, 5000)
    assert [act.text for _, act in acts] == ["办"]


def test_a_used_up_rule_gives_way_to_the_next_and_texts_do_not_repeat() -> None:
    rules = [Rule(hears="办", say=["贵了"], times=1), Rule(hears="办", say=["好", "行"])]
    acts = run(Behaviour(persona(rules=rules)), {0: "办吗", 3000: "办吗", 6000: "办吗"}, 9000)
    assert acts[0][1].text == "贵了"
    assert {act.text for _, act in acts[1:]} == {"好", "行"}


def test_an_interruption_comes_in_the_middle_of_the_line_and_only_there() -> None:
    rules = [Rule(hears="彩铃", say=["等一下"], interrupt_after_ms=1000, times=1), Rule(hears="", say=["嗯"])]
    acts = run(Behaviour(persona(rules=rules)), {500: "您的彩铃每个月五块钱一年六十"}, 8000)
    assert acts[0] == (1500, Act("等一下"))
    short = run(Behaviour(persona(rules=rules)), {500: "彩铃"}, 8000)
    assert [act.text for _, act in short][:1] == ["嗯"]


def test_murmurs_come_while_the_bot_speaks_and_are_not_its_answer() -> None:
    murmur = Murmur(say=["嗯嗯"], after_ms=1000, every_ms=1500)
    acts = run(Behaviour(persona(murmur=murmur)), {0: "一二三四五六七八九十一二三四五六"}, 6000)
    assert [(now, act.backchannel) for now, act in acts] == [(1000, True), (2500, True), (3780, False)]


def test_silence_is_silence_until_the_bot_speaks_again() -> None:
    rules = [Rule(hears="你好", silence=True, times=1), Rule(hears="在吗", say=["在"])]
    acts = run(Behaviour(persona(rules=rules)), {0: "你好", 4000: "在吗"}, 7000)
    assert [act.text for _, act in acts if act.text] == ["在"]


def test_it_nudges_a_silent_bot_and_then_hangs_up() -> None:
    patience = Patience(after_ms=2000, say=["喂"], times=2)
    acts = run(Behaviour(persona(patience=patience)), {}, 9000)
    assert [(act.text, act.hang_up) for _, act in acts] == [("喂", False), ("喂", False), ("", True)]


def test_keys_and_hanging_up() -> None:
    rules = [Rule(hears="按1", dtmf="1"), Rule(hears="彩铃", hang_up=True, interrupt_after_ms=600)]
    assert run(Behaviour(persona(rules=rules)), {0: "请按1"}, 3000)[0][1] == Act("", "1")
    assert run(Behaviour(persona(rules=rules)), {0: "您的彩铃可以省钱"}, 3000)[0] == (600, Act(hang_up=True))


def test_the_same_seed_gives_the_same_call() -> None:
    def calls(seed: int) -> list[tuple[int, Act]]:
        rules = [Rule(hears="", say=["一", "二", "三", "四", "五"])]
        return run(Behaviour(persona(rules=rules, seed=seed)), {i * 2000: "好吗" for i in range(5)}, 12000)

    assert calls(3) == calls(3)
    assert any(calls(3) != calls(seed) for seed in range(4, 9))
