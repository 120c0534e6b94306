# Faces by name.

named-face-no-name = The name is empty: write one, as in /avatar/nelly.png.
named-face-long-name = A name has at most { $most } characters; this one has { $length }.
