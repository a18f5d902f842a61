"""The verifier's desk: one page for a phone that reads a code and gives an honest answer, with no network.

`verifier_app.app.create_app(config)` is the WSGI application, `verifier_app.cli` the command that serves it.
"""
