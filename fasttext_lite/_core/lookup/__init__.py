"""Words to rows and vectors."""
