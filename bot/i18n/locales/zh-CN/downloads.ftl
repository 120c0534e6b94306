# Files of a picture.

download-large = 下载放大到 { $size } px 的图
