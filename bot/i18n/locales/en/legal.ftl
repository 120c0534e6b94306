# The pages /privacy and /terms, and the links to them.

legal-privacy = Privacy
legal-terms = Terms of use
legal-help = Privacy: { $privacy } · Terms of use: { $terms }
legal-operator = This copy of Irodori is run by { $operator }.
legal-no-operator = The operator of this copy of Irodori has given no name. Ask the admins of the Discord server where you use it.
legal-contact = Contact: { $contact }

privacy-page-stored = What is stored about members of Discord
privacy-page-stored-text = The pictures that you requested, with prompt, seed, choices of /find, model, time, server and channel; your favorites, settings and reports; your Discord id and display name; where a server has turned it on, your votes in brackets, your answers to /guess, and that you were welcomed or have joined a family portrait; for one day, the number of pictures you requested. Irodori reads only messages that mention it and direct messages to it.
privacy-page-visitors = What is stored about visitors of this website
privacy-page-visitors-text = The pictures that you painted, your favorites and your reports; the member of Discord with whom you linked your browser. A cookie with a random number recognizes your browser for a year; the database contains only a hash of that number. If you choose a language, a second cookie remembers it. Irodori uses no other cookies for visitors, no analytics and no other companies' services here. It uses your address for rate limits. If several processes serve this website, they store a hash of it for that, for about a minute after your last request and at most two hours.
privacy-page-browser = What your browser stores
privacy-page-browser-text = Until you close the tab, the list of pictures in the studio. If you turn on “Paint in this browser”, also that choice, the program and the model that paint, and the latest 100 pictures painted there; all of it works without a connection. These pictures are sent here only when you keep them in the gallery, and prompts only to be understood, without being stored. When you turn the switch off, its files and pictures stay. To delete them, clear the data of this site in your browser's settings; no deletion here reaches them.
privacy-page-seen = Who sees it
privacy-page-seen-text = Everybody can see pictures that are not private, in galleries and on this website. Only you see your private ones. Saved files of public pictures contain their prompt and seed: whoever has a file can paint the picture again, even when it was deleted here. The operator can read everything that is stored. Reports of pictures go to the operator, and to the moderators of the server where the picture was painted if they have chosen a channel.
privacy-page-time = How long it is stored
privacy-page-time-text = Until you delete it. The operator's backups may contain deleted data until newer ones replace them.
privacy-page-time-pictures = Pictures that are nobody's favorite are deleted after { $days } days.
privacy-page-time-guilds = { $days } days after Irodori was removed from a server, the server's limits, blocks and settings, and all votes, answers and portraits there are deleted, and the pictures painted there no longer name the server.
privacy-page-choices = What you can do
privacy-page-choices-text = The command /privacy in Discord exports all your data, or deletes it permanently, including pictures that are just being painted, and those of browsers that you linked. On this website you can delete each of your pictures. For everything else, write to the operator.
privacy-page-stays = What stays after a deletion
privacy-page-stays-text = Messages that were posted in Discord, with their pictures: delete them there. Of a deleted picture, its id and the times of painting and deletion. Servers' blocks of you. For at most three hours, a hash of your id, so that pictures that are just being painted are not stored. Lines of the operator's log with Discord ids, but without names and prompts. Copies that others have saved.

terms-page-use = Use
terms-page-use-text = Irodori paints faces with a neural network. Do not use it to break the law, Discord's terms or the rights of others, to harass people, or to overload it.
terms-page-pictures = Pictures
terms-page-pictures-text = All faces are generated; a resemblance to persons or characters is a coincidence. You are responsible for what you do with them. Others can save, recolor and mix public pictures.
terms-page-reports = Reports
terms-page-reports-text = Report pictures that should not be public: in Discord below Info, here on the page of the picture. The operator can hide and delete pictures. Admins of a server can set limits and block members.
terms-page-warranty = No warranty
terms-page-warranty-text = The service is provided as is, without any warranty. It may be interrupted or end, and pictures may be lost.
