# Refusals because of the limits of a server.

moderation-blocked = 这个服务器的管理员在这里屏蔽了你。
moderation-channel = 在这个服务器里，我只在 { $channels } 回应。
moderation-too-many = 这是 { $count } 张图，而这个服务器每天最多 { $most } 张。
moderation-cooldown-over = 太快啦！{ $when }可以要下一张。
moderation-quota = 今天的 { $most } 张已经用完了，{ $when }可以再来。
moderation-cooldown = 冷却时间要在 0 到 { $most } 秒之间，不能是 { $seconds }。
moderation-daily = 每日限额要在 0 到 { $most } 张之间，不能是 { $count }。
