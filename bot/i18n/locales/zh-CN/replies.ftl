# What a member sees while a reply is pending, and when something fails.

order-waiting = { $position ->
    [0] 正在画……
   *[other] 前面还有 { $position } 张图，请稍等……
}
order-resumed = 我刚刚重启过，现在就来画你的……
order-restarting = 我正在重启，请稍后再试。
order-too-many = 你还有 { $most } 个请求正在画，请等其中一个完成后再来。
failure-database = 数据库暂时无法使用，请过几秒再试。
failure-broken = 我这边出错了。如果一直这样，请把这个代码告诉机器人的运营者：`{ $code }`。
failure-outdated = 这个命令已经更新。请刷新 Discord（Ctrl+R）后再试。
failure-no-choice = 没有这个选项，请选择其他选项。
operators-only = 只有机器人的运营者才能使用这个命令。
