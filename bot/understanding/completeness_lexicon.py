"""The words that tell where a clause stands, by part of speech: Chinese and English, mostly closed classes.

`tagged` reads a folded text as a row of (word, tag), longest words first from the left; what the
lexicon does not hold is x (an open-class word: most often part of a noun).  The classes are those of
Chao, A Grammar of Spoken Chinese (1968), cut coarsely for one purpose: what can a turn end in?
"""

from __future__ import annotations

import re
from functools import lru_cache

_ZH: dict[str, str] = {
    # hesitations and particles
    "fill": "呃 额 嗯 那个 这个 就是 就是说 那么 怎么说呢 怎么讲呢 这么说吧 喂 诶 欸 哎 唉 哦 噢 喔",
    "final": "了 吗 呢 吧 啊 呀 嘛 啦 呗 哈 哟 哇 咯 喽 噻 哒 么 嘞 哩 伐 咧 着呢 来着 而已 罢了",
    "de": "的 地 得",
    # what joins clauses, and what opens one that another must close
    "link": """
        但是 但 可是 不过 只是 就是说 而且 并且 所以 所以说 因此 因为 由于 然后 接着 结果 另外 还有 再说
        再一个 同时 或者 还是说 要不然 不然 否则 要么 以及 比如 比如说 例如 像 包括 尤其 特别是 主要是
        关键是 问题是 其实 反正 毕竟 甚至
    """,
    "if": "如果 要是 假如 万一 假设 只要 只有 除非 虽然 尽管 即使 就算 哪怕 既然 无论 不管 等到 自从 除了",
    "when": "的时候 的话 以后 之后 以前 之前 的情况下",
    # what stands before the verb
    "adv": """
        不 也 都 就 才 还 又 再 只 光 先 正 刚 刚刚 刚才 已经 正在 一直 老是 总是 经常 常常 马上 快要 当时
        本来 原来 后来 一般 一般都 平时 有时候 有时 突然 根本 到底 究竟 肯定 一定 确实 真的 好像 大概 大约
        差不多 可能 应该 也许 估计 恐怕 起码 至少 最多 最少 最好 主要 从来 从来没 反正 随便 稍微 稍 还要
        还没 还没有 也没 都没 没 从 又是 也是 都是 就是 不是 还是 暂时 目前 当然 其实 居然 竟然 幸亏 顺便
        到时候 直接 重新 一共 总共 分别 互相 越来越 基本上 基本 一下子 从此 千万
    """,
    "deg": """
        很 太 挺 蛮 非常 特别 比较 有点 有点儿 有一点 最 更 这么 那么 多么 好 真 相当 十分 稍微有点 不太
        不怎么 没那么
    """,
    "modal": """
        能 会 可以 要 想 应该 得 愿意 打算 准备 需要 想要 不想 不要 不会 不能 不用 不可以 没法 没办法
        能不能 可不可以 会不会 要不要 是不是 有没有 想不想 敢 肯 必须 只能 只好 可能会 懒得 舍不得 不敢
        不愿意 希望 麻烦你 麻烦您 请 请你 请您 急着 忙着
    """,
    "prep": """
        跟 和 在 向 往 对 给 把 被 让 叫 为 比 从 将 按 按照 通过 关于 对于 至于 根据 替 离 由 经过 随着
        针对 帮 帮我 给我 跟我 帮你 跟你 跟你们 给你 给你们 让我 叫我 把我 把那个 把这个 跟那个 同 连
    """,
    # persons, pointers, measures, places and times
    "pron": """
        我 你 您 他 她 它 我们 你们 他们 她们 咱们 咱 俺 侬 阿拉 佢 自己 人家 别人 大家 我自己 你自己 我家
        我们家 我这边 你们那边 你们那儿 我这儿 我这里 你那边 我那边 你那儿 他那边 我这个 你这个 我那个
        你那个 你们那个 你们这个 他那个 我们这边 我们这儿 我们这里 我们那边 他家 你家 这边 那边
    """,
    "dem": "这 那 这种 那种 这些 那些 每个 每 某个 哪 另外一个 其他 别的 上次那个 之前那个 刚才那个",
    "ask": """
        什么 啥 谁 怎么 怎么样 怎样 多少 多少钱 几 哪个 哪里 哪儿 哪种 为什么 为啥 干嘛 干吗 干什么 咋
        咋样 多久 多长时间 几点 几天 几个 几块 哪位 哪家 什么时候 啥时候 什么意思 怎么回事 怎么办 多大
        何时 咋个 咋回事 边位 嘛事
    """,
    "num": "一 二 三 四 五 六 七 八 九 十 百 千 万 亿 两 零 半 几 幺 俩 仨 十几 几十 好几 第 多 来",
    "unit": """
        个 块 块钱 元 毛 次 遍 回 条 张 件 份 台 部 家 间 套 种 位 天 年 月 号 点 点钟 分钟 小时 个月
        个小时 岁 米 平米 平方 公里 斤 兆 个g 期 笔 栋 楼 层 单元 室 度 折 趟 顿 只 把 双 辆 口 口人 年级
    """,
    "loc": """
        上 下 里 里面 里头 外面 外头 前面 后面 旁边 中间 上面 下面 附近 对面 楼上 楼下 之间 以内 之内 左右
        上下
    """,
    "time": """
        今天 明天 后天 昨天 前天 大前天 大后天 今年 明年 去年 前年 上午 下午 晚上 早上 中午 傍晚 凌晨 夜里
        半夜 周末 月底 月初 月中 年底 年初 年前 年后 上个月 下个月 这个月 上上个月 上周 下周 这周 上个星期
        下个星期 这个星期 上个礼拜 下个礼拜 这个礼拜 星期一 星期二 星期三 星期四 星期五 星期六 星期天
        星期日 礼拜一 礼拜二 礼拜三 礼拜四 礼拜五 礼拜六 礼拜天 周一 周二 周三 周四 周五 周六 周日 现在
        这会儿 这会 这时候 最近 这几天 这两天 过两天 过几天 过段时间 前几天 前两天 前一阵 前段时间 上次
        下次 这次 以前 之前 以后 刚才 平常 一会儿 等会儿 待会儿 回头 改天 早晨 一大早 国庆 春节 过年 白天
        明早 今晚 明晚 那天 当天 每天 天天 每个月 每年
    """,
    # verbs: with a clause, with an object, whole predicates; adjectives
    "say": """
        觉得 认为 以为 感觉 记得 听说 发现 怀疑 担心 就怕 怕 想问 想问一下 问一下 请问 想知道 想了解
        想咨询 说 说是 想说 意思是 我的意思是 看 看看 看到 听 听到 听我 发觉 希望 知道 不知道 想了解一下
        咨询一下 想咨询一下 确认一下 我说 你说 你说的 我是说 你是说 他说 他们说 就是想 主要想 告诉 提醒
        证明 保证 规定 显示 相信
    """,
    "be": "是 叫 姓 属于 等于 成 当 像是 算是 就是个 说的是 用的是 买的是 办的是 叫做 指的是 变成 当成 算",
    "have": "有 没有 没 还有 只有 又有 含 带 包含 剩 欠 缺 占 超过 不到",
    "verb": """
        用 办 开 打 给 交 买 换 要 送 发 退 查 找 弄 装 拿 取 收 扣 充 改 接 停 加 做 干 搞 出 放 带 借 还
        寄 写 填 听 讲 帮 选 订 约 签 盖 拍 传 打电话给 打给 联系 通知 安排 解决 处理 取消 使用 办理 开通
        关掉 退掉 换成 改成 变 变成 申请 购买 支付 注册 登录 推荐 介绍 解释 喜欢 讨厌 去 到 来到 住 住在
        在用 正在用 收到 接到 看见 遇到 碰到 拿到 用过 办过 买过 听过 试过 打过 去过 做过 见过 交过 花
        花了 用了 办了 买了 交了 打了 换了 给了 收了 扣了 送了 问了 等了 发了 装了 开了 停了 关了 退了 学
        教 考 上 找个 弄个
    """,
    "whole": """
        明白 懂 清楚 了解 晓得 同意 忙 开车 开会 上班 下班 吃饭 睡觉 出差 休息 退休 上课 下课 上学 放学
        加班 睡了 走了 回来 回去 过来 过去 出来 出去 进来 起来 下来 上来 下去 不用了 不要了 算了 行了 好了
        够了 完了 可以了 挂了 再见 拜拜 谢谢 谢谢你 谢谢您 试试 考虑 考虑一下 考虑考虑 商量 商量一下
        商量商量 再说 再说吧 想想 想一下 看一下 看看吧 试一下 听一下 说一下 讲一下 查一下 不在 不在家 在家
        没空 有空 没时间 没兴趣 没用 有用 没必要 没意思 没关系 没问题 没事 没收到 没听说过 没用过 没办过
        没听清 听不清 听不见 听不懂 看不懂 不懂 不明白 打错 打错了 打不通 用不上 用不着 用不完 用不了
        划不来 来不及 受不了 没听懂 弄不懂 搞不懂 不清楚 不晓得 不感兴趣 不需要 不用 不要 不办 不想办
        不想要 不想换 不行 不好 不好用 不错 不够 不够用 够用 够 在忙 没钱 要钱 花钱 骗人 推销
    """,
    "adj": """
        好 行 贵 便宜 慢 快 方便 麻烦 好用 划算 合适 一样 差 卡 烦 忙 少 大 小 高 低 长 短 远 近 对 错
        满意 稳定 正常 免费 简单 复杂 清楚 难 容易 早 晚 累 乱 坏 新 旧 安全 靠谱 实惠 优惠 可惜 奇怪 生气
        着急 可以 还可以 还行 挺好 不一样 差不多了 新鲜 不方便 不满意 不稳定 不划算 不合适 不贵 不便宜
        不对 厉害 严重 好多 很多 多了 少了 那样 这样 一般般 没毛病
    """,
    # what calls are often about
    "noun": """
        套餐 流量 话费 号码 手机 手机号 电话 宽带 信号 网速 网络 账单 短信 客服 师傅 老公 老婆 儿子 女儿
        孩子 小孩 爸 妈 爸爸 妈妈 我爸 我妈 我儿子 我女儿 我老公 我老婆 合同 费用 活动 优惠 业务 价格 服务
        钱 卡 东西 事情 事 问题 朋友 同事 公司 单位 家里 家里人 营业厅 小区 地址 名字 身份证 微信 支付宝
        银行 信用卡 贷款 保险 快递 订单 会员 积分 视频 游戏 彩铃 铃声 人工 移动 联通 电信 骗子 老人 媳妇
        时间 时候 地方 人 车 房子 学校 老师 英语 数学 课 作业 店 门口 公寓 意思 办法 好处 区别 必要 兴趣
        印象 想法 意见 资料 链接 软件 密码 验证码 尾号 后四位 电话号码
    """,
    "dir": "一下 一会 一点 一点儿 一些 点儿 些",
}

