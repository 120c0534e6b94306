# Refusals of requests that the studio cannot grant.

studio-count = The count must be 1 to { $most }; it is { $count }.
studio-seed = The seed must be 0 to { $most }; it is { $seed }.
studio-no-change = Say what should change, for example one attribute and its new value.
studio-nobody = I do not know who you are, so I cannot show your own gallery.
studio-no-server = This chat is not a server, so there is no gallery of the server.
studio-page-size = A page shows 1 to { $most } pictures, not { $limit }.
studio-page-gone = This page of the gallery does not exist. Please start from the first one.
studio-not-yours = Only the owner of this picture can delete it.
studio-no-avatar = There is no picture “{ $id }”. It may have been deleted.
transition-frames = A transition has 2 to { $most } frames, not { $count }.
matrix-same = The rows and columns of a matrix must be two different attributes.
matrix-none = The model in use has fewer than two attributes, so there is no matrix.
