# /limits, for the admins of a server.

command-limits =
    .name = limits
    .description = What members may ask of the bot in this server
command-limits-show =
    .name = show
    .description = What is set in this server
command-limits-set =
    .name = set
    .description = How much each member may paint
    .cooldown = cooldown
    .cooldown-description = Seconds between two requests of a member; 0 for none
    .daily = daily
    .daily-description = Pictures of a member within 24 hours; 0 for no limit
    .gallery = gallery
    .gallery-description = Whether members may browse this server's pictures
command-limits-channel =
    .name = channel
    .description = Where the bot paints; everywhere if none is named
    .where = where
    .where-description = The channel
    .answer = answer
    .answer-description = Whether it paints there
command-limits-role =
    .name = role
    .description = Roles that have neither cooldown nor quota
    .role = role
    .role-description = The role
    .exempt = exempt
    .exempt-description = Whether it is exempt
command-limits-block =
    .name = block
    .description = The bot paints nothing for this member here
    .member = member
    .member-description = Who is blocked
    .blocked = blocked
    .blocked-description = Whether, or no longer

limits-title = **What is allowed in this server**
limits-cooldown = { $seconds ->
    [0] ⏳ no cooldown
    [one] ⏳ one second between two requests of a member
   *[other] ⏳ { $seconds } seconds between two requests of a member
}
limits-daily = { $count ->
    [0] 📅 no daily limit
    [one] 📅 one picture a member within 24 hours
   *[other] 📅 { $count } pictures a member within 24 hours
}
limits-channels = 💬 paints only in { $names }
limits-channels-none = 💬 paints in every channel
limits-roles = 🎖️ exempt: { $names }
limits-roles-none = 🎖️ no role is exempt
limits-gallery-on = 🖼️ this server's gallery is open
limits-gallery-off = 🖼️ this server's gallery is closed
limits-blocked = 🚫 blocked: { $names }
limits-blocked-none = 🚫 nobody is blocked
limits-not-allowed = Only who may manage this server can set its limits.
