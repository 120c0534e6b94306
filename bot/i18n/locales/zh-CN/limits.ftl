# /limits, for the admins of a server.

command-limits =
    .name = 限制
    .description = 限制成员在本服务器能请求多少
command-limits-show =
    .name = 查看
    .description = 本服务器当前的设置
command-limits-set =
    .name = 设置
    .description = 每位成员可以画多少
    .cooldown = 冷却
    .cooldown-description = 同一成员两次请求之间的秒数；0 表示没有
    .daily = 每日
    .daily-description = 每位成员 24 小时内的张数；0 表示不限
    .gallery = 画廊
    .gallery-description = 成员能否浏览本服务器的图
command-limits-channel =
    .name = 频道
    .description = 机器人在哪里作画；一个都不设则到处都行
    .where = 哪里
    .where-description = 哪个频道
    .answer = 作画
    .answer-description = 是否在那里作画
command-limits-role =
    .name = 身份组
    .description = 让身份组不受冷却和每日上限约束，或设置其专属限额
    .role = 身份组
    .role-description = 哪个身份组
    .exempt = 豁免
    .exempt-description = 是否豁免
    .cooldown = 冷却
    .cooldown-description = 同一成员两次请求之间的秒数；0 表示没有
    .daily = 每日
    .daily-description = 每位成员 24 小时内的张数；0 表示不限
command-limits-reports =
    .name = 举报频道
    .description = 选择管理员接收本服务器图片举报的频道
    .where = 频道
    .where-description = 接收举报的频道；留空则不接收
command-limits-block =
    .name = 屏蔽
    .description = 机器人在这里不再为该成员作画
    .member = 成员
    .member-description = 屏蔽谁
    .blocked = 已屏蔽
    .blocked-description = 屏蔽或解除屏蔽

limits-title = **本服务器的限制**
limits-cooldown = { $seconds ->
    [0] ⏳ 没有冷却时间
   *[other] ⏳ 同一成员两次请求之间 { $seconds } 秒
}
limits-daily = { $count ->
    [0] 📅 没有每日上限
   *[other] 📅 每位成员 24 小时内 { $count } 张
}
limits-channels = 💬 只在 { $names } 作画
limits-channels-none = 💬 在所有频道作画
limits-roles = 🎖️ 豁免：{ $names }
limits-roles-none = 🎖️ 没有豁免的身份组
limits-gallery-on = 🖼️ 本服务器的画廊已开放
limits-gallery-off = 🖼️ 本服务器的画廊已关闭
limits-blocked = 🚫 已屏蔽：{ $names }
limits-blocked-none = 🚫 没有屏蔽任何人
limits-reports = 🚩 本服务器图片的举报发送到 { $names }
limits-reports-none = 🚩 图片的举报只发给机器人的运营者
limits-not-allowed = 只有拥有“管理服务器”权限的成员才能设置限制。
limits-of-role = 🎖️ { $role }：{ $cooldown }，{ $daily }
limits-more = { $names } 以及另外 { $count } 个
limits-more-roles = 🎖️ 另有 { $count } 个身份组有自己的限制
