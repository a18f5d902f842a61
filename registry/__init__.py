"""The registry: signed operations in one ordered log, a pure state machine, proofs and trust bundles."""
