# Faces by name.

named-face-no-name = 名字是空的：请写一个，例如 /avatar/nelly.png。
named-face-long-name = 名字最多 { $most } 个字符，这个有 { $length } 个。
