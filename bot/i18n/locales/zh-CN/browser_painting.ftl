# 在访客的浏览器中绘制。浏览器中的图片保存后才进入画廊。

browser-paint = 在此浏览器中绘制
browser-off = 无需等待机器人，离线也能用。首次使用最多下载 { $megabytes } MB。
browser-loading = 正在下载…
browser-on = 图片只留在此浏览器中，直到你将其保存到画廊。
browser-offline = 无法连接机器人，但仍可在这里绘制。图片只留在此浏览器中，直到你将其保存到画廊。
browser-failed = 此浏览器无法绘制，改由机器人绘制。
browser-keep = 保存到画廊
browser-kept = 已保存到画廊。
browser-prompt = 未连接机器人时，只能使用色块所写的属性值。
browser-seed = 种子是 0 到 4294967295 之间的整数。
browser-other-model = 绘制这张图片的是另一个模型，此浏览器中没有它。
browser-keep-first = 请先把图片保存到画廊，然后才能混合。
