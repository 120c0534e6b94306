# Refusals of requests that the studio cannot grant.

studio-count = 数量要在 1 到 { $most } 之间，现在是 { $count }。
studio-seed = 种子要在 0 到 { $most } 之间，现在是 { $seed }。
studio-no-change = 请说明要改什么，比如一个属性和它的新值。
studio-nobody = 我不知道你是谁，所以无法显示你自己的画廊。
studio-no-server = 这里不是服务器，所以没有服务器的画廊。
studio-page-size = 一页可以显示 1 到 { $most } 张，不能是 { $limit } 张。
studio-page-gone = 画廊里没有这一页，请从第一页开始。
studio-not-yours = 只有要这张图的人才能删除它。
studio-no-avatar = 没有编号为“{ $id }”的图，可能已经删除了。
transition-frames = 渐变要有 2 到 { $most } 帧，不能是 { $count } 帧。
matrix-same = 表格的行和列要选两个不同的属性。
matrix-none = 现在的模型不到两个属性，排不成表格。
