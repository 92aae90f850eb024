"""Numbers and rows as files hold them."""
