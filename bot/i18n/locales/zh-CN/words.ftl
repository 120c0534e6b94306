# How a picture is described, and lists. The model's own words are English already.

words-pair = { $value }{ $attribute }
words-comma = 、
words-more = 另外 { $count } 种

attribute-hair = 头发
attribute-eyes = 眼睛
attribute-eye = 眼睛
attribute-glasses = 眼镜
attribute-smile = 微笑
attribute-hat = 帽子
attribute-skin = 皮肤

value-aqua = 水蓝色
value-black = 黑色
value-blonde = 金色
value-blond = 金色
value-golden = 金黄色
value-gold = 金黄色
value-blue = 蓝色
value-light-blue = 浅蓝色
value-dark-blue = 深蓝色
value-brown = 棕色
value-gray = 灰色
value-grey = 灰色
value-silver = 银色
value-green = 绿色
value-orange = 橙色
value-pink = 粉色
value-purple = 紫色
value-violet = 紫罗兰
value-red = 红色
value-white = 白色
value-yellow = 黄色
value-cyan = 青色
value-teal = 青绿色
value-yes = 有
value-no = 没有
