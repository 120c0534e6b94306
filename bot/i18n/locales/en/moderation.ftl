# What a server's admins have limited.

moderation-blocked = The admins of this server have blocked you here.
moderation-channel = Here I answer only in { $channels }.
moderation-too-many = That is { $count } pictures; this server allows { $most } in a day.
moderation-cooldown-over = That was quick! You can ask for the next picture { $when }.
moderation-quota = You have had your { $most } pictures of the day. You can ask for more { $when }.
moderation-cooldown = A cooldown is 0 to { $most } seconds, not { $seconds }.
moderation-daily = A daily quota is 0 to { $most } pictures, not { $count }.
