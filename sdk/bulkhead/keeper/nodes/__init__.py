"""Several RPC addresses as one provider: health, stale heads, wrong chains."""
