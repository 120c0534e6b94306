# Faces by name.

named-face-no-name = 名前が空です。/avatar/nelly.png のように書いてください。
named-face-long-name = 名前は{ $most }文字までです（いまは{ $length }文字）。