_EN: dict[str, str] = {
    # hesitations and bare answers
    "fill": "uh um er erm well hmm oh like okay ok hey hello hi look",
    "yes": "yes yeah yep no nope sure right fine thanks",
    # what joins clauses
    "link": "and but or so because 'cause cuz although though except plus also then",
    "if": "if when unless until while whether since once before after than as that whenever",
    # the noun phrase
    "det": """
        the a an my your his her their our this these those some any every each another no which whose its
    """,
    "pron": "i you he she we they who it's there's that's what's",
    "obj": """
        it me him them us mine yours myself yourself one ones everything anything something nothing
        everyone nobody
    """,
    # verbs and what goes with them
    "be": """
        is are was were am be been being i'm you're he's she's we're they're isn't aren't wasn't weren't
        name's
    """,
    "aux": """
        do does did have has had i've you've we've they've don't doesn't didn't haven't hasn't won't can't
        couldn't wouldn't shouldn't i'd you'd we'd i'll you'll we'll he'll they'll it'll
    """,
    "modal": "can could would will should must may might to gonna wanna gotta cannot let's",
    "prep": """
        of for with at from by into about on in onto through between during without under over around near
        per via
    """,
    "deg": "very too quite really more less pretty kinda so most least such even",
    "adv": """
        just already still only always never actually usually mostly basically probably maybe recently
        currently not ever honestly apparently
    """,
    "ask": "what how why where what'd how's where's",
    "verb": """
        want need like think know guess said say says tell told mean get got give gave use used using take
        took make made keep keeps call called calling find found have pay paid put see saw seen try tried
        trying ask asked asking bought buy sell send sent cancel change changed check understand feel
        heard hear talk talking speak speaking live moved wait waiting work works signed sign switch
        switched repeat remember believe wonder wondering thought hope hoping thinking looking
    """,
    # figures and times
    "num": """
        one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty fifty
        sixty zero oh double hundred thousand
    """,
    "unit": """
        dollars bucks month months week weeks day days year years minute minutes hour hours times o'clock
        percent am pm
    """,
    "time": """
        today tomorrow yesterday tonight now later morning afternoon evening noon night weekend weekends
        monday tuesday wednesday thursday friday saturday sunday soon anymore again yet lately early
    """,
    "adj": """
        good bad expensive cheap cheaper slow fast busy free interested happy okay great better fine wrong
        correct done available late easy hard nice terrible
    """,
    "part": "up off out down back away over around here there home please though too either",
}

