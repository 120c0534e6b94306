# Files of a picture.

download-large = 下载放大到 512 像素的图
