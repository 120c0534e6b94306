command-link =
    .name = link
    .description = Link a browser: your pictures and favorites of the web page and of Discord together
link-how = Enter this code on the web page { $page }. It can be used once, and expires { $when }.
link-secret = Give it to nobody: whoever enters it can see your public pictures and favorites together, and delete those pictures.
link-browsers =
    { $count ->
        [one] One browser is linked with you.
       *[other] { $count } browsers are linked with you.
    }
link-unlink = Unlink all browsers
link-unlinked =
    { $count ->
        [0] No browser is linked with you.
        [one] One browser is not linked any more. Its pictures and favorites stay with it.
       *[other] { $count } browsers are not linked any more. Their pictures and favorites stay with them.
    }
link-too-soon = You have just got a code. You can get another one { $when }.
link-code = This code cannot be used. Codes can be used once, within { $minutes } minutes; /link in Discord gives you a new one.
link-page-title = Pictures from Discord
link-page-how = The command /link in Discord gives you a code. Enter it here to see the pictures and favorites of this browser and of your Discord account together. Only enter a code that you requested yourself: the member who requested it can see and delete the pictures of this browser.
link-page-code = Code
link-page-link = Link
link-page-linked = This browser is linked with { $name } in Discord. Private pictures are only shown in Discord.
link-page-unlink = Unlink
