# The page of a picture and its proof, and what their scripts say.

page-picture-about = Irodori 于 { $day } 画的脸。种子 { $seed }，模型 { $model }。
page-picture-values = 特征
page-picture-studio = 在画室打开
page-picture-another = 再画一张
page-picture-favorite = 收藏
page-picture-favorites = 收藏：{ $count }
page-picture-share = 分享
page-picture-prompt = 提示词
page-picture-seed = 种子
page-picture-day = 日期
page-picture-model = 模型
page-picture-proof = 验证
page-picture-found = 来历
page-picture-by-choosing = 挑选找到的
page-picture-download = 下载
page-picture-download-size = 下载 { $size } px
page-picture-download-as = 下载{ $form }
page-picture-circle = 圆形
page-picture-emoji = 表情
page-picture-sticker = 贴纸
page-picture-zip = 下载全部尺寸（zip）
page-picture-command = 复制 Discord 命令
page-picture-report = 举报这张图片
page-picture-report-title = 要举报这张图片吗？
page-picture-report-send = 举报
page-picture-delete = 删除我的图
page-picture-delete-title = 要删除这张图吗？
page-picture-delete-why = 它会从所有人的画廊中消失，而且无法撤销。
page-picture-delete-yes = 删除
page-picture-parents = { $count ->
   *[other] 父母
}
page-picture-children = { $count ->
   *[other] 孩子
}
page-picture-siblings = { $count ->
   *[other] 兄弟姐妹
}
page-proof-title = { $id } 的验证
page-proof-same = 是同一张图
page-proof-near = 几乎是同一张图
page-proof-different = 不是同一张图
page-proof-same-file = 刚刚按配方重新画了一遍，每个像素、文件的每个字节都完全相同。
page-proof-same-pixels = 刚刚按配方重新画了一遍，每个像素都相同。
page-proof-near-text = 刚刚按配方重新画了一遍。差别只是换处理器或放大模型版本时会有的程度：以 255 计，平均 { $mean }，最大 { $most }。
page-proof-different-text = 刚刚按配方重新画了一遍，结果不同：以 255 计，平均 { $mean }，最大 { $most }。保存的图或配方被改动过。
page-proof-recipe = 配方
page-proof-seed = 种子 { $seed }
page-proof-values = 特征 { $values }
page-proof-model = 模型 { $model }，{ $size } 像素
script-picture-copied = 已复制
script-picture-copied-command = 已复制。
script-picture-selected = 已选中命令。
script-picture-copied-link = 已复制链接
script-picture-no-clipboard = 请从地址栏复制链接。
script-picture-reported = 已举报
script-picture-thanks = 谢谢。运营者会查看这张图片。
