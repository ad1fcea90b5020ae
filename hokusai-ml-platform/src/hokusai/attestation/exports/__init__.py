"""An attestation in formats of others: made from the signed statement, never the other way round."""
