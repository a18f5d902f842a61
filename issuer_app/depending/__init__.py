"""Certificates that stand on another one: a licence on a qualification. What is asked of it, judged at issue, and what became
of it since."""
