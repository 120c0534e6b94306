# The page where visitors find a face, and what its script says.

page-find-title = Irodori：寻找你的脸
page-find = 寻找你的脸
page-find-help = 选出喜欢的脸，就会画出九张更接近的。把最喜欢的一张留下吧。
page-find-sheets = 轮次
page-find-sheet = 第 { $number } 轮
page-find-faces = 九张脸
page-find-face = 第 { $number } 张脸
page-find-off = 绘画功能已关闭。
page-find-undo = 返回
page-find-nearer = 更接近
page-find-adopt = 就要这张
page-find-keys = 按键：
page-find-keys-choose = 选择，
page-find-keys-nearer = 画更接近的脸，
page-find-keys-undo = 返回上一轮。
page-find-start = 起点
page-find-new = 换一批
page-find-optional = 可以不填。没填的都会一起寻找。
page-find-script = 此页面需要 JavaScript；画室不需要。
script-find-sheet = 第 { $round } 轮，共 { $rounds } 轮
script-find-face = 第 { $number } 张脸：{ $face }
script-find-chosen = 已选 { $count } 张
script-find-choose-last = 请选一张留下
script-find-choose = 请选一张或多张
