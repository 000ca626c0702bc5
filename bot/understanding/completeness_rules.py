"""What the grammar of Chinese and English says about a text being complete.

`certainty` adds to the model's log-odds: less where more must come (`goes_on`: a trailing 因为, a
preposition without its verb, an open condition), more for what was asked or said to its end and for
bare answers.  And digits are counted.  All texts folded.
"""

from __future__ import annotations

import re

from bot.understanding.completeness_features import HAN
from bot.understanding.interrupts import is_answer

_NUMERAL = re.compile(
    r"[0-9零一二三四五六七八九幺两]|x$|\b(zero|oh|one|two|three|four|five|six|seven|eight|nine)\b"
)
_NO_DIGITS = re.compile(r"[末后]?[三四六八]位|一下|一会儿?|one (second|sec|moment|minute)|last four")


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


HANGING_ZH = _listed(
    """
    因为 所以 但是 可是 不过 而且 如果 要是 假如 虽然 除非 或者 还是说 然后 就是 就是说 那个 这个 我是说
    我的意思是 我想 我想问 我想问一下 我想知道 我觉得 我感觉 我记得 我就想 我主要是 主要是 你们那个 我那个
    的话 一个 几个 这种 那种 呃 额 比如 比如说 关于 对于 跟我 给我 帮我 把 被 让 跟 和 从 在 向 往 比 我的
    你们的 你的 我们 你们 他们 咱们 想要 打算 准备 能不能 可不可以 是不是 有没有 会不会 要不要 我要 我还
    我就 我也 我都 我又 他就 还有就是 包括 尤其 特别是 其实 其实我 反正 反正我 最好 至于 例如 不是说
    也就是说 怎么说呢 结果 我现在 我家 我家里 大概 差不多是 应该是 好像 可能 可能是 除了 以及 只要 只有
    无论 不管 当时 本来 原来 一直 已经 正在 刚刚 非常 特别 比较 我妈那个 上次那个
    """
)
HANGING_EN = _listed(
    """
    and but or so because if when that the a an to of for with my your i i'm i'd can could would should
    want need well um uh er like about from at in on what's how's this we you they think mean any some
    every no-one more too very quite just really also then maybe which who where our his her its into than
    until unless though although whether
    """
)
# these stand at the end of whole utterances as well, so the rule must not take them for hanging
_MAY_END_EN = frozenset(
    ["this", "that", "so", "then", "maybe", "you", "really", "on", "in", "about", "though", "it"]
)
_THINKING = re.compile(
    r"(^|我|你|让我|稍)(等一下|等等|等一等|等会儿?|等下)$|稍等$"
    r"|^(嗯|呃|那|让|等一下|你等一下|你等)*我?(想一下|想想|想一想|看一下|看看|查一下|找一下)$"
)
_SUBORDINATE = re.compile(r"(以后|之后|的时候|之前|以前|的话|的情况下)$")
_TAKES_CLAUSE = re.compile(
    r"(觉得|担心|害怕|就怕|怕|希望|以为|认为|听说|发现|怀疑|记得|感觉|想说|意思是|问题是)(吧|呢|啊|嘛|呀)?$"
)
_OPINION = re.compile(r"(觉得|感觉|担心|希望)([\u3400-\u9fff]{1,8})$")  # of what, and nothing said of it yet
_PREDICATE = re.compile(
    r"[太很挺蛮不没有是会能要贵差慢快好坏多少远近烦麻难对错行办用打换骗扣交收乱浪丢断卡了的吧]"
)
_WHEN_ONLY = re.compile(
    r"(我|你|您|他|我们|你们)(今天|明天|后天|昨天|前天|上午|下午|晚上|中午|现在|平时|一般|上个?月|下个?月|上次|下次|去年|今年"
    r"|这边|那边|这里|那里|这儿|那儿|这会儿|最近|到时候|自己|家里|老是|经常|基本|基本上|好像|可能|应该|直接|还是|已经)$"
)
_IF = re.compile(
    r"(如果|(?<!主)要是|假如|万一|既然|即使|就算|哪怕|虽然|除非|只要|不管|^[那你]?等[我他](?!先?[问看想查找]))"
    r"(?!.*(就|那|怎么|吗|呢|才|都|再说|再打|可以|但|不用|能不能|什么|多少|行不行|几|谁|哪))[^再]*$"
)
_CASE = re.compile(
    r"(跟(?!前)|和(?!气)|把(?!握)|比(?!较|如)|被|从(?!来|不|没)|将(?!来))([^跟和把比被从将]{1,6})$"
)
_VERB = re.compile(
    r"[办用开打说讲给来去看听想知换买卖交扣收送发退查问找帮修弄装搞取试断贵便好行是有没不要能会可走住吃了过]"
)
_PIVOT = re.compile(r"(已经|昨天|前天|上次|之前|刚才|刚刚|以前).{0,4}有(个)?人$|[的说]是$")
_CONCESSION = re.compile(r"([\u3400-\u9fff]{1,3})(是|倒是)\1$")
_IT_IS_ME = re.compile(r"(是我|我就是|就是我|本人|speaking|this is (he|she|him|her|me))$")
_SHORT_ANSWER = re.compile(  # a yes or no with its verb, said once or more
    r"^[嗯哎啊哦呃那]*((不要|不用|不需要|暂时不需要|不办|不想办|不行|不可以|不了|不是|不会|不能|没有|没兴趣|没空|算了|不方便|不清楚|不知道"
    r"|有|有的|要|要的|办吧|开吧|方便|方便的|清楚|能|会|需要|愿意|同意)(了|啊|吧|呀|的|呢)?)+(谢谢)?[啊了]?$"
    r"|^(no|no thanks|no thank you|not interested|i don't|i do|yes please|not really|no i don't)$"
)
_MAY_EXPLAIN = frozenset(
    ["不是", "不是不是", "不", "啊不是", "没有", "不是我", "我是", "嗯我是", "对我是", "我是啊", "no", "nope"]
)
_ROUNDED = re.compile(
    r"(过来|过去|出来|起来|下来|回来|进来"  # a verb with its direction
    r"|[一二两三四五六七八九十几半多]个?(月|年|天|次|遍|回|块|块钱|小时|分钟)"  # with its measure
    r"|没[\u3400-\u9fff]?(用|办|听|见|收|打|开|接|买)过[\u3400-\u9fff]{0,6}"  # denied, with its object
    r"|的是[\u3400-\u9fff]{2,8})$"
)
_TIME_END = re.compile(
    r"([点半号天末刻分底]|左右|以后|之后|以前|之前|之间|上午|下午|晚上|中午|早上|傍晚|再说|都行|都可以"
    r"|morning|afternoon|evening|noon|tomorrow|[ap]m|(after|before|around|at) \w+)$"
)
_ASKING = re.compile(r"(什么|怎么|多少|哪|谁|几|为啥|啥|咋|能不能|可不可以|是不是|有没有|会不会|要不要)(.+)$")
_ASKS_AT_END = re.compile(
    r"(干|做|说|办|叫|是|有|图|凭)(什么|啥)$|(怎么办|怎么样|为什么|为啥|多少|几点|哪里|哪儿|哪个|咋办|咋样|何用)$"
)
_ASKING_EN = re.compile(
    r"^(who|what|how|when|where|why|which|is|are|do|does|can|could|will|would)\b.* (\w+)$"
)
_WONDERING = re.compile(
    r"(不知道|没弄明白|不明白|不清楚|看看|我想问|说)(什么|怎么|多少|哪|谁|几|是不是|有没有)"
)
_NEEDS_DIGITS = (
    (re.compile(r"后四位|末四位|最后四位|四位|last four|four digits", re.I), 4),
    (re.compile(r"后六位|六位|six digits", re.I), 6),
    (re.compile(r"手机号|电话号码"), 11),
    (re.compile(r"phone number", re.I), 10),
    (re.compile(r"身份证号", re.I), 18),
)


