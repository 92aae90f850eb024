"""From words to rows and vectors."""
