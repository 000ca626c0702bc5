"""The words a listener uses while another speaks, in Chinese (with dialects) and English.

`NOISES` ask the speaker to go on; `GLUE` says nothing alone; `CUES` always take the floor; `FLOOR`
are phrases made of noises that end the other's talk; `ANSWERS` are yes and no, which count right
after a yes-no question, `VERDICTS` are noises that answer an open one; `UNSTABLE` ends of a partial
may still become another word; `HOMOPHONES` maps what recognisers write for a noise to the noise.
"""

from __future__ import annotations


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _phrases(text: str) -> frozenset[str]:
    rows = text.replace("\n", "|").split("|")
    return frozenset(" ".join(phrase.split()) for phrase in rows if phrase.strip())


NOISES_ZH = _words(
    """
    嗯 恩 呣 嗯哼 嗯呐 嗯那 嗯嗯 噢 哦 喔 哟 啊 诶 欸 哎 唉 呵 呵呵 哈哈 哈 嘿 嘿嘿 哇 哇塞 哎呀 哎哟 呦 喂
    对 对的 对呀 对啊 对哦 对嘛 对头 没错 没错的 不错 不错不错 正是 就是 就是说 就是嘛 可不 可不是 可不是嘛
    那可不 可不咋的 可不咋地 唔唔 是系吗 系吗 往下说 你往下说 喏 是 是的 是啊 是呀 是哦 是嘛 是吗 是么 是滴
    是噻 是咯 是这样 是这样啊 是这样子 是这么回事 是这个样子 是这样吗 是这样的 好 好的 好啊 好呀 好嘞 好哒
    好滴 好吧 好哦 好嘛 那好 那好吧 好好 挺好 挺好的 蛮好 蛮好的 那挺好 那不错 很好 太好了 真好 好事 好事啊
    行 行啊 行吧 行呀 那行 那行吧 成 成啊 中 得嘞 妥 可以 可以啊 可以可以 可以的 可以吧 也可以 还可以 还行
    也行 也好 还好 没问题 没事 明白 明白了 我明白 我明白了 懂 懂了 我懂 我懂了 了解 了解了 我了解 我了解了
    清楚 清楚了 我清楚 知道 知道了 我知道 我知道了 晓得 晓得了 我晓得了 晓得咯 收到 听到了 听到 听见了
    听得到 能听到 听得见 能听见 听着 听着呢 在听 我在听 我在听着 我听着 我听着呢 在听呢 在的 在呢 我在 你说
    您说 你讲 您讲 你说吧 您说吧 你讲吧 你说嘛 你继续 您继续 继续 继续说 继续讲 接着说 你接着说 说吧 讲吧
    你说你说 你请讲 您请讲 请讲 请说 您请说 这样 这样啊 这样子 这样子啊 这样的 这么回事 这么回事啊 这个样子
    原来如此 原来这样 原来 原来是 原来是这么回事 原来是这样子 原来是这样 原来是这样啊 原来这么回事 怪不得
    难怪 怪不得呢 这回事 那么回事 真的 真的啊 真的吗 真的呀 真的假的 真是 真不错 有道理 有意思 确实 确实是
    的确 当然 那当然 那是 那是那是 说得对 说的对 说的是 说得是 你说得对 你说的对 您说得对 您说的对 也是 也对
    倒是 倒也是 没毛病 有这好事 有这种好事 这么好 这么好啊 那么好 这么便宜 这么划算 挺划算 挺划算的 划算
    还挺划算 不贵 蛮不错 挺不错 挺不错的 还不错 厉害 可以理解 理解 理解理解 能理解 然后呢 后来呢 接下来呢
    还有呢 ok okay 谢谢 谢谢啊 谢谢你 谢谢您 多谢 你好 您好 早上好 下午好 系 系啊 系嘅 係 係啊 系呀 好嘅 得
    得啦 明嘅 知啦 要得 可得 巴适 安逸 阿拉晓得 对咯 对滴 对着呢 对着哩 就是哩 就是呢 就是的 就是啊 中中 管
    嘎 昂 嗷 奥 咳 哼 嘻 嘻嘻 噗 齁 阿嚏 啊嚏 阿嘁 咯咯 嗯哪 嗯啊 嗯哒 哟呵 嚯 嘿哟 对撒 是撒 对额 是额 好额
    对伐 是伐 阿是 阿是伐 对齁 安捏 酱紫 可不是咋的 可不咋 必须的 必须滴 得劲 得行 没麻达 么麻达 系啦 系咁
    系喔 系嘞 冇错 冇问题 唔错 梗系 咁好 知嘞 明晒 中嘞 中啊 管管 好咧 好勒 好呢 好哩 好啦 好喔 好呗 好说
    行呗 对呗 是呗 那可以 那可以啊 那可以的 那没问题 那行啊 那成 那好呀 那太好了 太好啦 真棒 太棒了 牛 牛啊
    好家伙 天哪 我的天 哎妈呀 哎呦 哎哟喂 明白您的意思 明白你的意思 明白你意思 懂你意思 懂你的意思
    懂您的意思 知道你意思 知道你的意思 知道您的意思 说的也是 这倒是 倒是真的 有理 在理 也有道理 是这个理
    是这个理儿 是这么个理 是这么个理儿 是这个意思 是这意思 就是这样 就是这样的 就是这个 就是这么回事
    就是这个意思 听起来不错 听着不错 听上去不错 听着挺好 这个好 这个不错 这个可以 挺实惠 挺实惠的 挺便宜
    挺便宜的 真便宜 蛮划算 合算 挺优惠 挺优惠的 您接着说 你接着讲 您接着讲 接着讲 往下讲 你接着往下讲
    您往下说 你往下讲 请继续 您先说 你先说 您先讲 你先讲 您请 你请 我在听着呢 在听着呢 没事你说 没事您说
    有在听 我有在听 是不是哦 晓得啦 晓得哩 清楚的 明白的 明白明白
    """
)

