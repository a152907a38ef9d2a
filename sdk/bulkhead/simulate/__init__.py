"""The exchange without a chain: what accounts, actions, prices and time come to."""
