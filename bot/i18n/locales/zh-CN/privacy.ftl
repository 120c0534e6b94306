command-privacy =
    .name = 隐私
    .description = 我保存了你的哪些内容；可以导出，也可以让我忘掉
privacy-title = 我保存了你的哪些内容
privacy-what = 你的图片，以及当时的要求、种子、/find 的选择、模型、时间和地点；你的 ♥ 和举报；你的设置；你的 Discord 编号和显示名；你关联的浏览器。如果服务器开启了相应功能：你的投票、/guess 的回答，以及你是否收到欢迎或加入全家福。仅此而已：除了提到我或私信给我的消息，我什么都不读。
privacy-who = 私密图片只给你自己看；其他图片所有人都看得到，画廊里也有。
privacy-how = **导出**会把你的全部数据打包成 zip。**忘掉我**会永久删除它们。只想删一张图，按它下面的 🗑️。网页在你的浏览器中绘制的图片只在浏览器里：请在浏览器中清除该网页的数据。因为服务器可以设每日上限，你要了几张图我会再记一天；服务器的屏蔽名单也会保留。
privacy-export = 导出
privacy-forget = 忘掉我
privacy-sure = 要删除你所有的图片、收藏和设置吗？此操作无法撤销。
privacy-yes = 全部删除
privacy-no = 留着
privacy-not-deleted = 什么都没有删除。
privacy-forgotten =
    { $count ->
        [0] 你在这里没有图片。你的收藏、设置和名字都删掉了。
       *[other] 已删除：{ $count } 张图片，以及你的收藏、设置和名字。
    }
privacy-export-all = 这个 zip 里有你的全部数据。
privacy-export-part = 你的全部数据，第 { $part } 份，共 { $parts } 份：放在一个文件里会超过 Discord 的上限。
privacy-export-next = 第 { $part } 份
privacy-not-kept = 你的数据已被删除，因此没有保留这张图片。