GLUE_ZH = _words(
    """
    啊 呀 呢 嘛 吧 哈 咯 喽 哒 滴 哩 噻 啦 嘞 哦 了 的 么 吗 呃 额 那 那个 这个 就 这 也 还 都 挺 蛮 真 很
    撒 咧 呐 捏 伐 哇 哟 咩 我 你 您 先 噢 喔 就是 就是说 然后 所以 所以说 反正 一下 这是 那就 那我 嗯 哎
    一个 也就是 其实
    """
)

CUES_ZH = _words(
    """
    不 没 别 等 停 慢 谁 啥 什么 咋 怎么 哪 多少 几 为什么 干嘛 干吗 为何 吗 开车 开会 忙 上班 睡 有事 没空
    没时间 挂 再见 拜拜 打错 骗 投诉 举报 人工 经理 客服 滚 烦 听我 我说 我问 问一下 请问 算了 够了 行了
    得了 打断 插 贵 便宜点 退 取消 但 可是 不过 已经 已 换 冇 唔 莫 甭 勿 弗 问题 机器 多久 能不能 你等 我不
    你不 他不 也不 都不 就不 我没 你没 他没 也没 都没 还没 是不是 可不可以 要不 住 想问 要 办 买 找 嘛事 咩
    中介 骂 再说 直说 就这样 弄 收到了收到了 你真
    """
)

FLOOR_ZH = _words(
    """
    好了 行了 得了得了 人呢 再说吧 直说 我还了 中介 收到了收到了 听得到伐 算了 够了 可以了 对了 喂喂
    差不多了 成了
    """
)

NOISES_EN = _phrases(
    """
    uh huh | mm | mmm | mhm | mm hmm | mm hm | hmm | hm | uh hum | um hum | ah | oh | ooh | aha | wow
    huh | yeah | yep | yup | yes | ya | yea | right | that's right | thats right | all right | alright
    okay | ok | okey | k | kay | sure | sure thing | of course | absolutely | definitely | certainly
    exactly | precisely | indeed | true | that's true | thats true | i see | i got it | got it | gotcha
    i get it | i understand | understood | i know | i hear you | makes sense | that makes sense | fair
    fair enough | sounds good | sounds great | that sounds good | that sounds great | that's good
    thats good | that's great | thats great | that's nice | thats nice | that's fine | thats fine | good
    great | nice | cool | perfect | lovely | fine | very good | very nice | not bad | no problem
    no worries | interesting | awesome | amazing | excellent | wonderful | go on | go ahead | carry on
    keep going | continue | please continue | please go on | i'm listening | im listening | i am listening
    i'm here | i'm with you | i hear | i can hear you | i follow | i'm following | really | oh really
    is that right | is that so | you're right | youre right | you are right | no kidding | no doubt
    thanks | thank you | hello | hi | hey | alrighty | okie dokie | right on | you bet | for sure
    ha | haha | hahaha | hahahaha | heh | hehe | ahem | achoo | lol | yay | oh boy | oh my | my goodness
    that's awesome | that's amazing | that's cool | that's neat | that's true | neat | sweet | fantastic
    brilliant | righto | roger | noted | still here | i'm still here | still listening | keep talking
    is that so | you don't say | sounds nice | sounds fine | sounds interesting | good deal
    nice deal | i can imagine | i suppose | i guess | i guess so | i bet | makes sense to me | correct
    naturally | obviously | quite right | aye | cheers | bless you | very well | fascinating | terrific
    oh i see | oh wow | oh nice | oh good | good to know | no way | well well
    """
)

