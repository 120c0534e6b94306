# Refusals because of the limits of a server.

moderation-blocked = このサーバーの管理者があなたをブロックしています。
moderation-channel = このサーバーでは { $channels } でだけお返事します。
moderation-too-many = { $count }枚のご注文ですが、このサーバーでは1日{ $most }枚までです。
moderation-cooldown-over = ちょっと早すぎます！次の絵は { $when } から頼めます。
moderation-quota = 今日の{ $most }枚を使い切りました。{ $when } からまた頼めます。
moderation-cooldown = クールダウンは0秒から{ $most }秒までです（指定は{ $seconds }秒）。
moderation-daily = 1日の上限は0枚から{ $most }枚までです（指定は{ $count }枚）。
