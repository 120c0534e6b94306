# /settings server, and what the bot posts by itself.

command-guess =
    .name = guess
    .description = Whose child is this? A game with this server's pictures

server-title = Settings of this server
server-hint = Everything here is off until you turn it on. Changes are saved at once; nothing here pings anybody.
server-not-allowed = Only members with Manage Server can change the settings of a server.
server-not-here = These settings need the bot as a member of this server.
server-on = on
server-off = off
server-turn-on = Turn on
server-turn-off = Turn off
server-rest = The bot posts nothing else by itself. For members' commands:
server-channel-none = No channel: off
server-channels-none = No channels: off
server-section-overview = Overview
server-section-welcome = Welcome
server-section-showcase = Showcase
server-section-bracket = Weekly bracket
server-section-portrait = Family portrait
server-section-reports = Reports of pictures
server-section-guess = /guess
server-section-replies = Replies
server-section-roles = Limits of roles
server-section-bot = Status of the bot
server-about-welcome = Newcomers are welcomed with a face of their own, the one that `/me` shows.
server-about-showcase = A picture of this server that enough members love is posted once, with the name of its owner. Pictures that have as many favorites already are not posted.
server-about-bracket = Every week, the eight most loved new pictures of this server compete in pairs; members vote for two days in each round. The winner is shown for two weeks on the web page of the gallery.
server-about-portrait = One picture of the faces of all members who take part, updated with them. Members join or leave with the button below it; only those who join are shown.
server-about-reports = Reports of pictures that were painted in this server are posted in a channel of its moderators, who can hide these pictures or dismiss the reports.
server-about-guess = `/guess` shows a child of two of this server's pictures, and four pictures to choose a parent from. Scores are kept.
server-about-replies = How replies with pictures are shown. Threads are like their channel.
server-about-roles = A role can have its own cooldown and daily limit. Of several roles, the more generous limit holds. Choose a role:
server-about-bot = The bot's status shows the name of the model in use, in all servers. Only the bot's operators see this.
server-welcome = Channel
server-showcase = Channel
server-hearts = Favorites that a picture needs
server-hearts-value = { $count } ♥
server-bracket = Channel
server-portrait = Channel
server-reports = Channel
server-guess = /guess
server-spoilers = Hide pictures behind a spoiler in
server-retract = Delete replies of a flood in
server-retract-minutes = More than 5 replies within this time are a flood. Each of them is deleted this long after it was sent. The pictures stay in the galleries.
server-retract-minutes-value = { $count ->
    [one] one minute
   *[other] { $count } minutes
}
server-links = Link children to the messages of their parents
server-role-none = Choose a role
server-role-cooldown = { $role }: seconds between two requests
server-role-daily = { $role }: pictures within 24 hours
server-role-seconds = { $count ->
    [one] one second
   *[other] { $count } seconds
}
server-role-pictures = { $count ->
    [one] one picture
   *[other] { $count } pictures
}
server-role-like-server = Like the server
server-role-unlimited = No limit
server-no-intent = This does not work yet: the bot's operator must turn on the Server Members Intent in Discord's Developer Portal, and set `discord.members_intent = true`.
server-no-channel = The bot does not see this channel.
server-no-permission = The bot may not post pictures in this channel. It needs View Channel, Send Messages, Attach Files and Read Message History.

welcome-text = Welcome, { $member }! This face is yours: `/me` always paints it.
welcome-alt = the newcomer's face
showcase-text = 🌟 { $count } ♥ for **{ $title }** by { $member }
bracket-title = 🏆 Picture of the week: { $count } pictures are left
bracket-final = 🏆 Picture of the week: the final
bracket-how = In each row, vote for the picture you like better. This round ends { $when }.
bracket-alt = { $count } pictures in pairs, with numbers
bracket-voted = Your vote is for picture { $number }. You can change it until this round ends { $when }.
bracket-over = This round is over.
bracket-winner = 🏆 The picture of the week is **{ $title }** by { $member }.
portrait-title = 👪 Family portrait
portrait-how = { $count ->
    [0] Nobody takes part yet. The button adds your face, the one that `/me` shows.
    [one] One member takes part. The button adds your face, or removes it.
   *[other] { $count } members take part. The button adds your face, or removes it.
}
portrait-more = and { $count } more
portrait-alt = the faces of { $count ->
    [one] one member
   *[other] { $count } members
}
portrait-button = Join or leave
portrait-joined = Your face joins the portrait. The same button removes it.
portrait-left = Your face is removed from the portrait.
portrait-off = This server no longer has a family portrait.
guess-title = Whose child is this?
guess-how = One of the four pictures is a parent. Everybody can answer once.
guess-alt = a face, and four faces with the numbers 1 to 4
guess-score = { $member }: { $right } of { $answers }
guess-right = Right, it is { $number }! You have { $right } right of { $answers }.
guess-wrong = No, it is { $number }. You have { $right } right of { $answers }.
guess-repeated = You have answered already; it is { $number }. You have { $right } right of { $answers }.
guess-off = `/guess` is off in this server. Members with Manage Server can turn it on: `/settings server`.
guess-too-few = `/guess` needs { $count } public pictures that were painted in this server.
guess-gone = This question does not exist any more.
gallery-banner = Picture of the week
