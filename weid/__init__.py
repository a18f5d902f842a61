"""Identity, keys, suites, canonical bytes and the Facts seam: what every other room stands on."""
