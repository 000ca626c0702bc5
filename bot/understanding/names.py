"""Where a person's name stands in a line: the names we know, and those that people give.

`find_names` finds the known names (of the contact) anywhere, and a name that follows 我叫, 我姓,
贵姓, "my name is".  What follows 我叫 is a name only where it begins with a surname, since
我叫你别打了 is none.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_COMPOUND: Final = (
    "欧阳|太史|端木|上官|司马|东方|独孤|南宫|万俟|闻人|夏侯|诸葛|尉迟|公羊|赫连|澹台|皇甫|宗政|濮阳|公冶|"
    "太叔|申屠|公孙|慕容|仲孙|钟离|长孙|宇文|司徒|鲜于|司空|闾丘|令狐|百里|呼延|东郭|南门|西门|轩辕"
)
_SINGLE: Final = (
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗"
    "凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹"
    "狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞"
    "万支柯管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊甄曲家封芮储靳汲邴糜松井段富"
    "巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸"
    "籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍却璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕"
    "连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡国文寇广禄阙东欧殳沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶"
    "空曾沙乜养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公肖仝代付邸候佟佘闫亓岳帅缑亢况郈琴商牟佴伯赏墨哈谯笪年爱阳但"
    "覃黄涂苟牙原晋楚法汝鄢涂钦练仉督粟靖邝卯揭迟铁扎区"
)
_SURNAME: Final = f"(?:{_COMPOUND}|[{_SINGLE}])"
_NOT_IN_NAMES: Final = (
    "你您我他她它的了吗呢啊呀吧嘛哦哈不没有在是就这那哪什么怎要去来个别打给到都也和跟过说把被让,，。？！、"
)
_GIVEN: Final = f"[\u4e00-\u9fff](?<![{_NOT_IN_NAMES}])"
_TITLE: Final = "(?:先生|女士|小姐|师傅|老师|经理)"
_PLACEHOLDER: Final = "<(?:ID|CARD|PHONE|NAME|DIGITS)>"
_SAID: Final = re.compile(
    rf"(?:我叫做?|名字(?:是|叫做?)|我名叫|本人叫)\s*(?:是\s*)?"
    rf"(?P<full>{_SURNAME}\s?(?!{_TITLE}){_GIVEN}(?:\s?(?!{_TITLE}){_GIVEN})?|[小老阿]{_SURNAME}(?!{_GIVEN}))"
    rf"|(?:(?:我|本人|免?贵|敝|鄙)姓)\s*(?P<surname>{_SURNAME})"
    rf"|(?<![a-z])my\s+name(?:\s+is|['’]s)\s+(?P<english>[a-z]+(?:\s+(?!(?:and|i|but|so|from|what|who|why|the|you|is)(?![a-z]))[a-z]+)?)",
    re.IGNORECASE,
)
_TRIGGER: Final = re.compile(r"我叫|名字|我名叫|本人|姓|my\s+name", re.IGNORECASE)


@lru_cache(maxsize=4096)
def _known(names: tuple[str, ...]) -> re.Pattern[str] | None:
    """A pattern for the known names; None where there are none of two characters and more."""
    parts = []
    for name in sorted({name.strip() for name in names}, key=lambda name: (-len(name), name)):
        letters = [re.escape(char) for char in name if not char.isspace()]
        if len(letters) < 2:
            continue
        if name.isascii():
            words = r"\s+".join(re.escape(word) for word in name.split())
            parts.append(rf"(?<![a-z]){words}(?![a-z])")
        else:
            parts.append(r"\s*".join(letters))
    return re.compile(f"{_PLACEHOLDER}|(?P<name>{'|'.join(parts)})", re.IGNORECASE) if parts else None


def find_names(text: str, known: Sequence[str] = ()) -> list[tuple[int, int]]:
    """(start, end) of each name in `text`, in order, without overlaps."""
    found: list[tuple[int, int]] = []
    pattern = _known(tuple(known)) if known else None
    if pattern:
        found += [hit.span() for hit in pattern.finditer(text) if hit["name"]]
    if _TRIGGER.search(text):
        for hit in _SAID.finditer(text):
            group = next(name for name in ("full", "surname", "english") if hit[name])
            found.append(hit.span(group))
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
