# Files of a picture.

download-large = Download enlarged to { $size } px
