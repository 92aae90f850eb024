"""Lines of text to labels and to sentence vectors."""
