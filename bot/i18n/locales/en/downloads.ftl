# Files of a picture.

download-large = Download enlarged to 512 px
