"""How transactions are sent: signers with a lane each, a journal, and an eye on each to its end."""
