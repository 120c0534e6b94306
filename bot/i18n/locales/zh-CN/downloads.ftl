# Files of a picture.

download-large = 下载放大到 512 px 的图
