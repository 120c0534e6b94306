"""The default networks, and the pretrained feature networks."""
