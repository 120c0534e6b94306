# /limits, for the admins of a server.

command-limits =
    .name = limits
    .description = Limit what members can request in this server
command-limits-show =
    .name = show
    .description = Show the limits of this server
command-limits-set =
    .name = set
    .description = Set how much each member can paint
    .cooldown = cooldown
    .cooldown-description = Seconds between two requests of a member; 0 for none
    .daily = daily
    .daily-description = Pictures of a member within 24 hours; 0 for no limit
    .gallery = gallery
    .gallery-description = Let members browse this server's pictures
command-limits-channel =
    .name = channel
    .description = Choose the channels where the bot paints; by default all
    .where = where
    .where-description = The channel
    .answer = answer
    .answer-description = Paint in this channel or not
command-limits-role =
    .name = role
    .description = Exempt a role from cooldown and daily limit, or give it its own
    .role = role
    .role-description = The role
    .exempt = exempt
    .exempt-description = Exempt the role or not
    .cooldown = cooldown
    .cooldown-description = Seconds between two requests of a member; 0 for none
    .daily = daily
    .daily-description = Pictures of a member within 24 hours; 0 for no limit
command-limits-reports =
    .name = reports
    .description = Choose the channel where moderators get reports of pictures painted here
    .where = where
    .where-description = The channel; leave it out for none
command-limits-block =
    .name = block
    .description = Block or unblock a member in this server
    .member = member
    .member-description = The member
    .blocked = blocked
    .blocked-description = Block or unblock

limits-title = **Limits of this server**
limits-cooldown = { $seconds ->
    [0] ⏳ no cooldown
    [one] ⏳ one second between two requests of a member
   *[other] ⏳ { $seconds } seconds between two requests of a member
}
limits-daily = { $count ->
    [0] 📅 no daily limit
    [one] 📅 one picture per member within 24 hours
   *[other] 📅 { $count } pictures per member within 24 hours
}
limits-channels = 💬 paints only in { $names }
limits-channels-none = 💬 paints in every channel
limits-roles = 🎖️ exempt: { $names }
limits-roles-none = 🎖️ no role is exempt
limits-gallery-on = 🖼️ this server's gallery is open
limits-gallery-off = 🖼️ this server's gallery is closed
limits-blocked = 🚫 blocked: { $names }
limits-blocked-none = 🚫 nobody is blocked
limits-reports = 🚩 reports of pictures painted here go to { $names }
limits-reports-none = 🚩 reports of pictures go to the bot's operators only
limits-not-allowed = Only members with Manage Server can see and set the limits of a server.
limits-of-role = 🎖️ { $role }: { $cooldown }, { $daily }
limits-more = { $names } and { $count } more
limits-more-roles = { $count ->
    [one] 🎖️ one more role has its own limits
   *[other] 🎖️ { $count } more roles have their own limits
}
