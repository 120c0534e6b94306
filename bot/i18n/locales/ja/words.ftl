# How a picture is described, and lists. The model's own words are English already.

words-pair = { $value }の{ $attribute }
words-comma = 、
words-more = ほか{ $count }種類

attribute-hair = 髪
attribute-eyes = 目
attribute-eye = 目
attribute-glasses = 眼鏡
attribute-smile = 笑顔
attribute-hat = 帽子
attribute-skin = 肌

value-aqua = 水色
value-black = 黒
value-blonde = ブロンド
value-blond = ブロンド
value-golden = 金色
value-gold = ゴールド
value-blue = 青
value-light-blue = 空色
value-dark-blue = 紺色
value-brown = 茶色
value-gray = グレー
value-grey = グレー
value-silver = 銀色
value-green = 緑
value-orange = オレンジ
value-pink = ピンク
value-purple = 紫
value-violet = バイオレット
value-red = 赤
value-white = 白
value-yellow = 黄色
value-cyan = シアン
value-teal = ターコイズ
value-yes = あり
value-no = なし
