"""From lines of text to labels, and to vectors of sentences."""
