# The page for faces by name, and what its script says.

page-wear-title = Irodori：每个名字都有一张脸
page-wear-heading = 到处都能用的头像
page-wear-help = 每个名字都有一张固定的脸。凡是能贴图片地址的地方都能用，不会保存任何内容。
page-wear-face = { $name } 的脸
page-wear-name = 名字
page-wear-values = 特征
page-wear-optional = （可不填）
page-wear-show = 显示
page-wear-copy = 复制使用
page-wear-copy-one = 复制：{ $what }
page-wear-address = 地址
page-wear-pinned = 换了新模型也不会变的地址
page-wear-forum = 论坛签名（BBCode）
page-wear-readme = README（Markdown）
page-wear-html = 网页（HTML）
page-wear-options = 选项
page-wear-size = 可缩小图片，最小 16 像素。
page-wear-webp = 代替 .png，文件会小很多。
page-wear-gravatar = 给没有头像的成员（Gravatar 的 d=）使用时，地址里写上他们的名字或编号即可。
page-wear-case = 不区分大小写，名字前后的空格也不影响。
page-wear-cors = 其他网站的页面也可以用脚本读取图片（CORS）。
script-wear-face = { $name } 的脸
script-wear-copied = 已复制
script-wear-copied-line = 已复制。
script-wear-selected = 已选中，请用键盘复制。
