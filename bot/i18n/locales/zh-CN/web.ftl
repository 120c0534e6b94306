# Errors of the web page.

web-request = { $why }
web-other-site = 这个请求来自别的网站。请使用本站自己的页面。
web-paint-off = 这里关闭了绘画功能，画廊仍然开放。
web-paint-local = 这里只有机器人所在的电脑可以画，画廊仍然开放。
web-too-many = 这个地址暂时不能再画了，请稍等到 { $when }。
web-admins-only = 请以管理员身份登录：会话已过期。
web-streams-full = 打开的事件流太多了，请大约 { $seconds } 秒后再试。
web-too-many-streams = 来自你的地址的事件流太多了，请先关闭一个。
web-logins-busy = 正在验证的登录太多了，请大约 { $seconds } 秒后再试。
web-too-many-logins = 来自你的地址的密码尝试过多，请稍等到 { $when }。
