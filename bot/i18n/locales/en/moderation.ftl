# Refusals because of the limits of a server.

moderation-blocked = The admins of this server have blocked you here.
moderation-channel = In this server I paint only in { $channels }.
moderation-too-many = That is { $count } pictures; the daily limit of this server is { $most }.
moderation-cooldown-over = You have to wait between two requests in this server. You can request the next picture { $when }.
moderation-daily-used = You have reached the daily limit of { $most } pictures. You can request more { $when }.
moderation-cooldown = A cooldown is 0 to { $most } seconds, not { $seconds }.
moderation-daily = A daily limit is 0 to { $most } pictures, not { $count }.