_WORD = re.compile(r"[a-z0-9']+|[\u3400-\u9fff]")
_TAG_ZH = {word: tag for tag, words in reversed(_ZH.items()) for word in words.split()}
_TAG_EN = {word: tag for tag, words in reversed(_EN.items()) for word in words.split()}
_LENGTHS: dict[str, tuple[int, ...]] = {}  # of the words that begin with a character, longest first
for _word in _TAG_ZH:
    _LENGTHS[_word[0]] = tuple(sorted({*_LENGTHS.get(_word[0], ()), len(_word)}, reverse=True))
_MERGED = ("x", "num")  # runs of these are one word


@lru_cache(maxsize=4096)
def tagged(folded: str) -> tuple[tuple[str, str], ...]:
    """The words of a folded text with their tags, in order; x for what is not in the lexicon."""
    found: list[tuple[str, str]] = []
    place, size = 0, len(folded)
    before = ""
    while place < size:
        char = folded[place]
        lengths = _LENGTHS.get(char)
        if lengths is None and not "\u3400" <= char <= "\u9fff":
            match = _WORD.match(folded, place)
            if match is None:
                place += 1
                continue
            word = match.group()
            tag = _TAG_EN.get(word) or ("num" if word.isdigit() else "x")
            found.append((word, tag))
            place = match.end()
            before = ""
            continue
        word, tag = char, "x"
        for length in lengths or ():
            candidate = folded[place : place + length]
            if candidate in _TAG_ZH:
                word, tag = candidate, _TAG_ZH[candidate]
                break
        place += len(word)
        if tag == before and tag in _MERGED:
            found[-1] = (found[-1][0] + word, tag)
        else:
            found.append((word, tag))
        before = tag
    return tuple(found)