def digits_wanted(bot_line: str) -> int | None:
    """How many digits the bot's line asks for, None where it does not say."""
    for pattern, count in _NEEDS_DIGITS:
        if pattern.search(bot_line):
            return count
    return None


def digits_in(text: str) -> int:
    """How many digits the text dictates: 四零八六 has 4, 是 has none."""
    return len(_NUMERAL.findall(_NO_DIGITS.sub(" ", text.lower())))


def hangs(folded: str) -> bool:
    """Whether a text (folded) ends in a word that no one stops at."""
    if HAN.match(folded[-1]):
        if not folded.endswith(HANGING_ZH):
            return False
        return any(folded.endswith(word) and not _is_whole(folded, word) for word in HANGING_ZH)
    words = folded.split()
    if words[-1] == "mean":
        return words[-2:-1] != ["you"]
    return words[-1] in HANGING_EN and words[-1] not in _MAY_END_EN


def goes_on(folded: str, expects: str) -> bool:
    """Whether the grammar leaves no doubt that more must come."""
    if hangs(folded) or _case_hangs(folded):
        return True
    opinion = _OPINION.search(folded)
    if opinion is not None and not _PREDICATE.search(opinion.group(2)):
        return True
    if expects != "time" and _SUBORDINATE.search(folded):
        return True
    return any(p.search(folded) for p in (_PIVOT, _THINKING, _CONCESSION, _TAKES_CLAUSE, _WHEN_ONLY, _IF))


