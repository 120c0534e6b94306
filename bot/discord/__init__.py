"""The Discord face: slash commands and buttons on top of the studio."""
