# A picture's message, and the buttons below it.

card-face = 一张脸
card-alt = 动漫头像：{ $words }
card-alt-plain = 动漫头像
card-number = 第 { $number } 张，共 { $count } 张：{ $title }
card-portrait = { $member }：{ $title }
card-for = 给 { $member }
card-wish = 要求 { $wish }
card-no-wish = 没有要求，全部随机
card-seed = 种子 { $seed }
card-model = 模型 { $model }
card-id = 编号 { $id }
card-child-of = { $parents } 的孩子
card-quoted = “{ $word }”
card-unused = 没看懂：{ $words }。
card-again = 再来一张
card-recolor = 换色
card-variations = 变化
card-mix = 融合…
card-info = 详情
card-no-values = 现在的模型已经没有这张图的特征了。

recolor-title = 同一张脸，换个特征：
recolor-paint = 画
recolor-same = 现在就是这样，请先选一个别的。

with-title = 把{ $title }和哪张融合？
with-choose = 你的图或收藏
with-none = 你还没有别的图或收藏可以拿来融合。用 `/avatar` 画一张吧。

nearest-title = 现在的模型已经不认识{ $missing }了。最接近的是：

info-values = 特征
info-wish = 要求
info-any = 随意
info-seed = 种子
info-model = 模型
picture-other-model = { $model }（已不再使用：同样的种子现在会画出另一张脸）
info-size = 尺寸
info-size-value = { $width } × { $height } 像素
info-id = 编号
info-parents = 来自
info-choices = 选择过程
info-by = 画给
info-visitor = 网页访客
info-when = 时间
info-favorites = 收藏
info-private = 只有你能看到
info-hidden = 已被机器人的运营者隐藏：只有你能看到
info-copy = 再画一张同样的
info-copy-like = 再画一张类似的
info-gone = 一张已经看不到的图
