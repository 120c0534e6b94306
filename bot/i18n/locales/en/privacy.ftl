command-privacy =
    .name = privacy
    .description = What I store about you; export or delete it
privacy-title = What I store about you
privacy-what = Your pictures, with your wish or prompt, the seed, the choices of /find, the model, and when and where they were painted; your favorites ♥ and reports; your settings; your Discord id and display name; which browsers you linked. Where a server has turned it on: your votes, your answers to /guess, and that you were welcomed or are in a family portrait. Nothing else: the only messages I read are those that mention me and direct messages to me.
privacy-who = Only you can see your private pictures. Everyone can see all others, in galleries too.
privacy-how = **Export** packs all your data into a zip. **Forget me** deletes it permanently. 🗑️ below a picture deletes that one. Pictures that the web page painted in your browser are only there: clear the page's data in the browser. The number of pictures you requested is stored for one day, because servers can set limits. A server that blocks you continues to do so.
privacy-export = Export
privacy-forget = Forget me
privacy-sure = Delete all your pictures, favorites and settings? This cannot be undone.
privacy-yes = Delete everything
privacy-no = Keep it
privacy-not-deleted = Nothing was deleted.
privacy-forgotten =
    { $count ->
        [0] You had no pictures here. Your favorites, your settings and your name are deleted.
        [one] Deleted: one picture, your favorites, your settings, and your name.
       *[other] Deleted: { $count } pictures, your favorites, your settings, and your name.
    }
privacy-export-all = This zip holds all your data.
privacy-export-part = Part { $part } of { $parts } of your data: one file would be too large for Discord.
privacy-export-next = Part { $part }
privacy-not-kept = Your data was deleted meanwhile, so this picture was not kept.
