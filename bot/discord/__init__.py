"""The Discord front end: slash commands and buttons on top of the studio."""
