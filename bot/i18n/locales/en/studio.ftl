# Refusals of requests that the studio cannot grant.

studio-count = The count must be 1 to { $most }; it is { $count }.
studio-seed = The seed must be 0 to { $most }; it is { $seed }.
studio-no-change = Say what should change, for example one attribute and its new value.
studio-nobody = This gallery is a member's own, and I do not know who you are.
studio-no-server = This gallery belongs to a server, and this is not a server.
studio-page-size = A page shows 1 to { $most } avatars, not { $limit }.
studio-page-gone = This page of the gallery does not exist. Please start from the first one.
studio-not-yours = Only the owner of this avatar can delete it.
studio-no-avatar = There is no avatar “{ $id }”. It may have been deleted.
transition-frames = A transition has 2 to { $most } frames, not { $count }.
matrix-same = The rows and the columns of a matrix are two different attributes.
matrix-none = The model in use has fewer than two attributes, so there is no matrix.
