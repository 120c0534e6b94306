# The gallery, the matrix and the visitor's own pictures, and what their scripts say.

page-gallery-about = 大家画的动漫头像都在这里。
page-gallery = 画廊
page-gallery-pictures = { $count ->
   *[other] 张图
}
page-gallery-sort = 排序
page-gallery-newest = 最新
page-gallery-loved = 最受喜爱
page-gallery-matrix = 表格
page-gallery-skip = 跳到图片
page-gallery-filters = 筛选
page-gallery-remove-filter = 去掉这个筛选
page-gallery-no-match = 还没有符合条件的图。
page-gallery-none = 还没有图。
page-gallery-paint-first = 画第一张
page-gallery-grid = 图片
page-matrix-rows = 行
page-matrix-columns = 列
page-matrix-show = 显示
page-matrix-legend = 每种组合最新的一张图，以及总张数。
page-matrix-swap = 交换行和列
page-matrix-cell = { $face }：
page-matrix-first = 画第一张{ $face }
page-mine = 我的图
page-mine-favorites = 我的收藏
page-mine-which = 哪些图
page-mine-tab-pictures = 图
page-mine-tab-favorites = 收藏
page-mine-no-favorites = 你还没有收藏。在图片页面点爱心就能收藏。
page-mine-none = 你还没有用这个浏览器画过图。
page-mine-paint = 画一张脸
script-gallery-fresh = { $count } 张新图
script-gallery-new = 新图：{ $face }
