"""Price updates of pull feeds, from the servers that have them."""
