"""The command `weid`: a holder's wallet, an offline verifier, and the operators' groups."""
