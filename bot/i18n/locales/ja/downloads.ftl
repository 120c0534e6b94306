# Files of a picture.

download-large = 512ピクセルに拡大してダウンロード
