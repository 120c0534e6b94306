# /stats, for operators.

command-stats =
    .name = 统计
    .description = 机器人的运行状况（仅限运营者）

stats-stored = 🖼️ 共 **{ $pictures }** 张图（{ $private } 张私密，最近 24 小时 { $today } 张）· { $members } 位成员 · ♥ { $favorites }
stats-engine = ⏱️ 启动以来画了 { $painted } 张 · 一半在 { $p50 } 毫秒内完成，99 % 在 { $p99 } 毫秒内 · { $waiting } 张排队 · 拒绝 { $refused } 次 · 失败 { $failed } 次
stats-life = 🎨 模型 **{ $model }** · { $guilds } 个服务器 · 已运行 { $days } 天 { $hours } 小时 { $minutes } 分钟
stats-loved = ♥ 最受喜爱：{ $loved }
