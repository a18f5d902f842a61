"""What happens to a certificate after it was issued: corrected, changed with others, at a time, or after a key was exposed."""
