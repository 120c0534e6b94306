"""The words of `bot.prompts.words` in Chinese and Japanese.

These languages are written without spaces: their text is split into the words listed here, the
longest first.
"""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# Like `bot.prompts.words.SYNONYMS`: the values on the left, their synonyms on the right.
_VALUES = {
    "pink, rose": "粉 粉色 粉红 粉红色 粉紅 粉紅色 浅粉色 樱色 桃 桃色 桜色 もも色 ピンク ピンク色",
    "red, crimson": "红 红色 紅 紅色 大红 赤 赤色 赤い 深红 レッド",
    "orange, amber": "橙 橙色 橘 橘色 橘黄 橘黄色 琥珀 琥珀色 だいだい色 オレンジ オレンジ色",
    "yellow, blonde, blond, gold, golden": "黄 黄色 黃 黃色 黄色い イエロー きいろ",
    "blonde, blond, gold, golden, yellow": "金 金色 金黄 金黄色 ブロンド ゴールド きん",
    "green, emerald": "绿 绿色 綠 綠色 緑 緑色 翠 碧绿 翠绿 みどり グリーン エメラルド",
    "aqua, cyan, turquoise, teal, light blue, blue": (
        "青色 青绿 青綠 青绿色 水色 水蓝 水蓝色 浅蓝 浅蓝色 淡蓝 淡蓝色 天蓝 天蓝色 水藍色 "
        "みず色 みずいろ 空色 シアン アクア ターコイズ"
    ),
    "blue": "蓝 蓝色 藍 藍色 青 碧 深蓝 深蓝色 湛蓝 青い 紺 紺色 ブルー",
    "purple, violet, lavender": "紫 紫色 紫罗兰 むらさき パープル バイオレット ラベンダー",
    "brown, brunette": "棕 棕色 褐 褐色 咖啡色 栗色 茶 茶色 茶色い 茶髪色 ブラウン",
    "black, ebony": "黑 黑色 黒 黒色 黒い 乌黑 くろ ブラック",
    "white, silver": "白 白色 白い 雪白 ホワイト",
    "silver, gray, grey, white": "银 银色 銀 銀色 银白 银白色 シルバー",
    "gray, grey, silver": "灰 灰色 グレー グレイ",
    "yes, true, on, 1": "有り はい",
}

VALUES = {
    word: tuple(values.split(", ")) for values, words in _VALUES.items() for word in words.split()
}

# Names of attributes, by one of their English names.
ATTRIBUTES = {
    "hair": _set("头发 发 发色 髪 髮 頭髮 髪色 髪の毛 髪の色 毛 ヘア ヘアー かみ 头发颜色"),
    "eyes": _set(
        "眼睛 眼 眼眸 眸 瞳 瞳色 瞳孔 眼瞳 双眼 双瞳 目 目の色 瞳の色 眼色 ひとみ アイ 眼睛颜色"
    ),
    "glasses": _set("眼镜 眼鏡 メガネ めがね"),
    "smile": _set("微笑 笑容 笑顔"),
    "hat": _set("帽子"),
    "skin": _set("皮肤 肤色 肌 肌の色"),
}

NEGATIONS = _set("不要 没有 不 没 無し なし ない じゃない なく 不带")
ANYTHING = _set("随机 任意 随便 都可以 都行 隨機 ランダム おまかせ お任せ なんでも 何でも 任せる")
LINKS = _set("的 是 の は が な 色 颜色 顏色 で を に です")
BREAKS = _set("配 有 带 带着 戴 戴着 但 但是 持つ 持った")
JOINTS = _set("和 与 跟 及 并且 と や")
SHADES = _set("深 浅 淡 亮 明るい 暗い 濃い 薄い 淡い")
FILLERS = _set(
    "一 一个 一位 一名 一张 个 画 画一张 画一个 画个 请 请画 给我 帮我 我 我要 我想要 想要 要 "
    "想 长 短 卷 直 大 小 双 马尾 ロング ショート ツインテール ポニーテール 很 可爱 漂亮 好看 "
    "美丽 女孩 女孩子 女生 少女 女子 男孩 男生 少年 妹子 小姐姐 人 人物 角色 头像 动漫 二次元 "
    "动画 图 图片 一下 吧 呢 啊 了 谢谢 女の子 男の子 子 女性 男性 キャラ キャラクター アニメ "
    "アバター アイコン 絵 顔 描いて 描く かいて ください 下さい お願い お願いします おねがい "
    "ほしい 欲しい して してください かわいい 可愛い 長い 短い ありがとう"
)

# Fillers that describe a face.
DESCRIPTIONS = _set(
    "长 短 卷 直 大 小 双 马尾 男孩 男生 少年 男の子 男性 長い 短い "
    "ロング ショート ツインテール ポニーテール"
)

ALL = (
    frozenset(VALUES)
    .union(*ATTRIBUTES.values())
    .union(NEGATIONS, ANYTHING, LINKS, BREAKS, JOINTS, SHADES, FILLERS)
)
