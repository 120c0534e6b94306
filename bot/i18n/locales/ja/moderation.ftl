# Refusals because of the limits of a server.

moderation-blocked = このサーバーの管理者があなたをブロックしています。
moderation-channel = このサーバーで描けるのは { $channels } だけです。
moderation-too-many = { $count }枚のご注文ですが、このサーバーの1日の上限は{ $most }枚です。
moderation-cooldown-over = まだ待ち時間中です。次の絵は { $when } から頼めます。
moderation-daily-used = 1日の上限の{ $most }枚に達しました。{ $when } からまた頼めます。
moderation-cooldown = 待ち時間は0秒から{ $most }秒までです（指定は{ $seconds }秒）。
moderation-daily = 1日の上限は0枚から{ $most }枚までです（指定は{ $count }枚）。
