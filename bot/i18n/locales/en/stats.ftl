# /stats, for operators.

command-stats =
    .name = stats
    .description = Statistics of the bot (for operators)

stats-stored = 🖼️ **{ $pictures }** pictures ({ $private } private, { $today } in the last 24 hours) · { $members } members · ♥ { $favorites }
stats-engine = ⏱️ { $painted } painted since the start · half within { $p50 } ms, 99 % within { $p99 } ms · { $waiting } waiting · { $refused } refused · { $failed } failed
stats-life = 🎨 model **{ $model }** · { $guilds } servers · up { $days } d { $hours } h { $minutes } min
stats-loved = ♥ Most favorites: { $loved }
