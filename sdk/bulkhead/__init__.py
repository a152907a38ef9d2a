"""Bulkhead: perpetual futures on chain, with cross and isolated margin at the same time."""
