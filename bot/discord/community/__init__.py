"""Features for communities, one module each; `scheduler` runs those that post by themselves."""
