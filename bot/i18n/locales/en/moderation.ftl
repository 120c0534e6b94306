# Refusals because of the limits of a server.

moderation-blocked = The admins of this server have blocked you here.
moderation-channel = Here I answer only in { $channels }.
moderation-too-many = That is { $count } pictures; this server allows { $most } in a day.
moderation-cooldown-over = Not so fast! You can request the next picture { $when }.
moderation-quota = You have used your { $most } pictures of the day. You can request more { $when }.
moderation-cooldown = A cooldown is 0 to { $most } seconds, not { $seconds }.
moderation-daily = A daily quota is 0 to { $most } pictures, not { $count }.
