command-privacy =
    .name = privacy
    .description = What I keep of you; take it with you, or have it forgotten
privacy-title = What I keep of you
privacy-what = Your pictures, with what you asked for, their seed, the model, when and where they were painted; your ♥; your settings; your Discord id and display name. Nothing else: I read no messages but those that mention me or are sent to me alone.
privacy-who = Private pictures are shown to you alone. All others can be seen by everyone, in galleries too.
privacy-how = **Export** packs everything of yours into a zip. **Forget me** deletes it for good. A single picture is deleted by 🗑️ below it. For a day I still remember how many pictures you asked for, since servers may set limits; and servers may block members.
privacy-export = Export
privacy-forget = Forget me
privacy-sure = Delete all your pictures, favourites and settings? Nobody can bring them back.
privacy-yes = Delete everything
privacy-no = Keep it
privacy-kept = Nothing was deleted.
privacy-forgotten =
    { $count ->
        [0] You had no pictures here. Your favourites, your settings and your name are gone.
        [one] Forgotten: one picture, your favourites, your settings, and your name.
       *[other] Forgotten: { $count } pictures, your favourites, your settings, and your name.
    }
privacy-export-all = Everything of yours is in here.
privacy-export-part = Part { $part } of { $parts } of everything of yours: one file would be too large for Discord.
privacy-export-next = Part { $part }
