"""What only the classical recipes need. Nothing of the default recipe imports from here."""