def certainty(folded: str, expects: str) -> float:
    """What grammar adds to the log-odds of a text being complete; 0.0 where it says nothing."""
    if goes_on(folded, expects):
        return -3.0
    return _rounded(folded, expects) + _answered(folded, expects)


def _rounded(folded: str, expects: str) -> float:
    """For a text that was asked, dated or said to its end."""
    if _asks(folded) or (expects == "time" and _TIME_END.search(folded)):
        return 1.0
    return 0.7 if _ROUNDED.search(folded) else 0.0


def _answered(folded: str, expects: str) -> float:
    """For a bare answer to a yes-no question.

    After 请问是某某吗 people like to explain a no, so that is not sure.
    """
    if expects not in ("yes_no_question", "offer", "identity_check"):
        return 0.0
    if expects == "identity_check" and folded in _MAY_EXPLAIN:
        return -1.5
    return 3.0 if is_answer(folded) or _SHORT_ANSWER.search(folded) or _IT_IS_ME.search(folded) else 0.0


def digits_done(folded: str, bot_line: str) -> float | None:
    """How complete a dictation is: done when the digits asked for are there.  None: no digits, so talk."""
    wanted, found = digits_wanted(bot_line), digits_in(folded)
    if found == 0:
        return None
    if wanted is None:
        return 0.38
    return 0.99 if found >= wanted else 0.05


def _case_hangs(folded: str) -> bool:
    """A preposition near the end whose phrase has no verb after it: 你这个跟我现在用的, 你把那个."""
    found = _CASE.search(folded)
    if found is None:
        return False
    phrase = re.sub(r"[\u3400-\u9fff]的$", "", found.group(2))
    return len(phrase) <= 4 and not _VERB.search(phrase)


def _asks(folded: str) -> bool:
    """Whether the text is a direct question with its question word followed by something."""
    if _ASKING_EN.search(folded) or _ASKS_AT_END.search(folded):
        return True
    found = _ASKING.search(folded)
    if found is None or _WONDERING.search(folded):
        return False
    return len(found.group(2)) >= (3 if "不" in found.group(1) or "没" in found.group(1) else 1)


def _is_whole(folded: str, word: str) -> bool:
    """Endings that look like a hanging word and are not: 原来这样就是, 办一个, 为了什么在."""
    before = folded[: -len(word)]
    if word in ("一个", "几个"):
        return bool(re.search(r"(办|开|来|要|给我|换|弄|装|买|送|试|有)$", before))
    if word in ("这种", "那种"):
        return before.endswith(("的", "要", "是"))
    if word in ("我们", "你们", "他们", "咱们"):
        return bool(re.search(r"(是|找|给|骗|怪|信|又是|谢谢)$", before))
    if word in ("这个", "那个"):
        if before.endswith("就是"):
            return before.startswith(("对", "是的", "没错"))
        return (
            bool(re.search(r"(要|办|用|过|是|要的|不要|说的|懂|道|需要|开)$", before)) and len(before) >= 2
        ) or (before.endswith("的") and len(before) >= 8)
    if word == "额":
        return before.endswith(tuple("余金数限总差定全税"))
    if word in ("在", "和"):
        return before.endswith(("不", "我", "他不", "人"))
    if word in ("我的", "你的", "你们的", "可能", "就是", "一直", "已经", "原来", "大概"):
        return bool(re.search(r"(是|不|像|有)$", before)) or (
            word == "就是" and before.endswith(("我", "本人"))
        )
    if word in ("是不是", "有没有", "可不可以"):
        return len(before) >= 2
    return False
