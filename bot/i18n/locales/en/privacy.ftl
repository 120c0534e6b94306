command-privacy =
    .name = privacy
    .description = What I store about you; export or delete it
privacy-title = What I store about you
privacy-what = Your pictures, with what you asked for, their seed, the model, when and where they were painted; your ♥; your settings; your Discord id and display name. Nothing else: I read no messages but those that mention me or are sent to me alone.
privacy-who = Only you can see your private pictures. Everyone can see all others, in galleries too.
privacy-how = **Export** packs all your data into a zip. **Forget me** deletes it permanently. 🗑️ below a picture deletes that one. For a day I still store how many pictures you requested, because servers can set limits; and servers can block members.
privacy-export = Export
privacy-forget = Forget me
privacy-sure = Delete all your pictures, favorites and settings? This cannot be undone.
privacy-yes = Delete everything
privacy-no = Keep it
privacy-kept = Nothing was deleted.
privacy-forgotten =
    { $count ->
        [0] You had no pictures here. Your favorites, your settings and your name are deleted.
        [one] Deleted: one picture, your favorites, your settings, and your name.
       *[other] Deleted: { $count } pictures, your favorites, your settings, and your name.
    }
privacy-export-all = This zip holds all your data.
privacy-export-part = Part { $part } of { $parts } of your data: one file would be too large for Discord.
privacy-export-next = Part { $part }
