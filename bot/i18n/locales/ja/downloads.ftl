# Files of a picture.

download-large = 512 px に拡大してダウンロード