GLUE_EN = _phrases(
    """
    uh | um | er | erm | well | so | and | the | a | that | that's | it | it's | is | very | just | i | oh
    now | then | like | you know | i mean | too | there | yeah | really | mean
    """
)

CUES_EN = _phrases(
    """
    wait | hold on | hang on | stop | no | nope | not | don't | dont | who | what | why | how | when
    where | which | sorry | excuse me | pardon | but | however | actually | listen | question | what's
    who's | where's | how's | see ya | good night | driving | busy | meeting | bye | goodbye | can't
    cant | isn't | never | remove | robot | real person | human | scam | speak | repeat | slow down
    one second | one moment | just a minute | just a second | a sec | let me | i have | i already | can i
    can you | could you | do you | are you | is this | is it | is there | i'm not | already
    """
)

ANSWERS_ZH = _words(
    """
    对 是 好 行 可以 嗯 恩 要 有 没 不 能 会 愿意 同意 成 中 方便 想 办 得 ok 没问题 当然 需要 系 係
    """
)

ANSWERS_EN = _phrases(
    """
    absolutely | alright | correct | definitely | fine | go ahead | huh | i am | i do | i don't | mhm
    mm hmm | no | nope | not really | of course | ok | okay | please do | right | sounds good | speaking
    sure | that's me | uh huh | uh-huh | yeah | yep | yes | yup
    """
)

VERDICTS_ZH = _words(
    """
    还行 还可以 还好 挺好 蛮好 很好 不错 一般 都行 都可以 也行 随便 没问题 没事 没毛病 很满意 马马虎虎 凑合
    要得 太好了
    """
)
"""Noises that answer an open question: 平时用得怎么样 - 还行."""

VERDICTS_EN = _phrases("fine | good | great | not bad | pretty good | very good | excellent | perfect | nice")

OPEN_GLUE = (
    "那",
    "那个",
    "这个",
    "我",
    "你",
    "您",
    "就",
    "也",
    "还",
    "都",
    "挺",
    "蛮",
    "真",
    "很",
    "先",
    "呃",
    "额",
    "然后",
    "所以",
    "其实",
    "一个",
    "这",
    "那就",
    "那我",
    "uh",
    "um",
    "er",
    "and",
    "the",
    "a",
    "i",
    "so",
    "like",
    "is",
    "it's",
    "that's",
    "then",
    "well",
)
"""Glue that goes on: a text that ends in it is no answer yet."""

UNSTABLE_ZH = _words(
    """
    不 为 什 他 但 先 几 哪 多 干 怎 想 打 有 没 等 能 要
    """
)

UNSTABLE_EN = _words(
    """
    bu do ho in is no not st un w wa wait's wh what's
    """
)

HOMOPHONES: dict[str, str] = {
    **dict.fromkeys("对队兑堆碓怼", "对"),
    **dict.fromkeys("嗯恩摁蒽嗡", "嗯"),
    **dict.fromkeys("是事四市式似试室世士", "是"),
    **dict.fromkeys("好号浩毫郝豪耗", "好"),
    **dict.fromkeys("哦喔噢欧偶窝呕沃", "哦"),
    **dict.fromkeys("行型星形刑醒", "行"),
    **dict.fromkeys("啊阿", "啊"),
    **dict.fromkeys("诶哎唉爱艾", "哎"),
    **dict.fromkeys("的得地滴", "的"),
}
