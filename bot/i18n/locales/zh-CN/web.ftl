# Errors of the web page.

web-nothing = { $path } 这个地址没有内容。
web-method = { $path } 不支持 { $method }。可以用：{ $allowed }
web-large-body = 请求内容超过了 { $most } KiB。
web-database = 数据库暂时无法使用，请过几秒再试。
web-failure = 内部错误，详情见机器人的日志。
web-no-json = 请求内容不是有效的 UTF-8 JSON。
web-no-object = 请求内容必须是 JSON 对象，例如 { $example }。
web-no-form = 无法读取表单。
web-large-file = 文件超过了 { $most } MiB。
web-part-of-file = 文件不完整。
web-twice = { $key } 出现了不止一次。
web-unknown-key = { $known ->
    [none] 没有 { $key } 这个键，这里不能使用任何键。
   *[other] 没有 { $key } 这个键。可以用：{ $known }
}
web-missing = 缺少 { $key }：它必须是{ $expected }。
web-invalid = { $key } 必须是{ $expected }，现在是 { $found }。
web-one-of = { $values } 之一
web-whole-number = { $least } 到 { $most } 之间的整数
web-number = 数字（{ $least } 到 { $most }）
web-object = { $example ->
    [none] 对象
   *[other] 对象，例如 { $example }
}
web-list = 列表
web-string = { $most ->
    [0] 字符串
   *[other] 最多 { $most } 个字符的字符串
}{ $example ->
    [none] {""}
   *[other] ，例如 { $example }
}
web-format = 地址必须以 .png 或 .webp 结尾，现在的结尾是 { $format }。
web-crop = 没有 { $name }。可以用：{ $known }
web-other-site = 这个请求来自别的网站。请使用本站自己的页面。
web-paint-off = 这里关闭了绘画功能，画廊仍然开放。
web-paint-local = 这里只有机器人所在的电脑可以画，画廊仍然开放。
web-too-many = 这个地址暂时不能再画了，请稍等到 { $when }。
web-admins-only = 请以管理员身份登录：会话已过期。
web-streams-full = 打开的事件流太多了，请大约 { $seconds } 秒后再试。
web-too-many-streams = 来自你的地址的事件流太多了，请先关闭一个。
web-logins-busy = 正在验证的登录太多了，请大约 { $seconds } 秒后再试。
web-too-many-logins = 来自你的地址的密码尝试过多，请稍等到 { $when }。
