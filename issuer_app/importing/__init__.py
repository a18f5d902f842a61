"""Many certificates from one spreadsheet: read strictly, map, check every row, sign as drafts, publish once.

`tables` reads files into cells, `columns` says which column is what, `checking` turns rows into claims or faults, `records`
keeps the imports, `making` signs, `job` goes through all of it and takes up again what a crash cut short.
"""
