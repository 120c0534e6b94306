# Refusals because of the limits of a server.

moderation-blocked = 这个服务器的管理员在这里屏蔽了你。
moderation-channel = 在这个服务器里，我只在 { $channels } 作画。
moderation-too-many = 这是 { $count } 张图，而这个服务器的每日上限是 { $most } 张。
moderation-cooldown-over = 冷却时间还没结束，{ $when }可以要下一张。
moderation-daily-used = 已达到每日上限 { $most } 张，{ $when }可以再来。
moderation-cooldown = 冷却时间要在 0 到 { $most } 秒之间，不能是 { $seconds }。
moderation-daily = 每日上限要在 0 到 { $most } 张之间，不能是 { $count }。
