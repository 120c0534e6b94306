# Files of a picture.

download-large = { $size } px に拡大してダウンロード
