"""Features for communities, each off until an admin of a server turns it on."""
